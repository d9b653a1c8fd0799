"""The security context of a whole pod (ValidatePodSecurityContext)."""

from __future__ import annotations

import re

from cluster.apimachinery.errors import duplicate, invalid_value, required
from cluster.apiserver.strategies.base import Obj
from cluster.apiserver.strategies.metadata import Found

LARGEST_ID = 2**31 - 1
_SYSCTL = r"^([a-z0-9]([-_a-z0-9]*[a-z0-9])?[\./])*[a-z0-9]([-_a-z0-9]*[a-z0-9])?$"
_NAMESPACED = (
    ("hostNetwork", re.compile(r"net[./]")),
    ("hostIPC", re.compile(r"(kernel[./](shm|msg|sem)|fs[./]mqueue[./])")),
)


def check_pod_security(spec: Obj, path: str) -> Found:
    context, found = spec["securityContext"], Found()
    ids = [(field, context.get(field)) for field in ("runAsUser", "runAsGroup", "fsGroup")]
    ids += [(f"supplementalGroups[{at}]", one) for at, one in enumerate(context.get("supplementalGroups") or ())]
    found.extend(
        invalid_value(f"{path}.{field}", number, f"must be between 0 and {LARGEST_ID}, inclusive")
        for field, number in ids
        if number is not None and not 0 <= number <= LARGEST_ID
    )
    seen: set[str] = set()
    for at, one in enumerate(context.get("sysctls") or ()):
        here, name = f"{path}.sysctls[{at}].name", one.get("name") or ""
        if not name:
            found.append(required(here))
        elif len(name) > 253 or not re.fullmatch(_SYSCTL, name):
            found.append(invalid_value(here, name, f"must have at most 253 characters and match regex {_SYSCTL}"))
        elif name.replace("/", ".") in seen:
            found.append(duplicate(here, name))
        seen.add(name.replace("/", "."))
        for field, space in _NAMESPACED:
            if spec.get(field) and space.match(name):
                found.append(invalid_value(here, name, f"may not be specified when '{field}' is set to true"))
    return found
