"""The audit log keeps what it was told, tells no secrets, and forgets what is too old or too much."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta

import orjson
import pytest
from asgiref.sync import sync_to_async
from django.utils import timezone

from cluster.apiserver.request import UserInfo
from cluster.audit import log as audit_log
from cluster.audit.events import Record, event
from cluster.audit.files import RotatingFile
from cluster.audit.log import AuditLog, Limits, configured, prune
from cluster.audit.models import AuditEvent
from cluster.audit.policy import BadPolicy

ALICE = UserInfo("alice", ("devs", "system:authenticated"), "u1", {"k": ("v",)})
HIDDEN = "c2VjcmV0LXZhbHVl"
RECORD = Record(
    "Metadata", "j1", "ResponseComplete", "/api/v1/namespaces/shop/pods", "create", ALICE, None, ("10.0.0.1",),
    "kubectl/v1.37", True, "", "v1", "pods", "", "shop", "web", 201, "", "", "allow", "RBAC: allowed by …", 1e9, 1e9 + 0.25,
)  # fmt: skip


def test_an_event_is_what_kubernetes_writes():
    assert event(RECORD) == {
        "kind": "Event",
        "apiVersion": "audit.k8s.io/v1",
        "level": "Metadata",
        "auditID": "j1",
        "stage": "ResponseComplete",
        "requestURI": "/api/v1/namespaces/shop/pods",
        "verb": "create",
        "user": {"username": "alice", "uid": "u1", "groups": ["devs", "system:authenticated"], "extra": {"k": ["v"]}},
        "sourceIPs": ["10.0.0.1"],
        "userAgent": "kubectl/v1.37",
        "objectRef": {"resource": "pods", "namespace": "shop", "name": "web", "apiVersion": "v1"},
        "responseStatus": {"metadata": {}, "code": 201},
        "requestReceivedTimestamp": "2001-09-09T01:46:40.000000Z",
        "stageTimestamp": "2001-09-09T01:46:40.250000Z",
        "annotations": {
            "authorization.k8s.io/decision": "allow",
            "authorization.k8s.io/reason": "RBAC: allowed by …",
        },
    }


@pytest.mark.parametrize(
    ("level", "bodies"),
    [("Metadata", set()), ("Request", {"requestObject"}), ("RequestResponse", {"requestObject", "responseObject"})],
)
def test_bodies_are_told_as_the_level_says(level, bodies):
    told = event(replace(RECORD, level=level, request={"kind": "Pod"}, response={"kind": "Pod"}))
    assert {key for key in told if key.endswith("Object")} == bodies


@pytest.mark.parametrize(
    "changes",
    [
        {"resource": "secrets"},
        {"resource": "serviceaccounts", "subresource": "token"},
        {"resource": "tokenreviews", "group": "authentication.k8s.io"},
        {"resource": "odd", "request": {"kind": "Secret", "data": {"p": HIDDEN}}},
        {"resource": "odd", "response": {"kind": "SecretList", "items": [{"data": {"p": HIDDEN}}]}},
    ],
)
def test_secrets_are_never_told_whatever_the_policy_says(changes):
    body = {"data": {"password": HIDDEN}}
    record = replace(RECORD, **{"level": "RequestResponse", "request": body, "response": body, **changes})
    assert HIDDEN not in orjson.dumps(event(record)).decode()


def test_managed_fields_are_left_out_on_request():
    body = {"metadata": {"name": "web", "managedFields": [{}]}}
    record = replace(RECORD, level="Request", request=body, omit_managed_fields=True)
    assert event(record)["requestObject"] == {"metadata": {"name": "web"}}
    assert "managedFields" in body["metadata"]


@pytest.mark.django_db(transaction=True)
async def test_what_was_recorded_is_there_after_a_clean_stop(tmp_path):
    log = AuditLog(tmp_path / "audit.log")
    await log.start()
    for number in range(5000):
        log.record(replace(RECORD, id=f"j{number}"))
    await log.stop()
    lines = (tmp_path / "audit.log").read_bytes().splitlines()
    assert [orjson.loads(line)["auditID"] for line in lines] == [f"j{number}" for number in range(5000)]
    assert await sync_to_async(AuditEvent.objects.count)() == 5000
    assert (log.written, log.dropped) == (5000, 0)


@pytest.mark.django_db(transaction=True)
async def test_a_full_queue_drops_and_counts(tmp_path, monkeypatch, caplog):
    monkeypatch.setattr(audit_log, "CAPACITY", 10)
    log = AuditLog(tmp_path / "audit.log")
    for _ in range(15):
        log.record(RECORD)
    await log.flush()
    assert (log.written, log.dropped) == (10, 5)
    assert "5 audit events were dropped" in caplog.text


@pytest.mark.django_db(transaction=True)
async def test_what_could_not_be_written_is_written_later(tmp_path, monkeypatch):
    log = AuditLog(tmp_path / "audit.log")
    log.record(RECORD)

    @contextmanager
    def full():
        def write(lines):
            raise OSError("no space left on device")

        yield write

    with monkeypatch.context() as patch:
        patch.setattr(log.file, "batch", full)
        with pytest.raises(OSError, match="no space"):
            await log.flush()
    assert await sync_to_async(AuditEvent.objects.count)() == 0
    await log.flush()
    assert await sync_to_async(AuditEvent.objects.count)() == 1


@pytest.mark.django_db(transaction=True)
async def test_a_watch_is_one_row_and_two_lines(tmp_path):
    log = AuditLog(tmp_path / "audit.log")
    log.record(replace(RECORD, verb="watch", stage="ResponseStarted", is_long=True))
    log.record(replace(RECORD, verb="watch", stage="ResponseComplete", is_long=True))
    await log.flush()
    assert await sync_to_async(AuditEvent.objects.count)() == 1
    assert len((tmp_path / "audit.log").read_bytes().splitlines()) == 2


def test_files_are_turned_and_only_some_are_kept(tmp_path):
    file = RotatingFile(tmp_path / "audit.log", max_bytes=100, backups=2, days=1)

    def append(line):
        with file.batch() as write:
            write(line)

    for number in range(7):
        append(b"%d" % number * 100 + b"\n")
    assert [path.read_bytes()[:1] for path in file.old()] == [b"5", b"6"]
    assert not file.path.exists()
    append(b"x\n")
    assert file.path.stat().st_mode & 0o777 == 0o600


def test_a_batch_that_fails_leaves_the_file_as_it_was(tmp_path):
    file = RotatingFile(tmp_path / "audit.log", max_bytes=10_000_000, backups=2, days=1)
    with file.batch() as write:
        write(b"kept\n")
    with pytest.raises(OSError, match="no space"):
        with file.batch() as write:
            write(b"half a batch\n" * 10_000)
            raise OSError("no space left on device")
    assert file.path.read_bytes() == b"kept\n"


@pytest.mark.django_db
def test_old_rows_and_surplus_rows_are_forgotten():
    now = timezone.now()
    for number in range(10):
        AuditEvent.objects.create(
            at=now - timedelta(days=3 if number < 2 else 0), user="alice", code=200, journey=str(number)
        )
    prune(Limits(rows=100, days=2))
    assert AuditEvent.objects.count() == 8
    prune(Limits(rows=5, days=2))
    assert list(AuditEvent.objects.values_list("journey", flat=True)) == ["9", "8", "7", "6", "5"]


def test_the_policy_comes_from_the_data_directory_or_the_setting(tmp_path):
    wanted = {"enabled": True, "policy": "", "file_megabytes": 1, "files": 1, "rows": 10, "days": 1}
    assert len(configured(wanted, tmp_path).policy.rules) > 1
    (tmp_path / "audit-policy.yaml").write_text(
        "{apiVersion: audit.k8s.io/v1, kind: Policy, rules: [{level: Request}]}"
    )
    assert len(configured(wanted, tmp_path).policy.rules) == 1
    (tmp_path / "other.yaml").write_text("nonsense")
    with pytest.raises(BadPolicy):
        configured({**wanted, "policy": str(tmp_path / "other.yaml")}, tmp_path)
    assert configured({**wanted, "enabled": False}, tmp_path) is None


@pytest.mark.django_db
def test_rows_are_searched_by_what_people_know():
    now = timezone.now()

    def make(**fields):
        return AuditEvent.objects.create(**{"at": now, "user": "alice", "code": 200, "outcome": "allowed", **fields}).pk

    read = make(verb="list", resource="pods", uri="/api/v1/pods")
    refused = make(verb="delete", resource="secrets", code=403, outcome="denied", namespace="shop", name="db-password")
    acting = make(user="root", impersonated="alice", verb="get", resource="nodes")
    old = make(verb="list", resource="pods", at=now - timedelta(hours=2))

    def search(**wanted):
        return [row.pk for row in AuditEvent.objects.search(**wanted)]

    assert search() == [old, acting, refused, read]
    assert search(user="alice", since=now - timedelta(hours=1)) == [acting, refused, read]
    assert search(user="root") == [acting]
    assert search(outcome="denied") == search(code=403) == search(words="PASSWORD") == [refused]
    assert search(verb="list", resource="pods", before=old) == [read]
    assert search(until=now - timedelta(hours=1)) == [old]
