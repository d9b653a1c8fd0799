"""IPAddress objects follow the Services within the Services' own requests, and are repaired when they do not."""

from __future__ import annotations

import asyncio
from typing import Any

import orjson
import pytest

from cluster.apimachinery.errors import StatusError
from cluster.apiserver.addresses import ADDRESSES
from cluster.etcd.log import CommitFailed, Write
from tests.support.stage import Stage, play

Obj = dict[str, Any]
SERVICES, KEY = "v1/services", "networking.k8s.io/ipaddresses"


def service(name: str, **spec: Any) -> Obj:
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": name, "namespace": "default"},
        "spec": {"ports": [{"port": 80}], **spec},
    }


def addresses(stage: Stage) -> dict[str, str]:
    """Address → the Service that it is said to belong to, but for the API server's own."""
    found = {one["metadata"]["name"]: one["spec"]["parentRef"]["name"] for one in stage.world.list(KEY)}
    assert found.pop("10.96.0.1") == "kubernetes"
    return found


def story(stage: Stage, *resources: str) -> list[tuple[str, str]]:
    """What was written, in order."""
    return [(one.verb, one.resource) for one in stage.world.log._revisions if one.resource in resources]


def test_an_address_is_there_when_its_service_is_answered_and_gone_when_its_deletion_is() -> None:
    async def scenario(stage: Stage) -> None:
        before = len(story(stage, "services", KEY))
        made = await stage.create(SERVICES, service("web"))
        assert addresses(stage) == {made["spec"]["clusterIP"]: "web"}
        await stage.admin.delete(SERVICES, "web", "default")
        assert addresses(stage) == {}
        assert story(stage, "services", KEY)[before:] == [
            ("create", KEY),
            ("create", "services"),
            ("delete", "services"),
            ("delete", KEY),
        ]

    play(scenario)


def test_a_service_that_waits_for_its_finalizer_keeps_its_address() -> None:
    async def scenario(stage: Stage) -> None:
        manifest = service("web", clusterIP="10.96.0.50")
        manifest["metadata"]["finalizers"] = ["example.com/waits"]
        await stage.create(SERVICES, manifest)
        await stage.admin.delete(SERVICES, "web", "default")
        assert addresses(stage) == {"10.96.0.50": "web"}
        await stage.admin.patch(SERVICES, "web", {"metadata": {"finalizers": None}}, "default")
        assert addresses(stage) == {}

    play(scenario)


def test_a_change_of_type_gives_the_address_back_and_another_takes_one() -> None:
    async def scenario(stage: Stage) -> None:
        await stage.create(SERVICES, service("web", clusterIP="10.96.0.50"))
        outside = {
            "spec": {"type": "ExternalName", "externalName": "example.com", "clusterIP": None, "clusterIPs": None}
        }
        await stage.admin.patch(SERVICES, "web", outside, "default")
        assert addresses(stage) == {}
        inside = {"spec": {"type": "ClusterIP", "externalName": None, "clusterIP": "10.96.0.51"}}
        await stage.admin.patch(SERVICES, "web", inside, "default")
        assert addresses(stage) == {"10.96.0.51": "web"}

    play(scenario)


def test_headless_services_and_dry_runs_have_none() -> None:
    async def scenario(stage: Stage) -> None:
        await stage.create(SERVICES, service("headless", clusterIP="None"))
        await stage.admin.create(SERVICES, service("tried"), "default", dry_run=True)
        assert addresses(stage) == {}

    play(scenario)


def test_a_service_that_cannot_be_written_leaves_no_address(monkeypatch: pytest.MonkeyPatch) -> None:
    async def scenario(stage: Stage) -> None:
        submit = stage.world.log.submit

        def full(write: Write) -> asyncio.Future[Any]:
            if write.resource != "services":
                found: asyncio.Future[Any] = submit(write)
                return found
            failed: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
            failed.set_exception(CommitFailed("disk full"))
            return failed

        with monkeypatch.context() as patched:
            patched.setattr(stage.world.log, "submit", full)
            with pytest.raises(StatusError):
                await stage.create(SERVICES, service("web", clusterIP="10.96.0.50"))
        assert addresses(stage) == {}
        await stage.create(SERVICES, service("web", clusterIP="10.96.0.50"))
        assert addresses(stage) == {"10.96.0.50": "web"}

    play(scenario)


def test_a_client_that_goes_away_leaves_nothing_half_written() -> None:
    async def scenario(stage: Stage) -> None:
        request = asyncio.create_task(stage.create(SERVICES, service("web", clusterIP="10.96.0.50")))

        def claimed(old: Obj | None, new: Obj | None) -> None:
            if new is not None and new["metadata"]["name"] == "10.96.0.50":
                assert stage.there("web", "services") is None
                request.cancel()

        stage.world.storage.on_change(KEY, claimed)
        with pytest.raises(asyncio.CancelledError):
            await request
        await stage.until(lambda: stage.there("web", "services"))
        assert addresses(stage) == {"10.96.0.50": "web"}

    play(scenario)


def test_an_address_that_somebody_holds_by_hand_is_not_given_out() -> None:
    async def scenario(stage: Stage) -> None:
        parent = {"group": "", "resource": "services", "namespace": "default", "name": "other"}
        held = {"metadata": {"name": "10.96.0.50"}, "spec": {"parentRef": parent}}
        await stage.admin.create(ADDRESSES, {"apiVersion": "networking.k8s.io/v1", "kind": "IPAddress", **held})
        with pytest.raises(StatusError, match="provided IP is already allocated"):
            await stage.create(SERVICES, service("web", clusterIP="10.96.0.50"))
        with pytest.raises(StatusError, match=r"spec\.parentRef: Required value"):
            await stage.admin.create(ADDRESSES, {**held, "metadata": {"name": "10.96.0.51"}, "spec": {}})

    play(scenario)


def test_what_a_crash_left_and_what_was_deleted_by_hand_is_repaired() -> None:
    async def scenario(stage: Stage) -> None:
        await stage.create(SERVICES, service("web", clusterIP="10.96.0.50"))
        await stage.admin.delete(ADDRESSES, "10.96.0.50")
        await stage.until(lambda: addresses(stage) == {"10.96.0.50": "web"})

        # A claim whose Service was never written, as a crash between the two leaves it.
        left = {**stage.world.storage.get(KEY, "", "10.96.0.50")}
        left["metadata"] = {**left["metadata"], "name": "10.96.0.51", "uid": "left"}
        await stage.world.log.submit(Write(KEY, "", "10.96.0.51", orjson.dumps(left), "create", 0))
        assert "10.96.0.51" in addresses(stage)
        stage.world.server.addresses.ring()
        await stage.until(lambda: addresses(stage) == {"10.96.0.50": "web"})

    play(scenario)
