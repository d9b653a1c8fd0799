"""Lessons for the page: the list with one's own progress, beginning a step, and asking whether it is reached."""

from __future__ import annotations

from asgiref.sync import async_to_sync
from django.utils import timezone
from rest_framework import serializers
from rest_framework.exceptions import NotFound
from rest_framework.request import Request
from rest_framework.response import Response

from cluster import clock
from cluster.apimachinery.errors import StatusError, is_not_found
from cluster.client.client import Client, Obj
from cluster.explorer.asking import OwnView
from cluster.explorer.lessons.conditions import Verdict, evaluate
from cluster.explorer.lessons.shipped import LESSONS
from cluster.explorer.models import LessonStep
from cluster.explorer.permissions import may
from cluster.explorer.services import services
from cluster.journeys.trace import wall

# Journeys that a condition may look at.
MOST_JOURNEYS = 200
SHOWN = (
    "actor",
    "verb",
    "group",
    "resource",
    "subresource",
    "namespace",
    "name",
    "code",
    "outcome",
    "reason",
    "revision",
)


class StepSerializer(serializers.Serializer[LessonStep]):
    """Which step, where, and what was predicted."""

    step = serializers.IntegerField(min_value=0, max_value=100)
    namespace = serializers.RegexField(r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?$", max_length=63, default="default")
    predicted = serializers.IntegerField(min_value=0, max_value=100, required=False)
    again = serializers.BooleanField(default=False)


def progress_of(person: int | None, lesson: str | None = None) -> dict[str, list[Obj]]:
    """lesson → its steps that were begun, by number."""
    rows = LessonStep.objects.filter(person_id=person).order_by("step")
    if lesson is not None:
        rows = rows.filter(lesson=lesson)
    found: dict[str, list[Obj]] = {}
    for row in rows:
        told = {"step": row.step, "reached": row.reached is not None, "predicted": row.predicted}
        found.setdefault(row.lesson, []).append(told)
    return found


class LessonsView(OwnView):
    """All lessons in their order, each with what the person has reached of it."""

    def get(self, request: Request) -> Response:
        client = self.asker.client
        try:
            found = async_to_sync(client.list)(LESSONS).items
        except StatusError as error:
            return Response(error.status, status=error.code)
        progress = progress_of(self.owner)
        lessons = [
            {"name": one["metadata"]["name"], **one["spec"], "progress": progress.get(one["metadata"]["name"], [])}
            for one in found
        ]
        lessons.sort(key=lambda one: (one.get("order", 1000), one["name"]))
        return Response({"lessons": lessons})


class LessonView(OwnView):
    """POST: where the person stands in a step (begun with the first call). DELETE: begin the lesson anew."""

    def post(self, request: Request, name: str) -> Response:
        serializer = StepSerializer(data=request.data)
        serializer.is_valid(raise_exception=True)
        asked = serializer.validated_data
        client = self.asker.client
        try:
            lesson = _lesson(client, name)
        except StatusError as error:
            return Response(error.status, status=error.code)
        steps = lesson["spec"]["steps"]
        if asked["step"] >= len(steps):
            raise NotFound
        row, _ = LessonStep.objects.get_or_create(
            person_id=self.owner,
            lesson=name,
            step=asked["step"],
            defaults={"began": wall(), "began_cluster": clock.now()},
        )
        before = {name: getattr(row, name) for name in ("predicted", "reached", "began", "began_cluster")}
        if asked["again"]:
            row.began, row.began_cluster, row.reached, row.predicted = wall(), clock.now(), None, None
        # A prediction is made once: afterwards one knows.
        if row.predicted is None and "predicted" in asked:
            row.predicted = asked["predicted"]
        said = ""
        if row.reached is None:
            verdict = async_to_sync(self._judge)(steps[asked["step"]], row, asked["namespace"])
            said = verdict.said
            if verdict.reached:
                row.reached = timezone.now()
        # Only what this request found out: another one may have reached it meanwhile.
        changed = [name for name, value in before.items() if value != getattr(row, name)]
        if changed:
            row.save(update_fields=changed)
        return Response({"reached": row.reached is not None, "predicted": row.predicted, "said": said})

    def delete(self, request: Request, name: str) -> Response:
        LessonStep.objects.filter(person_id=self.owner, lesson=name).delete()
        return Response(status=204)

    async def _judge(self, step: Obj, row: LessonStep, namespace: str) -> Verdict:
        condition = step.get("condition")
        if condition is None:
            return Verdict(True)
        client = self.asker.client
        everybody = await may(client, "list", "sim.kubeweb.dev", "journeys")
        recent = services().journeys.recent(actor=None if everybody else self.asker.name, limit=MOST_JOURNEYS)
        journeys = [{key: one[key] for key in SHOWN} for one in recent if one["start"] >= row.began]
        return await evaluate(
            client,
            condition,
            namespace=namespace,
            began=clock.timestamp(row.began_cluster),
            journeys=journeys,
        )


def _lesson(client: Client, name: str) -> Obj:
    try:
        found: Obj = async_to_sync(client.get)(LESSONS, name)
    except StatusError as error:
        if is_not_found(error):
            raise NotFound from None
        raise
    return found
