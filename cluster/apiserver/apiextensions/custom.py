"""One custom resource as it is served: the definition's spec, compiled when it is first needed (customresource_handler's crdInfo).

A `CustomResource` belongs to one state of one definition's spec; when the spec changes, there is a new one. `VersionInfo` is what one
version says: how its objects are pruned, filled in, judged and shown. Resources of the registry carry their VersionInfo as `custom`.
"""

from __future__ import annotations

from functools import cached_property
from typing import Any

import orjson

from cluster.apiserver.apiextensions import pruning
from cluster.apiserver.apiextensions.rules import Rules
from cluster.apiserver.apiextensions.strategy import CustomStrategy
from cluster.apiserver.printers.columns import Printer
from cluster.apiserver.printers.custom import custom as printer_for
from cluster.apiserver.resources.nodes import Node
from cluster.apiserver.resources.registry import ALL_VERBS, Resource, Subresource, make_resource
from cluster.apiserver.storage.cache import Entry

Obj = dict[str, Any]
_META = "io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta"
_TYPES: Obj = {
    "apiVersion": {
        "type": "string",
        "description": "APIVersion defines the versioned schema of this representation of an object. Servers should convert recognized "
        "schemas to the latest internal value, and may reject unrecognized values. More info: "
        "https://git.k8s.io/community/contributors/devel/sig-architecture/api-conventions.md#resources",
    },
    "kind": {
        "type": "string",
        "description": "Kind is a string value representing the REST resource this object represents. Servers may infer this from the "
        "endpoint the client submits requests to. Cannot be updated. In CamelCase. More info: "
        "https://git.k8s.io/community/contributors/devel/sig-architecture/api-conventions.md#types-kinds",
    },
}


class CustomResource:
    """What all versions have in common. `since`: the revision from which on objects were written under this very spec."""

    def __init__(self, crd: Obj) -> None:
        self.spec: Obj = crd["spec"]
        self.since = int(crd["metadata"]["resourceVersion"])
        self.name = str(crd["metadata"]["name"])
        self.names: Obj = (crd.get("status") or {}).get("acceptedNames") or self.spec["names"]
        self.group = str(self.spec["group"])
        self.plural = str(self.spec["names"]["plural"])
        self.storage_key = f"{self.group}/{self.plural}"
        self.storage_version = next(str(one["name"]) for one in self.spec["versions"] if one.get("storage"))
        # Set when the definition is being deleted: nothing new is created then.
        self.terminating = False
        # Set when this state of the definition is no longer what is served.
        self.gone = False
        self.versions = {str(one["name"]): VersionInfo(self, one) for one in self.spec["versions"] if one.get("served")}
        self.stored = VersionInfo(self, next(one for one in self.spec["versions"] if one.get("storage")))

    @property
    def webhook(self) -> Obj | None:
        """How objects are converted, if not by naming them otherwise."""
        conversion = self.spec.get("conversion") or {}
        return conversion.get("webhook") if conversion.get("strategy") == "Webhook" else None

    def resources(self) -> list[Resource]:
        """One for each served version."""
        return [info.resource for info in self.versions.values()]


class VersionInfo:
    """One version of a custom resource."""

    def __init__(self, owner: CustomResource, version: Obj) -> None:
        self.owner = owner
        self.version = version
        self.name = str(version["name"])
        self.api_version = f"{owner.group}/{self.name}"
        self.schema: Obj = (version.get("schema") or {}).get("openAPIV3Schema") or {}
        subresources = version.get("subresources") or {}
        self.has_status = subresources.get("status") is not None
        self.scale: Obj | None = subresources.get("scale")
        self.deprecated = bool(version.get("deprecated"))

    @cached_property
    def resource(self) -> Resource:
        """As the registry has it."""
        owner, kind = self.owner, str(self.owner.spec["names"]["kind"])
        main = ("get", "patch", "update")
        below: dict[str, Subresource] = {}
        if self.has_status:
            below["status"] = Subresource(kind, owner.group, self.name, main)
        if self.scale is not None:
            below["scale"] = Subresource("Scale", "autoscaling", "v1", main)
        reverse = ".".join(reversed(owner.group.split(".")))
        return make_resource(
            owner.group,
            self.name,
            owner.plural,
            kind,
            owner.spec["scope"] == "Namespaced",
            singular=owner.names.get("singular") or kind.lower(),
            list_kind=owner.names.get("listKind") or f"{kind}List",
            short_names=tuple(owner.names.get("shortNames") or ()),
            categories=tuple(owner.names.get("categories") or ()),
            definition=f"{reverse}.{self.name}.{kind}",
            storage_key=owner.storage_key,
            storage_version=owner.storage_version,
            stored=self.name == owner.storage_version,
            verbs=ALL_VERBS,
            subresources=below,
            custom=self,
        )

    @cached_property
    def strategy(self) -> CustomStrategy:
        return CustomStrategy(self)

    @cached_property
    def rules(self) -> Rules:
        return Rules(self.schema)

    @cached_property
    def printer(self) -> Printer:
        return printer_for(self.version.get("additionalPrinterColumns"))

    @cached_property
    def node(self) -> Node:
        """The schema as patches and field ownership walk it."""
        return Node(self.complete, self.resource.kind)

    @cached_property
    def complete(self) -> Obj:
        """The schema with what every object has."""
        properties = self.schema.get("properties") or {}
        own = {name: value for name, value in properties.items() if name not in ("metadata", *_TYPES)}
        metadata = {"$ref": f"#/$defs/{_META}"}
        return {**self.schema, "type": "object", "properties": {**_TYPES, "metadata": metadata, **own}}

    @cached_property
    def defaults(self) -> bool:
        return pruning.has_defaults(self.schema)

    def fill(self, obj: Obj) -> None:
        """Defaults, in place."""
        pruning.default(self.schema, obj)

    # -- from storage ----------------------------------------------------------------------------------------------

    def is_current(self, entry: Entry, obj: Obj) -> bool:
        """Whether a stored object is already as this version answers it."""
        return entry.revision > self.owner.since and obj.get("apiVersion") == self.api_version

    def serve(self, entry: Entry, converted: Obj | None = None) -> Obj:
        """A stored object in this version: renamed (or as the webhook `converted` it), pruned and filled in; never the shared one changed."""
        obj = entry.obj
        if self.is_current(entry, obj):
            return obj
        if converted is None and obj.get("apiVersion") != self.api_version:
            converted = {**obj, "apiVersion": self.api_version}
        fresh: Obj = orjson.loads(orjson.dumps(converted if converted is not None else obj))
        pruning.prune(self.schema, fresh, [])
        self.fill(fresh)
        return fresh

    @property
    def warning(self) -> str:
        """What requests to a deprecated version are told."""
        if not self.deprecated:
            return ""
        told = self.version.get("deprecationWarning")
        if told:
            return str(told)
        kind = self.owner.spec["names"]["kind"]
        return f"{self.api_version} {kind} is deprecated"
