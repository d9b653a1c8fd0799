"""Whatever is left out of an object, or stands in it instead: the answer is Kubernetes' refusal, or it is taken; never a failure of the server.

Every kind that the examples make is sent back with each of its fields missing, null, and of another shape.
"""

from __future__ import annotations

import copy
import http.client
import json
import ssl
from collections.abc import Iterator
from typing import Any

import pytest

from tests.support.server import ROOT, Cluster

Path = tuple[str | int, ...]
GONE = object()
ODD = (GONE, None, {"a": None}, [None], -1)
# Of each object; the deepest of long ones repeat what others have.
PATHS = 100


@pytest.fixture(scope="module")
def ask(cluster: Cluster):
    """(status, body) over one connection, of which thousands of requests are made."""
    connection = http.client.HTTPSConnection("127.0.0.1", cluster.https, context=ssl._create_unverified_context())
    headers = {"Authorization": f"Bearer {cluster.token()}"}

    def send(method: str, path: str, body: Any = None, kind: str = "application/json") -> tuple[int, Any]:
        data = None if body is None else json.dumps(body)
        connection.request(method, path, data, {**headers, "Content-Type": kind})
        answer = connection.getresponse()
        return answer.status, json.loads(answer.read())

    cluster.kubectl("apply", "-R", "-f", str(ROOT / "examples"), check=False)
    yield send
    connection.close()


def kinds(ask) -> Iterator[tuple[str, Any]]:
    """(path, object) of one object of every kind that can be written."""
    groups = ask("GET", "/apis")[1]["groups"]
    for root in ("/api/v1", *(f"/apis/{one['groupVersion']}" for group in groups for one in group["versions"])):
        for resource in ask("GET", root)[1]["resources"]:
            if "/" in resource["name"] or not {"list", "update"} <= set(resource["verbs"]):
                continue
            for found in ask("GET", f"{root}/{resource['name']}?limit=1")[1]["items"]:
                metadata = found["metadata"]
                where = f"/namespaces/{metadata['namespace']}" if resource["namespaced"] else ""
                found |= {"apiVersion": root.split("/", 2)[2], "kind": resource["kind"]}
                yield f"{root}{where}/{resource['name']}/{metadata['name']}", found


def paths(value: Any, here: Path = ()) -> Iterator[Path]:
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in items:
        if key != "managedFields" and (here or key not in ("apiVersion", "kind")):
            yield (*here, key)
            yield from paths(inner, (*here, key))


def changed(found: Any, path: Path, value: object) -> Any:
    result = inner = copy.deepcopy(found)
    for key in path[:-1]:
        inner = inner[key]
    if value is GONE:
        del inner[path[-1]]
    else:
        inner[path[-1]] = value
    return result


# Kinds of which the examples make one at least: with fewer, little is asked.
EXPECTED = {"Pod", "Deployment", "Job", "Service", "PersistentVolumeClaim", "HorizontalPodAutoscaler"}


def test_no_object_is_so_odd_that_the_server_fails(ask):
    taken, failed = set(), []
    for where, found in kinds(ask):
        # As it is, it is taken: what follows is refused for what is odd in it alone.
        del found["metadata"]["resourceVersion"]
        if ask("PUT", f"{where}?dryRun=All", found)[0] == 200:
            taken.add(found["kind"])
        for path in list(paths(found))[:PATHS]:
            for value in ODD:
                body = changed(found, path, value)
                collection, _, _ = where.rpartition("/")
                fresh = changed(body, ("metadata", "name"), "odd") if isinstance(body.get("metadata"), dict) else body
                status = "/status" if path[0] == "status" else ""
                for method, target, sent in (
                    ("PUT", f"{where}{status}", body),
                    *([("POST", collection, fresh)] if len(path) <= 2 else ()),
                ):
                    code, answer = ask(method, f"{target}?dryRun=All", sent)
                    if code >= 500:
                        failed.append((method, target, path, value, answer["message"]))
    assert taken >= EXPECTED
    assert failed == []


@pytest.mark.parametrize(
    ("kind", "patch"),
    [
        ("merge-patch", None),
        ("merge-patch", []),
        ("merge-patch", {"spec": None, "metadata": None}),
        ("strategic-merge-patch", {"spec": []}),
        ("strategic-merge-patch", {"metadata": None}),
        ("strategic-merge-patch", {"$patch": "replace"}),
        ("strategic-merge-patch", {"$patch": "delete"}),
        ("json-patch", [None]),
        ("json-patch", {"op": 1}),
        ("json-patch", [{"op": "remove", "path": "/metadata"}]),
        ("json-patch", [{"op": "replace", "path": "", "value": 3}]),
        ("json-patch", [{"op": "move", "from": "", "path": "/a"}]),
    ],
)
def test_nor_any_patch(ask, kind, patch):
    seen = set()
    for where, found in kinds(ask):
        seen.add(found["kind"])
        code, answer = ask("PATCH", f"{where}?dryRun=All", patch, f"application/{kind}+json")
        assert code < 500, (where, answer)
    assert seen >= EXPECTED
