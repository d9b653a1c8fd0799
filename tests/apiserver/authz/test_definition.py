"""The evaluator with its index and its memory, against the definition of RBAC written down as simply as can be."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from cluster.apiserver.authz.rbac import Authorizer
from cluster.apiserver.request import UserInfo
from tests.apiserver.authz.policies import ask, binding, role

VERBS, GROUPS = ["get", "list", "*"], ["", "apps", "*"]
RESOURCES, NAMES = ["pods", "pods/log", "*/log", "*", "deployments"], ["a", "b"]
some = lambda values: st.lists(st.sampled_from(values), min_size=1, max_size=2, unique=True)  # noqa: E731
a_rule = st.one_of(
    st.fixed_dictionaries(
        {"verbs": some(VERBS), "apiGroups": some(GROUPS), "resources": some(RESOURCES)},
        optional={"resourceNames": some(NAMES)},
    ),
    st.fixed_dictionaries({"verbs": some(VERBS), "nonResourceURLs": some(["/a", "/a/*", "*", "/b"])}),
)
a_subject = st.sampled_from(["u=u1", "u=u2", "g=g1", "g=g2", "sa=ns1/s", "sa=s"])
a_user = st.sampled_from(
    [
        UserInfo("u1", ("g1",)),
        UserInfo("u2", ()),
        UserInfo("u3", ("g2", "g1")),
        UserInfo("system:serviceaccount:ns1:s", ("g2",)),
    ]
)
a_binding = st.tuples(
    st.sampled_from(["", "ns1", "ns2"]),
    st.sampled_from(["ClusterRole/r1", "ClusterRole/r2", "Role/r1", "ClusterRole/gone"]),
    st.lists(a_subject, max_size=3),
)
a_request = st.one_of(
    st.builds(
        lambda verb, what, name, ns: ask(f"{verb} {what}", name, ns),
        st.sampled_from(["get", "list", "delete"]),
        st.sampled_from(["core/pods", "core/pods/log", "apps/deployments", "apps/deployments/log"]),
        st.sampled_from(["", "a", "c"]),
        st.sampled_from(["", "ns1", "ns2"]),
    ),
    st.builds(lambda path: ask(f"get {path}"), st.sampled_from(["/a", "/a/b", "/b", "/c"])),
)


class Static:
    """A watch cache in which nothing happens."""

    def __init__(self, objects):
        self.objects = objects

    def on_change(self, resource, callback):
        for obj in self.objects:
            if resource == f"rbac.authorization.k8s.io/{obj['kind'].lower()}s":
                callback(None, obj)


def naive(roles, bindings, who, info):
    """The definition, word by word, without index, sets or memory."""
    for one in bindings:
        home = one["metadata"].get("namespace", "")
        if home and home != info.namespace:
            continue
        if not any(
            (s["kind"] == "User" and s["name"] == who.name)
            or (s["kind"] == "Group" and s["name"] in who.groups)
            or (
                s["kind"] == "ServiceAccount"
                and (s.get("namespace") or home)
                and who.name == f"system:serviceaccount:{s.get('namespace') or home}:{s['name']}"
            )
            for s in one["subjects"]
        ):
            continue
        reference = one["roleRef"]
        for candidate in roles:
            place = candidate["metadata"].get("namespace", "")
            wanted = home if reference["kind"] == "Role" else ""
            if (reference["kind"] == "Role" and not home) or place != wanted:
                continue
            if candidate["kind"] != reference["kind"] or candidate["metadata"]["name"] != reference["name"]:
                continue
            if any(naive_rule(r, info) for r in candidate["rules"]):
                return True
    return False


def naive_rule(r, info):
    if not any(v in ("*", info.verb) for v in r["verbs"]):
        return False
    if not info.is_resource:
        return any(
            u in ("*", info.path) or (u.endswith("*") and info.path.startswith(u.rstrip("*")))
            for u in r.get("nonResourceURLs", ())
        )
    full = f"{info.resource}/{info.subresource}" if info.subresource else info.resource
    return (
        any(g in ("*", info.group) for g in r.get("apiGroups", ()))
        and any(x in ("*", full) or (info.subresource and x == f"*/{info.subresource}") for x in r.get("resources", ()))
        and (not r.get("resourceNames") or info.name in r["resourceNames"])
    )


@given(
    rules=st.tuples(*[st.lists(a_rule, max_size=3) for _ in range(4)]),
    bound=st.lists(a_binding, max_size=5),
    asked=st.lists(st.tuples(a_user, a_request), min_size=1, max_size=8),
)
def test_index_and_memory_decide_as_the_definition_does(rules, bound, asked):
    roles = [
        role("r1", *rules[0]),
        role("r2", *rules[1]),
        role("r1", *rules[2], namespace="ns1"),
        role("r1", *rules[3], namespace="ns2"),
    ]
    bindings = [binding(f"b{i}", ref, *subs, namespace=ns) for i, (ns, ref, subs) in enumerate(bound)]
    authorizer = Authorizer(Static([*roles, *bindings]))
    for _ in range(2):
        for who, info in asked:
            assert authorizer.authorize(who, info).allowed is naive(roles, bindings, who, info)
