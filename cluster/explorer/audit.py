"""The audit log for people: everybody's own requests, and all of them for whoever RBAC lets `list auditevents.sim.kubeweb.dev`."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers
from rest_framework.exceptions import NotFound
from rest_framework.request import Request
from rest_framework.response import Response

from cluster.audit.models import ALLOWED, DENIED, FAILED, UNAUTHENTICATED, AuditEvent
from cluster.explorer.asking import ExplorerView
from cluster.explorer.permissions import may_see_all_audit_events

FIELDS = [field.name for field in AuditEvent._meta.fields]


class AuditQuery(serializers.Serializer[Any]):
    """The query parameters of a search."""

    user = serializers.CharField(required=False, max_length=256)
    verb = serializers.CharField(required=False, max_length=32)
    group = serializers.CharField(required=False, allow_blank=True, max_length=253)
    resource = serializers.CharField(required=False, max_length=253)
    namespace = serializers.CharField(required=False, max_length=253)
    name = serializers.CharField(required=False, max_length=253)
    outcome = serializers.ChoiceField(required=False, choices=[ALLOWED, DENIED, FAILED, UNAUTHENTICATED])
    code = serializers.IntegerField(required=False, min_value=100, max_value=599)
    journey = serializers.CharField(required=False, max_length=40)
    since = serializers.DateTimeField(required=False)
    until = serializers.DateTimeField(required=False)
    words = serializers.CharField(required=False, max_length=200)
    before = serializers.IntegerField(required=False, min_value=1, help_text="the id to go on below")
    limit = serializers.IntegerField(required=False, min_value=1, max_value=500, default=100)


class AuditEventSerializer(serializers.ModelSerializer[AuditEvent]):
    class Meta:
        model = AuditEvent
        fields = [name for name in FIELDS if name != "event"]


class AuditView(ExplorerView):
    """A search, newest first. `all` tells whether other people's requests are among what is looked at."""

    def get(self, request: Request) -> Response:
        query = AuditQuery(data=request.query_params)
        query.is_valid(raise_exception=True)
        wanted = dict(query.validated_data)
        limit = wanted.pop("limit")
        everybody = may_see_all_audit_events(self.asker.client)
        found = AuditEvent.objects.search(**wanted)
        if not everybody:
            found = found.filter(user=self.asker.name)
        rows = list(found.defer("event")[: limit + 1])
        return Response(
            {
                "all": everybody,
                "events": AuditEventSerializer(rows[:limit], many=True).data,
                "next": rows[limit - 1].pk if len(rows) > limit else None,
            }
        )


class AuditEventView(ExplorerView):
    """One event, with the bodies where the policy kept them."""

    def get(self, request: Request, pk: int) -> Response:
        found = AuditEvent.objects.filter(pk=pk).first()
        mine = found is not None and found.user == self.asker.name
        if found is None or not (mine or may_see_all_audit_events(self.asker.client)):
            raise NotFound
        return Response({**AuditEventSerializer(found).data, "event": found.event})
