"""The API server as containers reach it: with the token that is mounted, as their ServiceAccount."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from tests.support.server import Cluster

TOKEN = 'T=/var/run/secrets/kubernetes.io/serviceaccount; H="Authorization: Bearer $(cat $T/token)"; '
ASK = TOKEN + 'curl -s --cacert $T/ca.crt -H "$H" https://kubernetes.default.svc'


@pytest.fixture(scope="module")
def inside(cluster: Cluster) -> Iterator[Cluster]:
    cluster.kubectl("run", "inside", "--image=curlimages/curl", "--", "sleep", "3600")
    cluster.kubectl("wait", "--for=condition=Ready", "pod/inside", "--timeout=60s")
    yield cluster
    cluster.kubectl("delete", "pod", "inside", "--now")


def test_a_container_asks_as_its_service_account(inside: Cluster) -> None:
    assert json.loads(inside.kubectl("exec", "inside", "--", "sh", "-c", f"{ASK}/version"))["minor"] == "37"
    refused = json.loads(inside.kubectl("exec", "inside", "--", "sh", "-c", f"{ASK}/api/v1/namespaces/default/pods"))
    assert refused["code"] == 403
    assert 'User "system:serviceaccount:default:default" cannot list resource "pods"' in refused["message"]


def test_with_a_role_it_reads_and_writes(inside: Cluster) -> None:
    inside.kubectl("create", "role", "keeper", "--verb=get,list,create,watch", "--resource=configmaps")
    inside.kubectl("create", "rolebinding", "keeper", "--role=keeper", "--serviceaccount=default:default")
    made = '{"metadata":{"name":"from-inside"},"data":{"a":"b"}}'
    place = "/api/v1/namespaces/default/configmaps"
    write = f"{ASK}{place} -X POST -H 'Content-Type: application/json' -d '{made}'"
    assert json.loads(inside.kubectl("exec", "inside", "--", "sh", "-c", write))["kind"] == "ConfigMap"
    assert inside.kubectl("get", "configmap", "from-inside", "-o", "jsonpath={.data.a}") == "b"
    read = f"{ASK}{place}/from-inside"
    assert json.loads(inside.kubectl("exec", "inside", "--", "sh", "-c", read))["data"] == {"a": "b"}
    inside.kubectl("delete", "configmap/from-inside", "role/keeper", "rolebinding/keeper")


def test_without_a_token_it_is_nobody_and_elsewhere_nobody_listens(inside: Cluster) -> None:
    anonymous = "curl -sk https://kubernetes.default.svc/api/v1/pods"
    refused = json.loads(inside.kubectl("exec", "inside", "--", "sh", "-c", anonymous))
    assert refused["code"] == 403 and "system:anonymous" in refused["message"]
    code = "curl -sk -o /dev/null https://kubernetes.default.svc:8443/; echo $?"
    assert inside.kubectl("exec", "inside", "--", "sh", "-c", code) == "7\n"


def test_a_watch_gives_what_came_until_the_client_has_had_enough(inside: Cluster) -> None:
    inside.kubectl("create", "role", "watcher", "--verb=watch", "--resource=pods")
    inside.kubectl("create", "rolebinding", "watcher", "--role=watcher", "--serviceaccount=default:default")
    watch = f"{ASK}'/api/v1/namespaces/default/pods?watch=1&timeoutSeconds=1'"
    text = inside.kubectl("exec", "inside", "--", "sh", "-c", watch)
    assert json.loads(text.splitlines()[0])["object"]["metadata"]["name"] == "inside"
    inside.kubectl("delete", "role/watcher", "rolebinding/watcher")
