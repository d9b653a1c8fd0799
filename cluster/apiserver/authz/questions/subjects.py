"""About whom a question is, and whether one may ask it about them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from asgiref.sync import sync_to_async

from cluster.apiserver.authn import people
from cluster.apiserver.authz.rbac import Decision, forbidden
from cluster.apiserver.request import Obj, RequestInfo, UserInfo

if TYPE_CHECKING:
    from cluster.apiserver.server import APIServer

AUTHORIZATION = "authorization.k8s.io"
ACCOUNT = "system:serviceaccount:"
AUTHENTICATED = "system:authenticated"


async def asked_about(server: APIServer, user: UserInfo, spec: Obj, namespace: str) -> tuple[UserInfo, str]:
    """The user in question: whoever asks, when the spec names nobody. 403 without the right to ask about others.

    With it, as `require_reviews`, the one namespace that whoever asks may hear about; about oneself one may hear everything.
    """
    account = spec.get("serviceAccount")
    if not account and not spec.get("user") and not spec.get("groups"):
        return user, ""
    if account:
        who = service_account(account["namespace"], account["name"])
    else:
        who = await person(spec.get("user") or "", spec.get("groups"))
    if (who.name, who.groups) != (user.name, user.groups):
        return who, require_reviews(server, user, namespace)
    return who, ""


def require_reviews(server: APIServer, user: UserInfo, namespace: str) -> str:
    """403 unless the user may create SubjectAccessReviews, or LocalSubjectAccessReviews in that namespace.

    The namespace to which the answer must be confined; empty when the user may ask about all.
    """
    anywhere = _review("subjectaccessreviews", "")
    decision = server.authorizer.authorize(user, anywhere)
    if decision.allowed:
        return ""
    if namespace and server.authorizer.authorize(user, _review("localsubjectaccessreviews", namespace)).allowed:
        return namespace
    error = forbidden(user, anywhere, Decision(False, decision.reason))
    error.considered = server.authorizer.explain(user, anywhere)
    raise error


def _review(resource: str, namespace: str) -> RequestInfo:
    return RequestInfo("", "create", True, AUTHORIZATION, "v1", namespace=namespace, resource=resource)


async def person(name: str, groups: list[str] | None) -> UserInfo:
    """A user by name, with these groups, or else with those that a login would give."""
    if groups:
        return UserInfo(name, tuple(groups))
    parts = name.split(":")
    if name.startswith(ACCOUNT) and len(parts) == 4:
        return service_account(parts[2], parts[3])
    return UserInfo(name, await sync_to_async(people.groups_of)(name) or (AUTHENTICATED,))


def service_account(namespace: str, name: str) -> UserInfo:
    groups = ("system:serviceaccounts", f"system:serviceaccounts:{namespace}", AUTHENTICATED)
    return UserInfo(f"{ACCOUNT}{namespace}:{name}", groups)


async def of_subject(subject: Obj, namespace: str) -> UserInfo:
    """Somebody whom an RBAC subject stands for: of a Group, somebody who is in no other."""
    match subject["kind"]:
        case "ServiceAccount":
            return service_account(subject.get("namespace") or namespace, subject["name"])
        case "Group":
            return UserInfo("", tuple(dict.fromkeys((subject["name"], AUTHENTICATED))))
        case _:
            return await person(subject["name"], None)
