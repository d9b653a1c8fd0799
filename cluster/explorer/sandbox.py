"""A sandbox in one click: asks the API for a Sandbox as the person, and waits until it is there. Asking again finds the same one."""

from __future__ import annotations

import asyncio
import re

from asgiref.sync import async_to_sync
from django.conf import settings
from rest_framework.request import Request
from rest_framework.response import Response

from cluster.apimachinery.errors import StatusError, is_already_exists
from cluster.client.client import Client, Obj
from cluster.explorer.asking import Asker, ExplorerView
from cluster.explorer.permissions import may

SANDBOXES = "sim.kubeweb.dev/v1alpha1/sandboxes"
# Seconds (real) to wait for the namespace to be ready, and names to try when somebody else has the first.
PATIENCE, TRIES = 10.0, 20


def name_for(user: str) -> str:
    """A name for the sandbox of a person: what a namespace may be called."""
    return re.sub(r"[^a-z0-9]+", "-", user.lower()).strip("-")[:40].strip("-") or "person"


class SandboxView(ExplorerView):
    """GET: one's sandboxes, how many one may have (`limit`) and whether one more would be given (`more`).

    POST: one's sandbox, made where there is none; with `another`, one more. A sandbox is given back by deleting the object.
    """

    def get(self, request: Request) -> Response:
        return Response(async_to_sync(self._state)(self.asker))

    def post(self, request: Request) -> Response:
        another = isinstance(request.data, dict) and request.data.get("another") is True
        try:
            found, made = async_to_sync(self._get_or_make)(self.asker, another=another)
        except StatusError as error:
            return Response(error.status, status=error.code)
        return Response(_told(found), status=201 if made else 200)

    @staticmethod
    async def _state(who: Asker) -> Obj:
        limit = int(settings.KUBEWEB_SANDBOXES)
        try:
            mine = await _of(who)
        except StatusError as error:
            if error.code != 403:
                raise
            return {"sandboxes": [], "limit": limit, "more": False}
        more = len(mine) < limit and await may(who.client, "create", "sim.kubeweb.dev", "sandboxes")
        return {"sandboxes": [_told(one) for one in mine], "limit": limit, "more": more}

    async def _get_or_make(self, who: Asker, *, another: bool) -> tuple[Obj, bool]:
        mine = [] if another else await _of(who)
        if mine:
            return await _ready(who.client, mine[0]["metadata"]["name"]), False
        return await _ready(who.client, await self._make(who.client, who.name)), True

    @staticmethod
    async def _make(client: Client, owner: str) -> str:
        base = name_for(owner)
        for number in range(1, TRIES + 1):
            name = base if number == 1 else f"{base}-{number}"
            sandbox = {
                "apiVersion": "sim.kubeweb.dev/v1alpha1",
                "kind": "Sandbox",
                "metadata": {"name": name},
                "spec": {"user": owner},
            }
            try:
                await client.create(SANDBOXES, sandbox)
                return name
            except StatusError as error:
                # Somebody whose name looks the same was first.
                if not is_already_exists(error):
                    raise
        raise StatusError(409, "AlreadyExists", f"there are {TRIES} sandboxes named like {base}")


async def _of(who: Asker) -> list[Obj]:
    """The sandboxes of one person. StatusError for whom RBAC lets see none."""
    page = await who.client.list(SANDBOXES)
    return [
        one
        for one in page.items
        if one["spec"].get("user") == who.name and not one["metadata"].get("deletionTimestamp")
    ]


async def _ready(client: Client, name: str) -> Obj:
    """The Sandbox once its namespace is there (or it is clear that it will not be)."""
    sandbox = await client.get(SANDBOXES, name)
    if (sandbox.get("status") or {}).get("phase") in ("Ready", "Failed"):
        return sandbox
    try:
        async with asyncio.timeout(PATIENCE):
            watch = client.watch(
                SANDBOXES,
                field_selector=f"metadata.name={name}",
                resource_version=sandbox["metadata"]["resourceVersion"],
            )
            async for batch in watch:
                for event in batch:
                    sandbox = event.object
                    if (sandbox.get("status") or {}).get("phase") in ("Ready", "Failed"):
                        return sandbox
    except TimeoutError:
        pass
    return sandbox


def _told(sandbox: Obj) -> Obj:
    status = sandbox.get("status") or {}
    return {
        "name": sandbox["metadata"]["name"],
        "user": sandbox["spec"].get("user", ""),
        "namespace": status.get("namespace", ""),
        "phase": status.get("phase", "Pending"),
        "message": status.get("message", ""),
    }
