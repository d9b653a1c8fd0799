"""x-kubernetes-validations: the rules of a schema, written in CEL (apiextensions/apiserver/schema/cel).

`check_rules` judges the rules themselves when a definition is written: they must compile, and must not be able to cost too much.
`Rules` applies them to objects, each rule within its own budget and all of them within the request's.
"""

from __future__ import annotations

from typing import Any

from cluster.apimachinery.cel import CompileError, CostExceeded, EvaluationError, Program, WrongType, compile_expression
from cluster.apimachinery.cel.types import BOOL, STRING, Type, optional_of
from cluster.apimachinery.cel.values import NONE, Optional
from cluster.apimachinery.errors import (
    OMITTED,
    FieldError,
    duplicate,
    forbidden_field,
    invalid_value,
    not_supported,
    required,
)
from cluster.apiserver.apiextensions.declared import declared, most_elements
from cluster.apiserver.apiextensions.values import MISSING, ROOT, correlated, same

Schema = dict[str, Any]
Found = list[FieldError]
RULES = "x-kubernetes-validations"
# What one rule may cost at most by estimate, all rules of a schema; one call and all calls of a request when they run.
RULE_LIMIT, SCHEMA_LIMIT = 10_000_000, 100_000_000
# What evaluation may cost. Kubernetes gives a request ten times that; here a million is a third of a second during which nobody else
# is served (docs/decisions/0013).
CALL_LIMIT, REQUEST_LIMIT = 1_000_000, 1_000_000
_REASONS = ("FieldValueInvalid", "FieldValueForbidden", "FieldValueRequired", "FieldValueDuplicate")
_ADVICE = "(try simplifying the rule, or adding maxItems, maxProperties, and maxLength where arrays, maps, and strings are declared)"
# Errors after which rules are not asked: what they look at is not of the shape that they were written for.
_BLOCKING = frozenset(
    {"FieldValueNotSupported", "FieldValueRequired", "FieldValueTooLong", "FieldValueTooMany", "FieldValueTypeInvalid"}
)


class Rule:
    """One compiled rule."""

    __slots__ = (
        "field_path",
        "message",
        "message_program",
        "optional_old",
        "program",
        "reason",
        "source",
        "transition",
    )

    def __init__(self, rule: Schema, kind: Type) -> None:
        """CompileError when it is no rule for values of this type."""
        self.source = str(rule.get("rule") or "").strip()
        self.message = str(rule.get("message") or "").strip()
        self.reason = str(rule.get("reason") or "FieldValueInvalid")
        self.field_path = str(rule.get("fieldPath") or "")
        self.optional_old = bool(rule.get("optionalOldSelf"))
        scope = {"self": kind, "oldSelf": optional_of(kind) if self.optional_old else kind}
        self.program = compile_expression(self.source, scope, wanted=(BOOL,))
        self.transition = "oldSelf" in self.program.uses
        self.message_program: Program | None = None
        if rule.get("messageExpression"):
            self.message_program = compile_expression(str(rule["messageExpression"]), scope, wanted=(STRING,))

    @property
    def shown(self) -> str:
        return self.message or f"failed rule: {self.source}"


# -- judging rules -----------------------------------------------------------------------------------------------------


def factor(cost: int, limit: int) -> str:
    """How far over the limit, as Kubernetes puts it."""
    times = cost / limit
    return "more than 100x" if times > 100 else f"{times:.1f}x"


def check_rules(schema: Schema, path: str) -> Found:
    """What is wrong with the rules of a schema."""
    judge = _Judge()
    judge.walk(schema, path, 1, root=True, correlatable="")
    if judge.total > SCHEMA_LIMIT:
        judge.found.append(
            forbidden_field(
                path,
                f"{RULES} estimated rule cost total for entire OpenAPIv3 schema exceeds budget by factor of "
                f"{factor(judge.total, SCHEMA_LIMIT)} {_ADVICE}",
            )
        )
    return judge.found


class _Judge:
    def __init__(self) -> None:
        self.found: Found = []
        self.total = 0

    def walk(self, schema: Schema, path: str, times: int, *, root: bool, correlatable: str) -> None:
        """`times`: how many values of this schema one object can hold; `correlatable`: the place from which old values are unknown."""
        rules = schema.get(RULES) or ()
        if rules:
            kind = declared(schema, root=root)
            for index, rule in enumerate(rules):
                self.rule(rule, kind, f"{path}.{RULES}[{index}]", times, correlatable)
        items = schema.get("items")
        if isinstance(items, dict):
            keyed = schema.get("x-kubernetes-list-type") == "map"
            below = correlatable or ("" if keyed else f"{path}.items")
            self.walk(items, f"{path}.items", times * most_elements(schema), root=False, correlatable=below)
        for name, child in (schema.get("properties") or {}).items():
            self.walk(child, f"{path}.properties[{name}]", times, root=False, correlatable=correlatable)
        rest = schema.get("additionalProperties")
        if isinstance(rest, dict):
            below = f"{path}.additionalProperties"
            self.walk(rest, below, times * most_elements(schema), root=False, correlatable=correlatable)

    def rule(self, rule: Schema, kind: Type | None, path: str, times: int, correlatable: str) -> None:
        found = self.found
        if not str(rule.get("rule") or "").strip():
            found.append(required(f"{path}.rule", "rule is not specified"))
            return
        if "message" in rule and not str(rule["message"]).strip():
            found.append(invalid_value(f"{path}.message", rule["message"], "message must be non-empty if specified"))
        elif "\n" in str(rule.get("message") or "").strip():
            found.append(invalid_value(f"{path}.message", rule["message"], "message must not contain line breaks"))
        elif "\n" in str(rule["rule"]).strip() and not rule.get("message"):
            found.append(required(f"{path}.message", "message must be specified if rule contains line breaks"))
        if rule.get("reason") and rule["reason"] not in _REASONS:
            found.append(not_supported(f"{path}.reason", rule["reason"], _REASONS))
        if kind is None:
            found.append(
                invalid_value(
                    f"{path}.rule", rule, "rules are not supported where the schema says nothing of the value"
                )
            )
            return
        try:
            compiled = Rule({**rule, "messageExpression": ""}, kind)
        except WrongType:
            found.append(invalid_value(f"{path}.rule", rule, "cel expression must evaluate to a bool"))
            return
        except CompileError as error:
            found.append(invalid_value(f"{path}.rule", rule, f"compilation failed: {error}"))
            return
        if compiled.transition and correlatable:
            found.append(
                invalid_value(
                    f"{path}.rule",
                    rule,
                    f"oldSelf cannot be used on the uncorrelatable portion of the schema within {correlatable}",
                )
            )
        if compiled.optional_old and not compiled.transition:
            found.append(
                invalid_value(f"{path}.optionalOldSelf", True, "may not be set if oldSelf is not used in rule")
            )
        self.cost(compiled.program.cost * times, f"{path}.rule", "rule")
        if rule.get("messageExpression"):
            self.message(rule, kind, f"{path}.messageExpression", times)

    def message(self, rule: Schema, kind: Type, path: str, times: int) -> None:
        try:
            program = Rule(rule, kind).message_program
        except WrongType:
            self.found.append(invalid_value(path, rule, "messageExpression must evaluate to a string"))
            return
        except CompileError as error:
            self.found.append(invalid_value(path, rule, f"messageExpression compilation failed: {error}"))
            return
        assert program is not None
        self.cost(program.cost * times, path, "messageExpression")

    def cost(self, cost: int, path: str, what: str) -> None:
        self.total += cost
        if cost > RULE_LIMIT:
            text = f"estimated {what} cost exceeds budget by factor of {factor(cost, RULE_LIMIT)} {_ADVICE}"
            self.found.append(forbidden_field(path, text))


# -- applying rules ----------------------------------------------------------------------------------------------------


class Rules:
    """The rules of one schema and of all below it, compiled."""

    def __init__(self, schema: Schema, *, root: bool = True) -> None:
        self.schema = schema
        kind = declared(schema, root=root) if schema.get(RULES) else None
        self.rules = [Rule(rule, kind) for rule in schema.get(RULES) or () if kind is not None]
        self.properties = {
            name: below
            for name, child in (schema.get("properties") or {}).items()
            if (below := Rules(child, root=False)).any
        }
        items, rest = schema.get("items"), schema.get("additionalProperties")
        self.items = _some(items)
        self.rest = _some(rest)

    @property
    def any(self) -> bool:
        return bool(self.rules or self.properties or self.items or self.rest)

    def check(self, obj: Any, old: Any, found: Found) -> Found:
        """What the rules say of a whole object, given what else is wrong with it; `old` is MISSING on create."""
        if not self.any:
            return []
        if any(one.type in _BLOCKING for one in found):
            told = (
                "some validation rules were not checked because the object was invalid; correct the existing errors to "
                "complete validation"
            )
            return [invalid_value(ROOT, None, told)]
        budget = _Budget()
        result: Found = []
        self._walk(obj, old, "", budget, result)
        return result

    def _walk(self, value: Any, old: Any, path: str, budget: _Budget, found: Found) -> None:
        if value is None or budget.spent_up:
            return
        unchanged = old is not MISSING and same(old, value)
        for rule in self.rules:
            # What has not changed is only asked about the change.
            if (not unchanged or rule.transition) and not budget.apply(rule, value, old, path, found):
                return
        if isinstance(value, dict):
            before = old if isinstance(old, dict) else {}
            prefix = f"{path}." if path else ""
            for name, item in value.items():
                below = self.properties.get(name)
                if below is not None:
                    below._walk(item, before.get(name, MISSING), prefix + name, budget, found)
                elif self.rest is not None and name not in (self.schema.get("properties") or ()):
                    self.rest._walk(item, before.get(name, MISSING), f"{path}[{name}]", budget, found)
        elif isinstance(value, list) and self.items is not None:
            earlier = correlated(self.schema, old)
            for index, item in enumerate(value):
                self.items._walk(item, earlier(item), f"{path}[{index}]", budget, found)


def _some(schema: Any) -> Rules | None:
    if not isinstance(schema, dict):
        return None
    rules = Rules(schema, root=False)
    return rules if rules.any else None


class _Budget:
    """What all rules of a request may still cost."""

    def __init__(self) -> None:
        self.left = REQUEST_LIMIT
        self.spent_up = False

    def apply(self, rule: Rule, value: Any, old: Any, path: str, found: Found) -> bool:
        """Ask one rule; False when there is no budget for more."""
        names = {"self": value}
        if rule.optional_old:
            names["oldSelf"] = NONE if old is MISSING else Optional(old)
        elif rule.transition:
            if old is MISSING or old is None:
                return True
            names["oldSelf"] = old
        where = path or ROOT
        try:
            holds, cost = rule.program.evaluate(names, min(CALL_LIMIT, self.left))
        except CostExceeded as error:
            self.spent_up = True
            if self.left < CALL_LIMIT:  # others had their share before
                text = "validation failed due to running out of cost budget, no further validation rules will be run"
            else:
                text = (
                    f"'{error}': no further validation rules will be run due to call cost exceeds limit for rule: "
                    f"{rule.source}"
                )
            found.append(invalid_value(where, _kind_of(value), text))
            return False
        except EvaluationError as error:
            self.left -= error.spent
            if str(error).startswith("no such overload"):
                text = (
                    f"'{error}': call arguments did not match a supported operator, function or macro signature for rule: "
                    f"{rule.source}"
                )
            else:
                text = f"{error} evaluating rule: {rule.message or rule.source}"
            found.append(invalid_value(where, _kind_of(value), text))
            return True
        self.left -= cost
        if holds is True:
            return True
        message, shown = rule.shown, value
        if rule.message_program is not None:
            told = self._message(rule.message_program, names)
            if told:
                message, shown = told, OMITTED
        found.append(_failure(rule, f"{path}{rule.field_path}" if rule.field_path else where, shown, message))
        return True

    def _message(self, program: Program, names: dict[str, Any]) -> str:
        """The text of a messageExpression; empty when it has none to give."""
        try:
            text, cost = program.evaluate(names, min(CALL_LIMIT, self.left))
        except EvaluationError as error:
            self.left -= error.spent
            return ""
        self.left -= cost
        text = str(text).strip()
        return "" if "\n" in text or len(text) > 5 * 1024 else text


def _kind_of(value: Any) -> str:
    return {dict: "object", list: "array", str: "string", bool: "boolean", int: "integer"}.get(type(value), "number")


def _failure(rule: Rule, path: str, value: Any, message: str) -> FieldError:
    path = path.lstrip(".")
    if rule.reason == "FieldValueForbidden":
        return forbidden_field(path, message)
    if rule.reason == "FieldValueRequired":
        return required(path, message)
    if rule.reason == "FieldValueDuplicate":
        return duplicate(path, value)
    return invalid_value(path, OMITTED if isinstance(value, (dict, list)) else value, message)
