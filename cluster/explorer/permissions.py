"""What the explorer lets somebody see beyond their own: asked of RBAC, like everything."""

from __future__ import annotations

from asgiref.sync import async_to_sync

from cluster.apimachinery.errors import StatusError
from cluster.client.client import Client
from cluster.explorer.services import services


async def may(client: Client, verb: str, group: str, resource: str, namespace: str = "") -> bool:
    """Whether RBAC allows this to the user of a client, asked through the API as that one. Without a namespace: everywhere."""
    review = {
        "apiVersion": "authorization.k8s.io/v1",
        "kind": "SelfSubjectAccessReview",
        "spec": {"resourceAttributes": {"verb": verb, "group": group, "resource": resource, "namespace": namespace}},
    }
    try:
        answer = await client.create("authorization.k8s.io/v1/selfsubjectaccessreviews", review)
    except StatusError:
        return False
    return bool(answer["status"]["allowed"])


def namespaces_of(client: Client) -> list[str]:
    """Where the user of a client has rights of their own: what they may not see everywhere, they may see there."""
    return sorted(scope for scope in services().rights(client) if scope)


def may_see_all_journeys(client: Client) -> bool:
    """For views, which run in threads."""
    return async_to_sync(may)(client, "list", "sim.kubeweb.dev", "journeys")


def may_see_all_audit_events(client: Client) -> bool:
    """For views, which run in threads."""
    return async_to_sync(may)(client, "list", "sim.kubeweb.dev", "auditevents")
