"""Sandboxes: for whoever asks, as many as the settings allow, and nobody else's to take away."""

from __future__ import annotations

from django.conf import settings

from cluster.apiserver.admission.plugin import Plugin, refuse
from cluster.apiserver.authz.rbac import MASTERS
from cluster.apiserver.request import Attributes, RequestInfo

SANDBOXES = "sim.kubeweb.dev/sandboxes"


class SandboxOwner(Plugin):
    """A Sandbox belongs to a person: whoever asks, or somebody that whoever asks may act as."""

    name = "SandboxOwner"
    resources = frozenset({SANDBOXES})
    operations = frozenset({"CREATE", "DELETE"})

    def admit(self, attributes: Attributes) -> str | None:
        if attributes.obj is None or attributes.operation != "CREATE":
            return None
        spec = attributes.obj.setdefault("spec", {})
        if spec.get("user"):
            return None
        spec["user"] = attributes.user.name
        return f"for {attributes.user.name}"

    def validate(self, attributes: Attributes) -> None:
        user = attributes.user.name
        if attributes.operation == "DELETE":
            owner = ((attributes.old or {}).get("spec") or {}).get("user", "")
            if owner != user and not self._acts_as(attributes, owner):
                raise refuse(attributes, f'it belongs to "{owner}"')
            return
        assert attributes.obj is not None
        owner = attributes.obj["spec"]["user"]
        if owner.startswith("system:"):
            raise refuse(attributes, "a sandbox is for a person")
        if owner != user and not self._acts_as(attributes, owner):
            raise refuse(
                attributes, f'user "{user}" may not ask for user "{owner}": that takes the right to impersonate them'
            )
        limit = int(settings.KUBEWEB_SANDBOXES)
        known = {one["metadata"]["name"]: one for one in attributes.reader.list(SANDBOXES)}
        # What other requests are writing at this moment counts, too: many at once get no more than one after the other.
        known |= {one["metadata"]["name"]: one for one in attributes.reader.underway(SANDBOXES, "")}
        held = sum(one["spec"].get("user") == owner for one in known.values())
        if held >= limit:
            raise refuse(attributes, f'user "{owner}" has {held} of {limit} sandbox{"es" if limit != 1 else ""}')

    @staticmethod
    def _acts_as(attributes: Attributes, owner: str) -> bool:
        # The cluster's own garbage collector and whoever may be anybody.
        if MASTERS in attributes.user.groups:
            return True
        return attributes.may(RequestInfo("", "impersonate", True, "", "v1", resource="users", name=owner))
