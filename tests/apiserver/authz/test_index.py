"""What the authorizer remembers, when it forgets, and how few bindings it looks at."""

from __future__ import annotations

from cluster.apiserver.authz.rbac import Authorizer
from cluster.apiserver.request import UserInfo
from tests.apiserver.authz.policies import READ, ask, binding, role, rule, user


def test_decisions_are_forgotten_when_policy_changes(reader, authorizer):
    zoe, info = user("zoe"), ask("list core/pods", namespace="shop")
    assert not authorizer.authorize(zoe, info).allowed
    reader.put(binding("zoe", "ClusterRole/zoe", "u=zoe", namespace="shop"))
    assert not authorizer.authorize(zoe, info).allowed
    reader.put(role("zoe", rule("list", "core", "pods")))
    assert authorizer.authorize(zoe, info).allowed
    reader.put(role("zoe", rule("get", "core", "pods")))
    assert not authorizer.authorize(zoe, info).allowed
    reader.put(role("zoe", aggregate={"to": "zoe"}))
    assert not authorizer.authorize(zoe, info).allowed
    reader.put(role("zoe-part", rule("list", "core", "pods"), labels={"to": "zoe"}))
    assert authorizer.authorize(zoe, info).allowed
    reader.put(role("zoe-part", rule("list", "core", "pods"), labels={"to": "other"}))
    assert not authorizer.authorize(zoe, info).allowed
    reader.put(role("zoe-part", rule("list", "core", "pods"), labels={"to": "zoe"}))
    reader.put(binding("zoe", "ClusterRole/zoe", "u=someone-else", namespace="shop"))
    assert not authorizer.authorize(zoe, info).allowed
    reader.put(binding("zoe", "ClusterRole/zoe", "u=zoe", namespace="shop"))
    assert authorizer.authorize(zoe, info).allowed
    reader.remove("RoleBinding", "shop", "zoe")
    assert not authorizer.authorize(zoe, info).allowed


def test_a_role_that_is_written_back_unchanged_forgets_nothing(reader, authorizer):
    before = authorizer.index.generation
    reader.put(role("view-pods", rule(READ, "core", "pods"), rule("get", "core", "pods/log")))
    assert authorizer.index.generation == before


def test_a_cycle_of_aggregates_ends(reader):
    reader.put(
        role("a", aggregate={"to": "a"}, labels={"to": "b"}),
        role("b", aggregate={"to": "b"}, labels={"to": "a"}),
        role("c", rule("get", "core", "pods"), labels={"to": "b"}),
        binding("x", "ClusterRole/a", "u=x"),
    )
    assert Authorizer(reader).authorize(user("x"), ask("get core/pods", "p", "shop")).allowed


def test_decisions_look_at_ones_own_bindings_only_and_are_remembered(reader, monkeypatch):
    """With 1,000 roles and 5,000 bindings; what that costs in time is in bench/authz.py."""
    for number in range(1000):
        reader.put(role(f"role-{number}", *[rule(READ, "core", f"kind{number}-{r}s") for r in range(5)]))
    for number in range(5000):
        who = f"u=user-{number % 500}" if number % 2 else f"g=group-{number % 50}"
        reader.put(binding(f"b-{number}", f"ClusterRole/role-{number % 1000}", who, namespace=f"ns-{number % 100}"))
    authorizer = Authorizer(reader)
    looked = []
    rules_of = authorizer.index.rules_of
    monkeypatch.setattr(authorizer.index, "rules_of", lambda one: looked.append(one) or rules_of(one))
    people = [UserInfo(f"user-{n}", (f"group-{n % 50}", "system:authenticated")) for n in range(500)]
    for number, who in enumerate(people):
        looked.clear()
        authorizer.authorize(who, ask("list core/pods", namespace=f"ns-{number % 100}"))
        assert {one.namespace for one in looked} <= {f"ns-{number % 100}"}
        assert len(looked) <= 60
        assert all(one.subject_for(who) for one in looked)
    looked.clear()
    for number, who in enumerate(people):
        authorizer.authorize(who, ask("list core/pods", namespace=f"ns-{number % 100}"))
    assert looked == []


def test_an_explanation_looks_at_bindings_that_could_be_meant_only(reader):
    for number in range(200):
        reader.put(binding(f"b-{number}", "ClusterRole/r", f"u=user-{number}", namespace="ns"))
    reader.put(binding("group", "ClusterRole/r", "g=Devs", namespace="ns"))
    reader.put(binding("account", "ClusterRole/r", "u=robot", namespace="ns"))
    index = Authorizer(reader).index
    assert [one.name for one in index.bindings_near(UserInfo("USER-7", ("devs",)))] == ["b-7", "group"]
    assert [one.name for one in index.bindings_near(UserInfo("system:serviceaccount:shop:robot"))] == ["account"]
    reader.remove("RoleBinding", "ns", "b-7")
    reader.put(binding("group", "ClusterRole/r", "g=ops", namespace="ns"))
    assert list(index.bindings_near(UserInfo("user-7", ("devs",)))) == []
