"""Credentials for registries: anybody may write a Secret, so anything may stand in it."""

from __future__ import annotations

import base64
from types import SimpleNamespace

import pytest

from cluster.apimachinery.errors import not_found
from cluster.kubelet.pullsecrets import hosts, registries

CONFIG = b'{"auths": {"https://one.example/v1/": {}, "two.example:5000": {}}}'


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        ({".dockerconfigjson": CONFIG}, {"one.example", "two.example"}),
        ({".dockercfg": b'{"three.example": {}}'}, {"three.example"}),
        ({".dockerconfigjson": b'{"auths": null}'}, set()),
        ({}, set()),
    ],
)
def test_hosts(data, expected):
    assert hosts(data) == expected


@pytest.mark.parametrize("text", [b"[]", b"1", b'{"auths": [1]}', b"{", b"\xff", b'{"auths": {"[": {}}}'])
def test_what_is_no_table_of_registries(text):
    with pytest.raises(ValueError):
        hosts({".dockerconfigjson": text})


async def test_what_cannot_be_had_is_told_and_what_has_no_name_passed_over():
    secrets = {
        "good": {"data": {".dockerconfigjson": base64.b64encode(CONFIG).decode()}},
        "odd": {"data": {".dockerconfigjson": base64.b64encode(b"[]").decode()}},
    }
    told = []

    async def get(path, name, namespace):
        if name not in secrets:
            raise not_found("secrets", "", name)
        return secrets[name]

    references = [{"name": "good"}, {"name": "odd"}, {"name": "gone"}, {}, {"name": ""}]
    pod = {"metadata": {"namespace": "a"}, "spec": {"imagePullSecrets": references}}
    events = SimpleNamespace(event=lambda pod, kind, reason, text: told.append((reason, text)))
    worker = SimpleNamespace(pod=pod, kubelet=SimpleNamespace(client=SimpleNamespace(get=get), events=events))
    assert await registries(worker) == {"one.example", "two.example"}
    ((reason, text),) = told
    assert reason == "FailedToRetrieveImagePullSecret" and "(odd, gone)" in text


@pytest.mark.parametrize("key", [".dockerconfigjson", ".dockercfg"])
def test_what_is_nested_without_end_is_no_table_either(key):
    with pytest.raises(ValueError, match="exceeded max depth"):
        hosts({key: b'{"a":' * 100_000 + b"1" + b"}" * 100_000})
