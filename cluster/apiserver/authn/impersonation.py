"""Acting as somebody else: the Impersonate-* headers (`kubectl --as`), each of them authorized on its own.

Called by the authentication stage after the requester is known. Headers may repeat (groups), so it wants the pairs as they
came, with names in lower case, not a mapping. A browser cannot set headers on a WebSocket: there the same stands among the subprotocols.
"""

from __future__ import annotations

import base64
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol
from urllib.parse import unquote

import orjson

from cluster.apimachinery import errors
from cluster.apiserver.authz.rbac import Decision, forbidden
from cluster.apiserver.request import ANONYMOUS, RequestInfo, UserInfo

AUTHENTICATION = "authentication.k8s.io"
_PREFIX = b"impersonate-"
_EXTRA = b"impersonate-extra-"
# A browser cannot repeat a header: all groups in one, with commas between.
_GROUPS = b"x-kubeweb-impersonate-groups"
# {"user": …, "groups": […]} as JSON in base64url, without padding.
WEBSOCKET = b"base64url.impersonate.kubeweb.dev."
_PROTOCOLS = b"sec-websocket-protocol"
_ACCOUNT = "system:serviceaccount:"


class Authorizes(Protocol):
    def authorize(self, user: UserInfo, info: RequestInfo) -> Decision: ...


@dataclass(frozen=True, slots=True)
class Reference:
    """One thing to be impersonated: a ServiceAccount, User, Group, UserExtra or UID."""

    kind: str
    name: str
    namespace: str = ""
    api_version: str = ""
    key: str = ""

    def __str__(self) -> str:
        return f"{{{self.kind} {self.namespace} {self.name}  {self.api_version}  {self.key}}}"


def requested(headers: Iterable[tuple[bytes, bytes]]) -> list[Reference]:
    """What the headers ask to be; 400 when they name no user. Empty, and cheap, for everybody else."""
    found: list[tuple[bytes, bytes]] = []
    for name, value in headers:
        if name.startswith(_PREFIX) or name == _GROUPS:
            found.append((name, value))
        elif name == _PROTOCOLS and WEBSOCKET in value:
            found += _offered(value)
    if not found:
        return []
    result: list[Reference] = []
    user = next((value.decode() for name, value in found if name == b"impersonate-user" and value), "")
    if user:
        account = _split_account(user)
        result.append(Reference("ServiceAccount", account[1], account[0]) if account else Reference("User", user))
    result += [Reference("Group", value.decode()) for name, value in found if name == b"impersonate-group"]
    result += [
        Reference("Group", group.strip())
        for name, value in found
        if name == _GROUPS
        for group in value.decode().split(",")
        if group.strip()
    ]
    for name, value in found:
        if name.startswith(_EXTRA):
            key = unquote(name[len(_EXTRA) :].decode().lower())
            result.append(Reference("UserExtra", value.decode(), "", f"{AUTHENTICATION}/v1", key))
    uid = next((value.decode() for name, value in found if name == b"impersonate-uid" and value), "")
    if uid:
        result.append(Reference("UID", uid, "", f"{AUTHENTICATION}/v1"))
    if result and not user:
        words = " ".join(str(reference) for reference in result)
        raise errors.bad_request(f"requested [{words}] without impersonating a user")
    return result


def _offered(protocols: bytes) -> list[tuple[bytes, bytes]]:
    """The headers that stand among a WebSocket's subprotocols; 400 when they cannot be read."""
    said = next((one.strip() for one in protocols.split(b",") if one.strip().startswith(WEBSOCKET)), b"")
    encoded = said[len(WEBSOCKET) :]
    try:
        asked = orjson.loads(base64.urlsafe_b64decode(encoded + b"=" * (-len(encoded) % 4)))
        user, groups = asked["user"], asked.get("groups", [])
        if not user:
            raise ValueError("nobody is named")
        return [
            (b"impersonate-user", user.encode()),
            *((b"impersonate-group", group.encode()) for group in groups),
        ]
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise errors.bad_request("the subprotocol that says whom to act as cannot be read") from error


def impersonate(user: UserInfo, headers: Iterable[tuple[bytes, bytes]], authorizer: Authorizes) -> UserInfo:
    """The user to go on as: `user` itself without the headers; 403 when it may not be one of those it asks to be."""
    references = requested(headers)
    if not references:
        return user
    name, uid = "", ""
    groups: list[str] = []
    implied: list[str] = []
    extra: dict[str, tuple[str, ...]] = {}
    for reference in references:
        info = _request(reference)
        decision = authorizer.authorize(user, info)
        if not decision.allowed:
            raise forbidden(user, info, decision)
        match reference.kind:
            case "ServiceAccount":
                name = f"{_ACCOUNT}{reference.namespace}:{reference.name}"
                implied = ["system:serviceaccounts", f"system:serviceaccounts:{reference.namespace}"]
            case "User":
                name = reference.name
            case "Group":
                groups.append(reference.name)
            case "UserExtra":
                extra[reference.key] = (*extra.get(reference.key, ()), reference.name)
            case _:
                uid = reference.name
    groups = groups or implied
    if name == ANONYMOUS.name:
        if "system:unauthenticated" not in groups:
            groups.append("system:unauthenticated")
    elif "system:authenticated" not in groups and "system:unauthenticated" not in groups:
        groups.append("system:authenticated")
    return UserInfo(name, tuple(groups), uid, extra)


def _request(reference: Reference) -> RequestInfo:
    resources = {
        "ServiceAccount": "serviceaccounts",
        "User": "users",
        "Group": "groups",
        "UserExtra": "userextras",
        "UID": "uids",
    }
    return RequestInfo(
        "",
        "impersonate",
        True,
        AUTHENTICATION if reference.api_version else "",
        "v1",
        namespace=reference.namespace,
        resource=resources[reference.kind],
        subresource=reference.key,
        name=reference.name,
    )


def _split_account(user: str) -> tuple[str, str] | None:
    parts = user.split(":")
    if user.startswith(_ACCOUNT) and len(parts) == 4 and parts[2] and parts[3]:
        return parts[2], parts[3]
    return None
