"""What the explorer lets a person see beyond their own: asked of RBAC, like everything."""

from __future__ import annotations

from typing import Any

from asgiref.sync import async_to_sync, sync_to_async

from cluster.apimachinery.errors import StatusError
from cluster.client.client import Client
from cluster.explorer.services import services


async def may(user: Any, verb: str, group: str, resource: str, namespace: str = "") -> bool:
    """Whether RBAC allows this, asked through the API as that person. Without a namespace: everywhere."""
    review = {
        "apiVersion": "authorization.k8s.io/v1",
        "kind": "SelfSubjectAccessReview",
        "spec": {"resourceAttributes": {"verb": verb, "group": group, "resource": resource, "namespace": namespace}},
    }
    try:
        # A person's groups are in the database, which wants a thread.
        client = await sync_to_async(services().client_for)(user)
        answer = await client.create("authorization.k8s.io/v1/selfsubjectaccessreviews", review)
    except StatusError:
        return False
    return bool(answer["status"]["allowed"])


def namespaces_of(client: Client) -> list[str]:
    """Where the user of a client has rights of their own: what they may not see everywhere, they may see there."""
    return sorted(scope for scope in services().rights(client) if scope)


def may_see_all_journeys(user: Any) -> bool:
    """For views, which run in threads."""
    return bool(async_to_sync(may)(user, "list", "sim.kubeweb.dev", "journeys"))


def may_see_all_audit_events(user: Any) -> bool:
    """For views, which run in threads."""
    return bool(async_to_sync(may)(user, "list", "sim.kubeweb.dev", "auditevents"))
