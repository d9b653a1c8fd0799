"""`kubectl --as`: every part of the other identity is authorized on its own."""

from __future__ import annotations

import base64
import json

import pytest

from cluster.apimachinery.errors import StatusError
from cluster.apiserver.authn.impersonation import impersonate
from cluster.apiserver.authz.rbac import Decision
from cluster.apiserver.request import UserInfo

ADMIN = UserInfo("admin", ("system:masters",))


class Only:
    """Allows what it is told, and remembers what it was asked."""

    def __init__(self, *allowed):
        self.allowed, self.asked = allowed, []

    def authorize(self, user, info):
        what = "/".join(part for part in (info.group, info.resource, info.subresource) if part)
        self.asked.append((info.verb, what, info.namespace, info.name))
        return Decision("*" in self.allowed or what in self.allowed)


def headers(**values):
    pairs = [(b"accept", b"*/*")]
    for name, value in values.items():
        for one in value if isinstance(value, list) else [value]:
            pairs.append((b"impersonate-" + name.replace("_", "-").encode(), one.encode()))
    return pairs


def test_without_headers_one_is_oneself():
    only = Only()
    assert impersonate(ADMIN, headers(), only) is ADMIN
    assert only.asked == []


@pytest.mark.parametrize(
    ("sent", "name", "groups"),
    [
        ({"user": "bob"}, "bob", ("system:authenticated",)),
        ({"user": "bob", "group": ["devs", "ops"]}, "bob", ("devs", "ops", "system:authenticated")),
        ({"user": "bob", "group": "system:authenticated"}, "bob", ("system:authenticated",)),
        ({"user": "bob", "group": "system:unauthenticated"}, "bob", ("system:unauthenticated",)),
        ({"user": "system:anonymous"}, "system:anonymous", ("system:unauthenticated",)),
        (
            {"user": "system:serviceaccount:shop:robot"},
            "system:serviceaccount:shop:robot",
            ("system:serviceaccounts", "system:serviceaccounts:shop", "system:authenticated"),
        ),
        (
            {"user": "system:serviceaccount:shop:robot", "group": "g"},
            "system:serviceaccount:shop:robot",
            ("g", "system:authenticated"),
        ),
        ({"user": "system:serviceaccount:broken"}, "system:serviceaccount:broken", ("system:authenticated",)),
    ],
)
def test_who_one_becomes(sent, name, groups):
    user = impersonate(ADMIN, headers(**sent), Only("*"))
    assert (user.name, user.groups) == (name, groups)


def test_uid_and_extra():
    sent = headers(user="bob", uid="u-1", **{"extra_scopes": ["a", "b"], "extra_acme.com%2Fproject": "p"})
    user = impersonate(ADMIN, sent, Only("*"))
    assert user.uid == "u-1"
    assert user.extra == {"scopes": ("a", "b"), "acme.com/project": ("p",)}


def test_each_part_is_asked_for():
    only = Only("*")
    sent = headers(user="system:serviceaccount:shop:robot", group=["devs"], uid="u", extra_scopes="s")
    impersonate(ADMIN, sent, only)
    assert only.asked == [
        ("impersonate", "serviceaccounts", "shop", "robot"),
        ("impersonate", "groups", "", "devs"),
        ("impersonate", "authentication.k8s.io/userextras/scopes", "", "s"),
        ("impersonate", "authentication.k8s.io/uids", "", "u"),
    ]


def test_one_part_refused_is_all_refused():
    with pytest.raises(StatusError) as refused:
        impersonate(UserInfo("alice"), headers(user="bob", group="system:masters"), Only("users"))
    assert refused.value.code == 403
    assert refused.value.message == (
        'groups "system:masters" is forbidden: User "alice" cannot impersonate resource "groups" in API group "" '
        "at the cluster scope"
    )


def test_groups_without_a_user_make_no_sense():
    with pytest.raises(StatusError) as refused:
        impersonate(ADMIN, headers(group="devs"), Only("*"))
    assert refused.value.code == 400
    assert refused.value.message == "requested [{Group  devs    }] without impersonating a user"


def test_a_browsers_groups_come_in_one_header_and_each_is_authorized():
    only = Only("*")
    user = impersonate(ADMIN, sent_by_a_browser({"user": "zoë Ł", "groups": ["devs", "öps, all"], "uid": "u-1"}), only)
    assert (user.name, user.groups, user.uid) == ("zoë Ł", ("devs", "öps, all", "system:authenticated"), "u-1")
    assert [one[1] for one in only.asked].count("groups") == 2
    with pytest.raises(StatusError) as refused:
        impersonate(UserInfo("carol"), sent_by_a_browser({"user": "bob", "groups": ["devs"]}), Only("users"))
    assert refused.value.code == 403


@pytest.mark.parametrize(
    "header",
    [
        (b"impersonate-user", "zoë".encode("latin-1")),
        (b"impersonate-group", b"\xff"),
        (b"impersonate-uid", b"\xff"),
        (b"impersonate-extra-scopes", b"\xff"),
        (b"impersonate-extra-\xff", b"a"),
        (b"x-kubeweb-impersonate", b"\xff"),
        (b"x-kubeweb-impersonate", b""),
        (b"x-kubeweb-impersonate", b"alice"),
    ],
)
def test_headers_that_cannot_be_read_are_a_bad_request(header):
    with pytest.raises(StatusError) as refused:
        impersonate(ADMIN, [(b"impersonate-user", b"bob"), header], Only("*"))
    assert (refused.value.code, refused.value.reason) == (400, "BadRequest")


def token(said: object) -> bytes:
    return b"base64url.impersonate.kubeweb.dev." + base64.urlsafe_b64encode(json.dumps(said).encode()).rstrip(b"=")


def sent_by_a_browser(said: object) -> list[tuple[bytes, bytes]]:
    """What a browser's request carries."""
    return [(b"x-kubeweb-impersonate", token(said))]


def offered(said: object) -> list[tuple[bytes, bytes]]:
    """What a browser's WebSocket carries."""
    return [(b"sec-websocket-protocol", b"v5.channel.k8s.io, " + token(said))]


def test_a_browsers_websocket_says_it_among_the_subprotocols_and_it_is_authorized_alike():
    user = impersonate(ADMIN, offered({"user": "bob", "groups": ["devs"]}), Only("*"))
    assert (user.name, user.groups) == ("bob", ("devs", "system:authenticated"))
    with pytest.raises(StatusError) as refused:
        impersonate(UserInfo("alice"), offered({"user": "bob", "groups": ["devs"]}), Only("users"))
    assert refused.value.code == 403
    assert impersonate(ADMIN, [(b"sec-websocket-protocol", b"v5.channel.k8s.io")], Only()) is ADMIN


@pytest.mark.parametrize(
    "said",
    [[], {}, {"groups": ["devs"]}, "bob", {"user": "bob", "groups": 7}, {"user": "bob", "groups": [7]}, {"user": ""}],
)
def test_a_subprotocol_that_makes_no_sense_is_refused(said):
    with pytest.raises(StatusError) as refused:
        impersonate(ADMIN, offered(said), Only("*"))
    assert refused.value.code == 400


def test_a_subprotocol_that_is_no_base64_is_refused():
    with pytest.raises(StatusError) as refused:
        impersonate(ADMIN, [(b"sec-websocket-protocol", b"base64url.impersonate.kubeweb.dev.%%%")], Only("*"))
    assert refused.value.code == 400
