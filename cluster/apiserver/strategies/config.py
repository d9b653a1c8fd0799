"""ConfigMaps and Secrets."""

from __future__ import annotations

import base64
from typing import Any

from cluster.apimachinery.errors import forbidden_field, invalid_value, required, too_long
from cluster.apiserver.strategies import names
from cluster.apiserver.strategies.base import METADATA_FIELDS, Strategy
from cluster.apiserver.strategies.metadata import Found, immutable

Obj = dict[str, Any]


MAX_DATA = 1024 * 1024


def _check_data(obj: Obj, fields: tuple[str, ...], *, encoded: str = "") -> Found:
    found: Found = []
    size = 0
    seen: set[str] = set()
    for field in fields:
        for key, value in (obj.get(field) or {}).items():
            if names.config_key(key):
                found.append(invalid_value(f"{field}[{key}]", key, names.config_key(key)))
            if key in seen:
                found.append(invalid_value(f"{field}[{key}]", key, "duplicate of key present in data"))
            seen.add(key)
            size += len(value) * 3 // 4 if field == encoded else len(value.encode())
    if size > MAX_DATA:
        found.append(too_long("" if encoded != "data" else "data", MAX_DATA))
    return found


def _check_immutable(obj: Obj, old: Obj, fields: tuple[str, ...]) -> Found:
    if not old.get("immutable"):
        return []
    found: Found = []
    if not obj.get("immutable"):
        found.append(forbidden_field("immutable", "field is immutable when `immutable` is set"))
    for field in fields:
        if obj.get(field) != old.get(field):
            found.append(forbidden_field(field, "field is immutable when `immutable` is set"))
    return found


class ConfigMapStrategy(Strategy):
    def check(self, obj: Obj) -> Found:
        return _check_data(obj, ("data", "binaryData"), encoded="binaryData")

    def check_update(self, obj: Obj, old: Obj) -> Found:
        return [*_check_immutable(obj, old, ("data", "binaryData")), *self.check(obj)]


_REQUIRED_KEYS = {
    "kubernetes.io/dockercfg": (".dockercfg",),
    "kubernetes.io/dockerconfigjson": (".dockerconfigjson",),
    "kubernetes.io/ssh-auth": ("ssh-privatekey",),
    "kubernetes.io/tls": ("tls.crt", "tls.key"),
}


class SecretStrategy(Strategy):
    supported_field_labels = METADATA_FIELDS | {"type"}

    def default(self, obj: Obj) -> None:
        if not obj.get("type"):
            obj["type"] = "Opaque"
        plain = obj.pop("stringData", None)
        if plain:
            data = obj.setdefault("data", {})
            for key, value in plain.items():
                data[key] = base64.b64encode(value.encode()).decode()

    def check(self, obj: Obj) -> Found:
        found = _check_data(obj, ("data",), encoded="data")
        for key in _REQUIRED_KEYS.get(obj.get("type", ""), ()):
            if key not in (obj.get("data") or {}):
                found.append(required(f"data[{key}]"))
        named = (obj["metadata"].get("annotations") or {}).get("kubernetes.io/service-account.name")
        if obj.get("type") == "kubernetes.io/service-account-token" and not named:
            found.append(required("metadata.annotations[kubernetes.io/service-account.name]"))
        return found

    def check_update(self, obj: Obj, old: Obj) -> Found:
        return [*immutable(obj, old, "type", path=""), *_check_immutable(obj, old, ("data",)), *self.check(obj)]
