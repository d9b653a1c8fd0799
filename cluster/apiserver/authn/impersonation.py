"""Acting as somebody else: the Impersonate-* headers (`kubectl --as`), each of them authorized on its own.

Called by the authentication stage after the requester is known. Headers may repeat (groups), so it wants the pairs as they
came, with names in lower case, not a mapping. A browser can neither repeat a header, nor say every name in one, nor set any on a
WebSocket: from there it all comes as one token, in a header of our own or among the subprotocols.
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
_EXTRA = "impersonate-extra-"
# Then {"user": …, "groups": […], "uid": …} as JSON in base64url, without padding.
TOKEN = b"base64url.impersonate.kubeweb.dev."
_HEADER = b"x-kubeweb-impersonate"
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
    """What the headers ask to be; 400 when they name no user, or cannot be read. Empty, and cheap, for everybody else."""
    found: list[tuple[str, str]] = []
    for header, sent in headers:
        if header.startswith(_PREFIX):
            found.append((_text(header), _text(sent)))
        elif header == _HEADER or (header == _PROTOCOLS and TOKEN in sent):
            found += _told(sent)
    if not found:
        return []
    result: list[Reference] = []
    user = next((value for name, value in found if name == "impersonate-user" and value), "")
    if user:
        account = _split_account(user)
        result.append(Reference("ServiceAccount", account[1], account[0]) if account else Reference("User", user))
    result += [Reference("Group", value) for name, value in found if name == "impersonate-group"]
    for name, value in found:
        if name.startswith(_EXTRA):
            key = unquote(name[len(_EXTRA) :].lower())
            result.append(Reference("UserExtra", value, "", f"{AUTHENTICATION}/v1", key))
    uid = next((value for name, value in found if name == "impersonate-uid" and value), "")
    if uid:
        result.append(Reference("UID", uid, "", f"{AUTHENTICATION}/v1"))
    if result and not user:
        words = " ".join(str(reference) for reference in result)
        raise errors.bad_request(f"requested [{words}] without impersonating a user")
    return result


def _text(sent: bytes) -> str:
    try:
        return sent.decode()
    except UnicodeDecodeError as error:
        raise errors.bad_request("an Impersonate header is not UTF-8") from error


def _told(words: bytes) -> list[tuple[str, str]]:
    """The headers that a browser's token stands for, which is one of the words between commas; 400 when it cannot be read."""
    said = next((one.strip() for one in words.split(b",") if one.strip().startswith(TOKEN)), b"")
    encoded = said[len(TOKEN) :]
    try:
        asked = orjson.loads(base64.urlsafe_b64decode(encoded + b"=" * (-len(encoded) % 4)))
        user, groups, uid = asked["user"], asked.get("groups", []), asked.get("uid", "")
        texts = [user, uid, *groups]
        if not user or not all(isinstance(one, str) for one in texts):
            raise ValueError("nobody is named")
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise errors.bad_request("the token that says whom to act as cannot be read") from error
    return [("impersonate-user", user), ("impersonate-uid", uid), *(("impersonate-group", group) for group in groups)]


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
