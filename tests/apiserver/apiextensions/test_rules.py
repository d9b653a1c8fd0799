"""x-kubernetes-validations: rules that are judged, and rules that judge."""

from __future__ import annotations

import pytest

from cluster.apiserver.apiextensions import rules
from cluster.apiserver.apiextensions.rules import Rules, check_rules
from cluster.apiserver.apiextensions.values import MISSING


def schema(*rules, **spec):
    properties = {
        "min": {"type": "integer"},
        "max": {"type": "integer"},
        "names": {"type": "array", "items": {"type": "string"}},
        **spec,
    }
    return {
        "type": "object",
        "properties": {"spec": {"type": "object", "properties": properties, "x-kubernetes-validations": list(rules)}},
    }


def told(rule, obj, old=MISSING):
    return [
        one.message
        for one in Rules(schema(rule)).check({"spec": obj}, MISSING if old is MISSING else {"spec": old}, [])
    ]


def judged(rule):
    return [one.message for one in check_rules(schema(rule), "p")]


def test_a_rule_that_fails_says_so():
    assert told({"rule": "self.min <= self.max"}, {"min": 5, "max": 1}) == [
        "spec: Invalid value: failed rule: self.min <= self.max"
    ]
    assert told({"rule": "self.min <= self.max", "message": "too large"}, {"min": 5, "max": 1}) == [
        "spec: Invalid value: too large"
    ]
    assert told({"rule": "self.min <= self.max"}, {"min": 1, "max": 5}) == []


def test_a_message_may_be_an_expression():
    rule = {
        "rule": "self.min <= self.max",
        "messageExpression": "'%d > %d'.format([self.min, self.max])",
        "message": "no",
    }
    assert told(rule, {"min": 5, "max": 1}) == ["spec: Invalid value: 5 > 1"]


def test_reason_and_field_path():
    rule = {"rule": "has(self.min)", "reason": "FieldValueRequired", "fieldPath": ".min", "message": "is needed"}
    assert told(rule, {}) == ["spec.min: Required value: is needed"]


def test_transition_rules_ask_only_about_changes():
    rule = {"rule": "self.min == oldSelf.min", "message": "is immutable"}
    assert told(rule, {"min": 1}) == []
    assert told(rule, {"min": 1}, {"min": 1}) == []
    assert told(rule, {"min": 2}, {"min": 1}) == ["spec: Invalid value: is immutable"]
    optional = {"rule": "oldSelf.hasValue() || self.min == 0", "optionalOldSelf": True, "message": "starts at 0"}
    assert told(optional, {"min": 1}) == ["spec: Invalid value: starts at 0"]
    assert told(optional, {"min": 1}, {"min": 0}) == []


def test_what_has_not_changed_is_not_refused_again():
    assert told({"rule": "self.min <= self.max"}, {"min": 5, "max": 1}, {"min": 5, "max": 1}) == []


def test_what_cannot_be_evaluated_is_told():
    assert told({"rule": "self.min <= self.max"}, {"min": 5}) == [
        'spec: Invalid value: "object": no such key: max evaluating rule: self.min <= self.max'
    ]


def test_a_rule_that_costs_too_much_is_stopped():
    rule = {"rule": "self.names.all(a, self.names.all(b, self.names.all(c, a + b != c)))"}
    (only,) = told(rule, {"names": [f"name-{number}" for number in range(500)]})
    assert "call cost exceeds limit" in only


@pytest.mark.parametrize(
    ("rule", "message"),
    [
        ({"rule": ""}, "rule is not specified"),
        ({"rule": "self.nope == 1"}, "undefined field 'nope'"),
        ({"rule": "self.min"}, "cel expression must evaluate to a bool"),
        ({"rule": "self.min == ("}, "Syntax error"),
        ({"rule": "self.names.all(x, self.names.all(y, x != y))"}, "estimated rule cost exceeds budget by factor of more than 100x"),
        ({"rule": "true", "messageExpression": "1"}, "messageExpression must evaluate to a string"),
        ({"rule": "true", "reason": "Nope"}, "Unsupported value"),
    ],
)  # fmt: skip
def test_bad_rules_are_refused(rule, message):
    assert any(message in one for one in judged(rule))


def test_good_rules_pass():
    assert judged({"rule": "self.min <= self.max"}) == []
    assert judged({"rule": "self.min == oldSelf.min"}) == []


def test_old_values_of_a_plain_list_are_unknown():
    items = {
        "type": "object",
        "properties": {"a": {"type": "integer"}},
        "x-kubernetes-validations": [{"rule": "self.a == oldSelf.a"}],
    }
    outer = {"type": "object", "properties": {"many": {"type": "array", "maxItems": 3, "items": items}}}
    assert "uncorrelatable portion" in check_rules(outer, "p")[0].message


def test_names_that_are_no_words_are_escaped():
    properties = {"a-b": {"type": "integer"}, "namespace": {"type": "integer"}}
    rules = [{"rule": "self.a__dash__b == self.__namespace__"}]
    whole = {
        "type": "object",
        "properties": {"spec": {"type": "object", "properties": properties, "x-kubernetes-validations": rules}},
    }
    assert check_rules(whole, "p") == []
    assert Rules(whole).check({"spec": {"a-b": 1, "namespace": 1}}, MISSING, []) == []
    assert len(Rules(whole).check({"spec": {"a-b": 1, "namespace": 2}}, MISSING, [])) == 1


def test_all_rules_of_a_request_share_one_budget(monkeypatch):
    monkeypatch.setattr(rules, "REQUEST_LIMIT", 2000)
    costly = {"rule": "self.names.all(x, x.contains('a') || true)", "message": "no"}
    within = {"names": ["b"] * 100}
    assert told(costly, within) == []
    many = [{**costly, "rule": costly["rule"] + f" && {number} < 9"} for number in range(9)]
    found = Rules(schema(*many)).check({"spec": within}, MISSING, [])
    assert [one.message for one in found] == [
        'spec: Invalid value: "object": validation failed due to running out of cost budget, '
        "no further validation rules will be run"
    ]


def test_what_fails_has_cost_something_too(monkeypatch):
    monkeypatch.setattr(rules, "REQUEST_LIMIT", 2000)
    failing = {"rule": "self.names.all(x, x.contains('b')) && self.names[1000] == 'x'"}
    found = Rules(schema(*[failing] * 9)).check({"spec": {"names": ["b"] * 100}}, MISSING, [])
    assert 1 < len(found) < 9
    assert found[-1].message.endswith("no further validation rules will be run")
