"""The schema of a kind as a tree that decoding, patches and field ownership walk (structural schema, built lazily).

A node says what stands at one place of an object: a struct with fields, a map, a list with its merge rules, or a scalar. Nodes of
one definition are shared; definitions that contain themselves (JSONSchemaProps) are no trouble, as children are made on demand.
"""

from __future__ import annotations

from functools import cache

from cluster.apiserver.resources.definitions import (
    ANYTHING,
    INT_OR_STRING,
    QUANTITY,
    TIMES,
    Schema,
    always_there,
    definitions,
    plain_type,
    reference,
)

_SCALARS = {"string": "string", "integer": "integer", "number": "number", "boolean": "boolean"}
_GO_TYPES = {"string": "string", "boolean": "bool", "number": "float64", "bytes": "[]uint8"}


class Node:
    """What may stand at a place. `kind`: struct, map, list, string, integer, number, boolean, bytes, quantity,
    intorstring, time, microtime or any."""

    __slots__ = (
        "_additional",
        "_fields",
        "_items",
        "_schema",
        "_zeros",
        "definition",
        "format",
        "kind",
        "list_map_keys",
        "list_type",
        "map_type",
        "merge_key",
        "patch_strategy",
        "required",
    )

    def __init__(self, schema: Schema, definition: str = "", outer: Schema | None = None) -> None:
        outer = outer or {}
        self._schema = schema
        self.definition = definition
        self.format: str = schema.get("format") or ""
        self.kind = _kind(schema, definition)
        self.required: frozenset[str] = frozenset(schema.get("required") or ())
        self.list_type: str = outer.get("x-kubernetes-list-type") or schema.get("x-kubernetes-list-type") or "atomic"
        self.list_map_keys: tuple[str, ...] = tuple(
            outer.get("x-kubernetes-list-map-keys") or schema.get("x-kubernetes-list-map-keys") or ()
        )
        self.map_type: str = outer.get("x-kubernetes-map-type") or schema.get("x-kubernetes-map-type") or "granular"
        strategy = outer.get("x-kubernetes-patch-strategy") or schema.get("x-kubernetes-patch-strategy") or ""
        self.patch_strategy: frozenset[str] = frozenset(strategy.split(",")) if strategy else frozenset()
        self.merge_key: str = (
            outer.get("x-kubernetes-patch-merge-key") or schema.get("x-kubernetes-patch-merge-key") or ""
        )
        self._fields: dict[str, Node] | None = None
        self._zeros: dict[str, str] | None = None
        self._items: Node | None = None
        self._additional: Node | None = None

    @property
    def fields(self) -> dict[str, Node]:
        """The fields of a struct by name."""
        if self._fields is None:
            properties = self._schema.get("properties") or {} if self.kind == "struct" else {}
            self._fields = {name: node_of(schema) for name, schema in properties.items()}
        return self._fields

    @property
    def zeros(self) -> dict[str, str]:
        """The fields that are there even when nobody set them, as Go would write them."""
        if self._zeros is None:
            self._zeros = dict.fromkeys(sorted(always_there(self.definition)), "")
        return self._zeros

    @property
    def items(self) -> Node:
        """What a list holds."""
        if self._items is None:
            self._items = node_of(self._schema.get("items") or {}) if self.kind == "list" else ANY
        return self._items

    @property
    def additional(self) -> Node:
        """What a map's values are."""
        if self._additional is None:
            values = self._schema.get("additionalProperties")
            self._additional = node_of(values) if isinstance(values, dict) else ANY
        return self._additional

    def child(self, name: str) -> Node:
        """The node under a key of a struct or map; ANY where the schema does not say."""
        if self.kind == "struct":
            return self.fields.get(name, ANY)
        return self.additional if self.kind == "map" else ANY

    @property
    def struct(self) -> str:
        """Go's name of the struct: `DeploymentSpec`."""
        return self.definition.rpartition(".")[2]

    @property
    def go_type(self) -> str:
        """Go's name of the type, as decoding errors tell it: `int32`, `[]v1.Container`, `map[string]string`."""
        if self.kind == "integer":
            return self.format or "int32"
        if self.kind == "list":
            return f"[]{self.items.go_type}"
        if self.kind == "map":
            return f"map[string]{self.additional.go_type}"
        if self.definition:
            return ".".join(self.definition.split(".")[-2:])
        return _GO_TYPES.get(self.kind, "string")


def _kind(schema: Schema, definition: str) -> str:
    if definition == QUANTITY:
        return "quantity"
    if definition == INT_OR_STRING:
        return "intorstring"
    if definition in TIMES:
        return "microtime" if definition.endswith("MicroTime") else "time"
    if definition in ANYTHING:
        return "any"
    if schema.get("properties"):
        return "struct"
    if isinstance(schema.get("additionalProperties"), dict):
        return "map"
    found = plain_type(schema)
    if found == "array":
        return "list"
    if found == "string" and schema.get("format") == "byte":
        return "bytes"
    if found == "object" and definition:
        return "struct"
    return _SCALARS.get(found, "any")


@cache
def root(definition: str) -> Node:
    """The tree of a kind by the name of its definition; ANY for one without a schema."""
    schema = definitions().get(definition)
    return Node(schema, definition) if schema is not None else ANY


def node_of(schema: Schema) -> Node:
    """The node of a schema inside another; shared where it only refers to a definition."""
    name = reference(schema)
    if name is None:
        return Node(schema)
    annotated = any(key.startswith("x-kubernetes-") for key in schema)
    return Node(definitions()[name], name, schema) if annotated else root(name)


# Where the schema says nothing: any JSON, replaced as a whole.
ANY = Node({})
