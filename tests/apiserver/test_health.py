"""/livez and /readyz, in Kubernetes' words."""

from __future__ import annotations

import pytest

from cluster.apimachinery.errors import StatusError
from cluster.apiserver import health

WELL = {"etcd": True, "bootstrap": True, "informers": True, "machines": True}


def text(kind, params=None, facts=WELL, name=""):
    answer = health.answer(kind, name, params or {}, facts)
    return answer.code, answer.data.decode()


def test_all_well():
    assert text("readyz") == (200, "ok")
    code, told = text("readyz", {"verbose": [""]})
    assert code == 200 and told.endswith("\nreadyz check passed\n")
    assert "[+]poststarthook/rbac/bootstrap-roles ok\n" in told and "[+]informer-sync ok\n" in told


def test_alive_before_it_is_ready_to_be_asked():
    starting = {"etcd": True, "bootstrap": True, "informers": False, "machines": False}
    assert text("livez", facts=starting) == (200, "ok")
    code, told = text("readyz", facts=starting)
    assert code == 500
    assert "[-]informer-sync failed: reason withheld\n" in told and told.endswith("\nreadyz check failed\n")


def test_exclusions_and_those_that_exclude_nothing():
    broken = {**WELL, "etcd": False}
    code, told = text("livez", {"exclude": ["etcd", "nope"], "verbose": [""]}, broken)
    assert code == 200 and "[+]etcd excluded: ok\n" in told
    assert 'warn: some health checks cannot be excluded: no matches for "nope"\n' in told


def test_one_check():
    assert text("readyz", name="etcd") == (200, "ok")
    assert text("readyz", name="etcd", facts={**WELL, "etcd": False})[0] == 500
    with pytest.raises(StatusError) as refused:
        text("livez", name="informer-sync")
    assert refused.value.code == 404
