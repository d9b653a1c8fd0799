"""The lessons, each played to its end with real kubectl: what a step says is done, and the cluster reaches what it waits for."""

from __future__ import annotations

import os
import subprocess

import pytest

from cluster.explorer.lessons.shipped import load
from tests.support.person import Person
from tests.support.server import Cluster, tool, wait_for

LESSONS = {lesson["metadata"]["name"]: lesson["spec"] for lesson in load()}


@pytest.fixture(scope="module")
def world():
    running = Cluster("--speed=5", prepared=True).start()
    yield running
    running.close()


@pytest.fixture(scope="module")
def person(world):
    return Person(world).sign_in()


def kubectl(world: Cluster, line: str) -> tuple[int, str]:
    """A line as a person types it, in a shell whose kubectl is the real one."""
    folder = os.path.dirname(tool("kubectl"))
    environment = {**os.environ, "KUBECONFIG": str(world.kubeconfig), "HOME": str(world.data)}
    environment["PATH"] = f"{folder}:{environment['PATH']}"
    done = subprocess.run(
        ["bash", "-c", line.replace("$(NAMESPACE)", "default")],
        capture_output=True,
        text=True,
        env=environment,
        timeout=90,
        check=False,
    )
    return done.returncode, done.stdout + done.stderr


def play(world: Cluster, person: Person, name: str, number: int, step: dict) -> None:
    path = f"/explorer/lessons/{name}/"
    predicted = {"predicted": step["predict"]["answer"]} if "predict" in step else {}
    status, began = person.ask("POST", path, {"step": number, "namespace": "default", **predicted})
    assert status == 200, began
    done = []
    if "manifest" in step:
        applied = world.run(tool("kubectl"), "apply", "-f", "-", stdin=step["manifest"])
        done.append((applied.returncode, applied.stdout + applied.stderr))
    done += [kubectl(world, line) for line in step.get("commands") or ()]
    if step.get("refused"):
        assert done[-1][0] != 0, f"was not refused: {done[-1][1]}"
        done.pop()
    assert all(code == 0 for code, _ in done), done

    def reached() -> bool:
        answer = person.ask("POST", path, {"step": number, "namespace": "default"})[1]
        assert not answer["said"].startswith("the lesson's condition is wrong"), answer
        return answer["reached"]

    wait_for(reached, f"{name}, step {number + 1}: {step.get('condition', {}).get('hint')}", seconds=90)


@pytest.mark.parametrize("name", list(LESSONS))
def test_a_lesson_is_played_to_its_end(world, person, name):
    spec = LESSONS[name]
    for number, step in enumerate(spec["steps"]):
        play(world, person, name, number, step)
    listed = person.ask("GET", "/explorer/lessons/")[1]["lessons"]
    progress = next(one for one in listed if one["name"] == name)["progress"]
    assert [one["step"] for one in progress if one["reached"]] == list(range(len(spec["steps"])))
    for line in spec.get("cleanup") or ():
        code, said = kubectl(world, line)
        assert code == 0, said


def test_no_step_is_reached_before_anything_was_done(world, person):
    """A condition that holds from the start would teach nothing."""
    for name, spec in LESSONS.items():
        person.ask("DELETE", f"/explorer/lessons/{name}/")
        first = person.ask("POST", f"/explorer/lessons/{name}/", {"step": 0, "namespace": "default"})[1]
        assert not first["reached"], name
        assert first["said"] == "", (name, first, spec["title"])


def test_teachers_write_their_own(world, person):
    lesson = """
apiVersion: sim.kubeweb.dev/v1alpha1
kind: Lesson
metadata: {name: of-my-own}
spec:
  title: Of my own
  steps:
  - title: One step
    condition:
      queries: [{name: maps, resource: v1/configmaps}]
      expression: maps.exists(m, m.metadata.name == 'taught')
"""
    world.kubectl("apply", "-f", "-", stdin=lesson)
    path = "/explorer/lessons/of-my-own/"
    assert not person.ask("POST", path, {"step": 0, "namespace": "default"})[1]["reached"]
    world.kubectl("create", "configmap", "taught")
    wait_for(lambda: person.ask("POST", path, {"step": 0, "namespace": "default"})[1]["reached"], "it is reached")
    assert person.ask("POST", path, {"step": 5, "namespace": "default"})[0] == 404
    assert person.ask("POST", path, {"step": 0, "namespace": "Not A Name"})[0] == 400
    assert person.ask("POST", "/explorer/lessons/nobody-taught-this/", {"step": 0})[0] == 404


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ("expression: nobody.size() > 0", "compilation failed"),
        ("expression: '1 + 1'", "must be of type bool|evaluates to int|compilation failed"),
        ("queries: [{name: X, resource: v1/pods}], expression: 'true'", "must be a name of CEL"),
        ("queries: [{name: pods, resource: pods}], expression: 'true'", "must be a resource's path"),
        ("queries: [{name: journeys, resource: v1/pods}], expression: 'true'", "Duplicate value"),
    ],
)
def test_a_lesson_that_cannot_work_is_refused(world, change, told):
    lesson = (
        "apiVersion: sim.kubeweb.dev/v1alpha1\nkind: Lesson\nmetadata: {name: wrong}\n"
        f"spec: {{title: Wrong, steps: [{{title: One, condition: {{{change}}}}}]}}\n"
    )
    said = world.kubectl("apply", "-f", "-", stdin=lesson, check=False)
    assert any(one in said for one in told.split("|")), said
