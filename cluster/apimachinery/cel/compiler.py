"""From a tree to something that runs: types are checked, costs estimated, closures built, in one walk.

`compile_expression` is what everybody calls. Errors are collected and raised together, in cel-go's words.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from cluster.apimachinery.cel import syntax, types
from cluster.apimachinery.cel.errors import CompileError, CostExceeded, EvaluationError, no_such_overload
from cluster.apimachinery.cel.functions import FUNCTIONS, NAMES, Function, call
from cluster.apimachinery.cel.types import DYN, ERROR, Type
from cluster.apimachinery.cel.values import COERCIONS, NONE, NUMBERS, Optional, TypeValue, type_of

Scope = Mapping[str, Type]
# Estimates stop growing here.
ENDLESS = 10**18
# What is assumed of sizes that nobody bounds: what fits into a request.
UNBOUNDED = 3 * 1024 * 1024


class Frame:
    """One evaluation: the variables, and what it has cost so far."""

    __slots__ = ("limit", "names", "spent")

    def __init__(self, names: dict[str, Any], limit: int) -> None:
        self.names = names
        self.spent = 0
        self.limit = limit


Run = Callable[[Frame], Any]


class Part(NamedTuple):
    """A compiled node: its type, how to run it, how large its value and how high its cost can be."""

    type: Type
    run: Run
    size: int = 1
    cost: int = 0


class Program:
    """A compiled expression. `uses` names the variables that it reads."""

    def __init__(self, source: str, part: Part, uses: frozenset[str]) -> None:
        self.source = source
        self.type = part.type
        self.cost = part.cost
        self.uses = uses
        self._run = part.run

    def evaluate(self, names: dict[str, Any], limit: int) -> tuple[Any, int]:
        """(value, what it cost); EvaluationError otherwise. `names` is not changed."""
        frame = Frame(dict(names), limit)
        try:
            return self._run(frame), frame.spent
        except EvaluationError as error:
            error.spent = frame.spent
            raise
        except RecursionError as error:
            deep = EvaluationError("the value is nested too deeply")
            deep.spent = frame.spent
            raise deep from error


def size_of(kind: Type) -> int:
    """How large a value of this type may be."""
    if kind.name in ("string", "bytes", "list", "map"):
        return UNBOUNDED if kind.size is None else kind.size
    return 1


def coerced(kind: Type, run: Run) -> Run:
    """Data read as its schema means it."""
    convert = COERCIONS.get(kind.name)
    if convert is None:
        return run
    return lambda frame: convert(run(frame))


class Compiler:
    """One compilation."""

    def __init__(self, source: str) -> None:
        self.source = source
        self.issues: list[tuple[int, str]] = []
        self.uses: set[str] = set()

    def fail(self, node: syntax.Node, text: str) -> Part:
        self.issues.append((node.offset, text))
        return Part(ERROR, _never)

    def part(self, node: syntax.Node, scope: Scope) -> Part:
        """Compile one node."""
        method = getattr(self, f"_{type(node).__name__.lower()}")
        part: Part = method(node, scope)
        return part if part.cost < ENDLESS else part._replace(cost=ENDLESS)

    # -- leaves ------------------------------------------------------------------------------------------------------

    def _literal(self, node: syntax.Literal, scope: Scope) -> Part:
        value = node.value
        length = len(value) if isinstance(value, (str, bytes)) else 1
        kind = types.parse(type_of(value))
        return Part(Type(kind.name, size=length), lambda frame: value, length)

    def _ident(self, node: syntax.Ident, scope: Scope) -> Part:
        name = node.name
        kind = scope.get(name)
        if kind is None:
            if name in ("bool", "int", "uint", "double", "string", "bytes", "list", "map", "null_type", "type"):
                value = TypeValue(name)
                return Part(types.TYPE, lambda frame: value, cost=1)
            return self.fail(node, f"undeclared reference to '{name}' (in container '')")
        self.uses.add(name)

        def run(frame: Frame) -> Any:
            frame.spent += 1
            return frame.names[name]

        return Part(kind, coerced(kind, run), size_of(kind), 1)

    # -- into values -------------------------------------------------------------------------------------------------

    def _select(self, node: syntax.Select, scope: Scope) -> Part:
        qualified = self._qualified(node, scope)
        if qualified is not None:
            return qualified
        return self.selected(node, self.part(node.operand, scope), optional=node.optional)

    def _qualified(self, node: syntax.Select, scope: Scope) -> Part | None:
        """Types with dots in their names: `google.protobuf.Timestamp`."""
        name = syntax.dotted(node)
        known = {"google.protobuf.Timestamp": "timestamp", "google.protobuf.Duration": "duration"}
        if name not in known:
            return None
        value = TypeValue(known[name])
        return Part(types.TYPE, lambda frame: value, cost=1)

    def selected(self, node: syntax.Select, operand: Part, *, optional: bool) -> Part:
        outer = operand.type
        wrapped = outer.name == "optional_type"
        inner = outer.parameters[0] if wrapped and outer.parameters else DYN if wrapped else outer
        kind, key = self.field(node, inner, node.name)
        if kind is ERROR:
            return Part(ERROR, _never)
        read = operand.run
        name = node.name
        convert = COERCIONS.get(kind.name)
        cost = operand.cost + 1
        if optional or wrapped:

            def maybe(frame: Frame) -> Any:
                frame.spent += 1
                value = read(frame)
                if type(value) is Optional:
                    if not value.present:
                        return NONE
                    value = value.value
                if not isinstance(value, dict):
                    raise no_such_overload()
                if key not in value:
                    return NONE
                return Optional(convert(value[key]) if convert else value[key])

            return Part(types.optional_of(kind), maybe, size_of(kind), cost)

        def run(frame: Frame) -> Any:
            frame.spent += 1
            value = read(frame)
            if type(value) is dict:
                try:
                    return value[key]
                except KeyError:
                    raise EvaluationError(f"no such key: {name}") from None
            return _member_of(value, key, name)

        return Part(kind, coerced(kind, run), size_of(kind), cost)

    def field(self, node: syntax.Node, kind: Type, name: str) -> tuple[Type, str]:
        """The type of a field, and what it is called in the data."""
        if kind.is_dyn or kind.name == "param":
            return DYN, name
        if kind.name == "map":
            return kind.parameters[1] if kind.parameters else DYN, name
        if kind.name == "object" and kind.fields is not None:
            found = kind.fields.get(name)
            if found is None:
                self.fail(node, f"undefined field '{name}'")
                return ERROR, name
            return found.type, found.key
        self.fail(node, f"type '{kind}' does not support field selection")
        return ERROR, name

    def _index(self, node: syntax.Index, scope: Scope) -> Part:
        operand, index = self.part(node.operand, scope), self.part(node.index, scope)
        outer = operand.type
        wrapped = outer.name == "optional_type"
        inner = outer.parameters[0] if wrapped and outer.parameters else DYN if wrapped else outer
        kind = DYN
        if inner.name == "list":
            kind = inner.parameters[0] if inner.parameters else DYN
            fits = index.type.is_dyn or index.type.name in ("int", "uint", "double")
        elif inner.name == "map":
            kind = inner.parameters[1] if inner.parameters else DYN
            fits = not inner.parameters or types.assignable(inner.parameters[0], index.type, {})
        else:
            fits = inner.is_dyn
        if not fits:
            return self.fail(node, f"found no matching overload for '_[_]' applied to '({inner}, {index.type})'")
        read, at = operand.run, index.run
        convert = COERCIONS.get(kind.name)
        cost = operand.cost + index.cost + 1
        if node.optional or wrapped:

            def maybe(frame: Frame) -> Any:
                frame.spent += 1
                value = read(frame)
                if type(value) is Optional:
                    if not value.present:
                        return NONE
                    value = value.value
                try:
                    found = _at(value, at(frame))
                except _Missing:
                    return NONE
                return Optional(convert(found) if convert else found)

            return Part(types.optional_of(kind), maybe, size_of(kind), cost)

        def run(frame: Frame) -> Any:
            frame.spent += 1
            return _at(read(frame), at(frame))

        return Part(kind, coerced(kind, run), size_of(kind), cost)

    # -- making values -----------------------------------------------------------------------------------------------

    def _listnode(self, node: syntax.ListNode, scope: Scope) -> Part:
        parts = [self.part(item, scope) for item in node.items]
        kind: Type | None = None
        for index, part in enumerate(parts):
            one = part.type
            if index in node.optional:
                one = one.parameters[0] if one.parameters else DYN
            kind = one if kind is None else types.joined(kind, one)
        runs = [(part.run, index in node.optional) for index, part in enumerate(parts)]

        def run(frame: Frame) -> Any:
            frame.spent += 10
            found = []
            for one, optional in runs:
                value = one(frame)
                if not optional:
                    found.append(value)
                elif value.present:
                    found.append(value.value)
            return found

        listed = types.list_of(kind or Type("param", label="E"), len(parts))
        return Part(listed, run, len(parts), 10 + sum(part.cost for part in parts))

    def _mapnode(self, node: syntax.MapNode, scope: Scope) -> Part:
        pairs = [(self.part(key, scope), self.part(value, scope)) for key, value in node.entries]
        key_type: Type | None = None
        value_type: Type | None = None
        for index, (key, value) in enumerate(pairs):
            one = value.type
            if index in node.optional:
                one = one.parameters[0] if one.parameters else DYN
            key_type = key.type if key_type is None else types.joined(key_type, key.type)
            value_type = one if value_type is None else types.joined(value_type, one)
        runs = [(key.run, value.run, index in node.optional) for index, (key, value) in enumerate(pairs)]

        def run(frame: Frame) -> Any:
            frame.spent += 30
            found: dict[Any, Any] = {}
            for key_run, value_run, optional in runs:
                key, value = key_run(frame), value_run(frame)
                if type(key) not in (str, int, bool, syntax.UInt):
                    raise EvaluationError("unsupported key type")
                if key in found:
                    raise EvaluationError(f"Failed with repeated key: {key}")
                if not optional:
                    found[key] = value
                elif value.present:
                    found[key] = value.value
            return found

        kind = types.map_of(key_type or DYN, value_type or DYN, len(pairs))
        return Part(kind, run, len(pairs), 30 + sum(key.cost + value.cost for key, value in pairs))

    def _struct(self, node: syntax.Struct, scope: Scope) -> Part:
        """`Object{…}` and `JSONPatch{…}` of mutations: plain data."""
        if node.name != "JSONPatch" and node.name.partition(".")[0] != "Object":
            return self.fail(node, f"undeclared reference to '{node.name}' (in container '')")
        if not {"Object", "JSONPatch"} & set(scope):
            return self.fail(node, f"undeclared reference to '{node.name}' (in container '')")
        parts = [(name, self.part(value, scope), optional) for name, value, optional in node.entries]
        if node.name == "JSONPatch":
            for name, _, _ in parts:
                if name not in ("op", "path", "from", "value"):
                    return self.fail(node, f"undefined field '{name}'")
        runs = [(name, part.run, optional) for name, part, optional in parts]

        def run(frame: Frame) -> Any:
            frame.spent += 40
            found = {}
            for name, one, optional in runs:
                value = one(frame)
                if not optional:
                    found[name] = value
                elif value.present:
                    found[name] = value.value
            return found

        return Part(Type("object", label=node.name), run, len(parts), 40 + sum(part.cost for _, part, _ in parts))

    # -- calls -------------------------------------------------------------------------------------------------------

    def _call(self, node: syntax.Call, scope: Scope) -> Part:
        from cluster.apimachinery.cel.macros import MACROS

        count = 2 if node.function in ("_&&_", "_||_") else len(node.arguments)
        macro = MACROS.get((node.function, node.target is not None, count))
        if macro is not None:
            expanded = macro(self, node, scope)
            if expanded is not None:
                return expanded
        if node.target is not None:
            spaced = self._spaced(node, scope)
            if spaced is not None:
                return spaced
            arguments = [self.part(node.target, scope), *(self.part(one, scope) for one in node.arguments)]
            return self.applied(node, node.function, True, arguments)
        return self.applied(node, node.function, False, [self.part(one, scope) for one in node.arguments])

    def _spaced(self, node: syntax.Call, scope: Scope) -> Part | None:
        """Functions with a dot in their name: `sets.contains(a, b)`, unless a variable is called so."""
        assert node.target is not None
        space = syntax.dotted(node.target)
        if not space or space.partition(".")[0] in scope or f"{space}.{node.function}" not in NAMES:
            return None
        return self.applied(node, f"{space}.{node.function}", False, [self.part(one, scope) for one in node.arguments])

    def applied(self, node: syntax.Node, name: str, member: bool, arguments: list[Part]) -> Part:
        """A call of a function of the table."""
        if any(one.type is ERROR for one in arguments):
            return Part(ERROR, _never)
        if name not in NAMES:
            return self.fail(node, f"undeclared reference to '{name}' (in container '')")
        candidates = FUNCTIONS.get((name, member, len(arguments)), [])
        fitting: list[tuple[Function, Type]] = []
        for function in candidates:
            bound: dict[str, Type] = {}
            if all(
                types.assignable(wanted, given.type, bound)
                for wanted, given in zip(function.signature.arguments, arguments, strict=True)
            ):
                fitting.append((function, types.bind(function.signature.result, bound)))
        if not fitting:
            shown = [str(one.type) for one in arguments]
            text = f"{shown[0]}.({', '.join(shown[1:])})" if member else f"({', '.join(shown)})"
            return self.fail(node, f"found no matching overload for '{name}' applied to '{text}'")
        result = fitting[0][1]
        for _, other in fitting[1:]:
            result = result if types.same(result, other) else DYN
        functions = [function for function, _ in fitting]
        runs = [one.run for one in arguments]
        sizes = [one.size for one in arguments]
        cost = 1 + sum(one.cost for one in arguments)
        cost += max(int(function.cost(*sizes)) if function.cost else 0 for function in functions)
        length = 1
        if result.name in ("string", "bytes", "list", "map", "dyn"):
            length = max(int(function.grows(*sizes)) if function.grows else max([*sizes, 1]) for function in functions)
        if len(runs) == 2:
            first, second = runs
            return Part(result, lambda frame: call(frame, functions, [first(frame), second(frame)]), length, cost)
        return Part(result, lambda frame: call(frame, functions, [one(frame) for one in runs]), length, cost)


class _Missing(EvaluationError):
    """There is nothing at that place."""


def _at(value: Any, index: Any) -> Any:
    if type(value) is dict:
        if index in value and type(index) is not bool:
            return value[index]
        raise _Missing(f"no such key: {index}")
    if type(value) is list:
        if type(index) not in NUMBERS:
            raise no_such_overload()
        if type(index) is float and not index.is_integer():
            raise EvaluationError(f"unsupported index value: {index}")
        if 0 <= index < len(value):
            return value[int(index)]
        raise _Missing(f"index out of bounds: {int(index)}")
    raise no_such_overload()


def _member_of(value: Any, key: str, name: str) -> Any:
    """A field of something that is no plain map: lazily made variables, opaque values."""
    find = getattr(value, "cel_field", None)
    if find is None:
        raise no_such_overload() if value is not None else EvaluationError(f"no such key: {name}")
    return find(key)


def _never(frame: Frame) -> Any:
    raise EvaluationError("an expression with errors has no value")


def compile_expression(source: str, scope: Scope, *, wanted: tuple[Type, ...] = ()) -> Program:
    """Compile; CompileError for what is wrong. `wanted` are the types that the result may have."""
    from cluster.apimachinery.cel import library

    library.load()
    compiler = Compiler(source)
    part = compiler.part(syntax.parse(source), scope)
    if compiler.issues:
        raise CompileError(source, sorted(compiler.issues))
    if wanted and not part.type.is_dyn and not any(types.assignable(one, part.type, {}) for one in wanted):
        raise WrongType(source, part.type)
    return Program(source, part, frozenset(compiler.uses))


class WrongType(CompileError):
    """The expression is right, and of the wrong type."""

    def __init__(self, source: str, kind: Type) -> None:
        super().__init__(source, [(0, f"evaluates to {kind}")])
        self.type = kind


__all__ = ["Compiler", "CostExceeded", "Frame", "Part", "Program", "Scope", "WrongType", "compile_expression"]
