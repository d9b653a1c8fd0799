"""Addresses and ports of Services: given once at a time, and free again when nobody has them."""

from __future__ import annotations

import asyncio
import ipaddress
from typing import Any

import pytest

from cluster.apimachinery.errors import StatusError
from tests.support.stage import Stage, play

Obj = dict[str, Any]
SERVICES = "v1/services"


def service(name: str, ip: str = "", node_port: int = 0, **spec: Any) -> Obj:
    port: Obj = {"port": 80, **({"nodePort": node_port} if node_port else {})}
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": name, "namespace": "default"},
        "spec": {"ports": [port], **({"clusterIP": ip} if ip else {}), **spec},
    }


def test_an_address_can_be_chosen_again_once_its_service_is_gone() -> None:
    async def scenario(stage: Stage) -> str:
        await stage.create(SERVICES, service("fixed", "10.96.0.77", 30123, type="NodePort"))
        with pytest.raises(StatusError, match="provided IP is already allocated"):
            await stage.create(SERVICES, service("second", "10.96.0.77"))
        with pytest.raises(StatusError, match="provided port is already allocated"):
            await stage.create(SERVICES, service("second", node_port=30123, type="NodePort"))
        await stage.world.admin.delete(SERVICES, "fixed", "default")
        again = await stage.create(SERVICES, service("fixed", "10.96.0.77", 30123, type="NodePort"))
        return str(again["spec"]["clusterIP"])

    assert play(scenario) == "10.96.0.77"


def test_a_dry_run_takes_nothing() -> None:
    async def scenario(stage: Stage) -> str:
        await stage.world.admin.create(SERVICES, service("tried", "10.96.0.78"), "default", dry_run=True)
        made = await stage.create(SERVICES, service("made", "10.96.0.78"))
        return str(made["spec"]["clusterIP"])

    assert play(scenario) == "10.96.0.78"


def test_a_full_range_goes_on_in_another_that_is_ready(monkeypatch: pytest.MonkeyPatch) -> None:
    async def scenario(stage: Stage) -> list[str]:
        # As if the cluster had come with this range, and its own had been added.
        monkeypatch.setattr("cluster.apiserver.admission.services.CIDR", ipaddress.ip_network("10.99.0.0/30"))
        found = [await stage.create(SERVICES, service(f"s{number}")) for number in range(3)]
        return [str(one["spec"]["clusterIP"]) for one in found]

    first, second, third = play(scenario)
    assert (first, second) == ("10.99.0.1", "10.99.0.2")
    assert third.startswith("10.96.")


def test_of_two_that_choose_an_address_at_once_one_gets_it() -> None:
    async def scenario(stage: Stage) -> list[Any]:
        return await asyncio.gather(
            *(stage.create(SERVICES, service(name, "10.96.0.77")) for name in ("one", "two")), return_exceptions=True
        )

    first, second = play(scenario)
    assert first["spec"]["clusterIP"] == "10.96.0.77"
    assert isinstance(second, StatusError) and "provided IP is already allocated" in second.message


def test_of_two_that_are_given_the_same_address_one_is_given_another(monkeypatch: pytest.MonkeyPatch) -> None:
    async def scenario(stage: Stage) -> list[Obj]:
        # The least of a range, without a throw of the dice: all take the same first.
        monkeypatch.setattr("cluster.apiserver.admission.services.CIDR", ipaddress.ip_network("10.99.0.0/28"))
        return await asyncio.gather(*(stage.create(SERVICES, service(f"s{number}")) for number in range(5)))

    given = {one["spec"]["clusterIP"] for one in play(scenario)}
    assert given == {f"10.99.0.{number}" for number in range(1, 6)}


@pytest.mark.parametrize("address", ["10.96.0.0", "10.96.255.255", "10.97.0.1"])
def test_an_address_that_no_range_gives_out_is_refused(address: str) -> None:
    async def scenario(stage: Stage) -> None:
        with pytest.raises(StatusError, match="is not in the valid range"):
            await stage.create(SERVICES, service("web", address))

    play(scenario)
