"""Metadata helpers that every component needs: keys, owners, conditions, scaled integers (apimachinery/pkg/apis/meta)."""

from __future__ import annotations

import hashlib
import math
import random
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import orjson

from cluster import clock

Obj = dict[str, Any]

_ALPHABET = "bcdfghjklmnpqrstvwxz2456789"


def random_suffix(length: int = 5) -> str:
    """The suffix of generated names: no vowels, nothing that looks like a word (util/rand)."""
    return "".join(random.choices(_ALPHABET, k=length))


def safe_encode(text: str) -> str:
    """A hash in the alphabet of generated names (rand.SafeEncodeString)."""
    return "".join(_ALPHABET[ord(letter) % len(_ALPHABET)] for letter in text)


def template_hash(template: Mapping[str, Any], collision_count: int = 0) -> str:
    """The pod-template-hash: the same template, the same hash; a collision counter makes another."""
    digest = hashlib.blake2b(orjson.dumps(template, option=orjson.OPT_SORT_KEYS), digest_size=4)
    if collision_count:
        digest.update(str(collision_count).encode())
    return safe_encode(str(int.from_bytes(digest.digest(), "big")))


def key_of(obj: Mapping[str, Any]) -> str:
    """`namespace/name`, or `name` for cluster-scoped objects: the key of informers and work queues."""
    metadata = obj["metadata"]
    namespace = metadata.get("namespace")
    return f"{namespace}/{metadata['name']}" if namespace else str(metadata["name"])


def split_key(key: str) -> tuple[str, str]:
    """(namespace, name) of a key; the namespace of a cluster-scoped object is empty."""
    namespace, _, name = key.rpartition("/")
    return namespace, name


def copy(obj: Obj) -> Obj:
    """A deep copy that may be changed; objects out of caches may not."""
    result: Obj = orjson.loads(orjson.dumps(obj))
    return result


def controller_of(obj: Mapping[str, Any]) -> Obj | None:
    """The owner reference with controller: true, if any."""
    for reference in obj["metadata"].get("ownerReferences") or ():
        if reference.get("controller"):
            found: Obj = reference
            return found
    return None


def is_controlled_by(obj: Mapping[str, Any], owner: Mapping[str, Any]) -> bool:
    reference = controller_of(obj)
    return reference is not None and reference["uid"] == owner["metadata"]["uid"]


def owner_reference(owner: Mapping[str, Any], *, block: bool = True) -> Obj:
    """A controlling owner reference to `owner` (metav1.NewControllerRef)."""
    return {
        "apiVersion": owner["apiVersion"],
        "kind": owner["kind"],
        "name": owner["metadata"]["name"],
        "uid": owner["metadata"]["uid"],
        "controller": True,
        "blockOwnerDeletion": block,
    }


def get_condition(obj: Mapping[str, Any], kind: str) -> Obj | None:
    """The status condition of this type."""
    for condition in (obj.get("status") or {}).get("conditions") or ():
        if condition["type"] == kind:
            found: Obj = condition
            return found
    return None


def is_condition_true(obj: Mapping[str, Any], kind: str) -> bool:
    condition = get_condition(obj, kind)
    return condition is not None and condition["status"] == "True"


def set_condition(conditions: Iterable[Obj], wanted: Obj) -> list[Obj]:
    """The conditions with `wanted` in its place; lastTransitionTime moves only when the status does."""
    result, seen = [], False
    for condition in conditions:
        if condition["type"] != wanted["type"]:
            result.append(condition)
            continue
        seen = True
        kept = {**condition, **wanted}
        if condition["status"] == wanted["status"]:
            if "lastTransitionTime" in condition:
                kept["lastTransitionTime"] = condition["lastTransitionTime"]
        else:
            kept["lastTransitionTime"] = wanted.get("lastTransitionTime") or clock.timestamp()
        result.append(kept)
    if not seen:
        result.append({"lastTransitionTime": clock.timestamp(), **wanted})
    return result


def scaled(value: int | str, total: int, *, round_up: bool) -> int:
    """An IntOrString of `total`: 3 is 3, "25%" is a quarter, rounded as asked (intstr.GetScaledValueFromIntOrPercent)."""
    if isinstance(value, int):
        return value
    share = int(value.rstrip("%")) * total
    rounding: Callable[[float], int] = math.ceil if round_up else math.floor
    return rounding(share / 100)


def is_pod_ready(pod: Mapping[str, Any]) -> bool:
    return is_condition_true(pod, "Ready")


def is_pod_active(pod: Mapping[str, Any]) -> bool:
    """Neither finished nor being deleted (controller.IsPodActive)."""
    phase = (pod.get("status") or {}).get("phase")
    return phase not in ("Succeeded", "Failed") and not pod["metadata"].get("deletionTimestamp")
