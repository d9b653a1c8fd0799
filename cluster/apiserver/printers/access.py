"""Rows of who may do what: role bindings and certificate requests. Roles show only when they were made."""

from __future__ import annotations

from cluster.apiserver.printers.columns import (
    AGE,
    NAME,
    NONE,
    Cells,
    Column,
    Obj,
    age,
    human_duration,
    name_of,
    printer,
    spec_of,
    status_of,
    wide,
)

_CSR = "@certificates.v1.CertificateSigningRequest"


def _binding(obj: Obj, now: float) -> Cells:
    reference = obj["roleRef"]
    found: dict[str, list[str]] = {"User": [], "Group": [], "ServiceAccount": []}
    for subject in obj.get("subjects") or ():
        name = subject["name"]
        if subject["kind"] == "ServiceAccount":
            name = f"{subject.get('namespace', '')}/{name}"
        found.setdefault(subject["kind"], []).append(name)
    return [
        name_of(obj),
        f"{reference['kind']}/{reference['name']}",
        age(obj, now),
        ", ".join(found["User"]),
        ", ".join(found["Group"]),
        ", ".join(found["ServiceAccount"]),
    ]


for _kind, _word in (("RoleBinding", "roleBinding"), ("ClusterRoleBinding", "clusterRoleBinding")):
    printer(
        f"rbac.authorization.k8s.io/{_kind.lower()}s",
        NAME,
        Column("Role", f"@rbac.v1.{_kind}.roleRef"),
        AGE,
        wide("Users", f"Users in the {_word}"),
        wide("Groups", f"Groups in the {_word}"),
        wide("ServiceAccounts", f"ServiceAccounts in the {_word}"),
    )(_binding)


@printer(
    "certificates.k8s.io/certificatesigningrequests",
    NAME,
    AGE,
    Column("SignerName", f"{_CSR}Spec.signerName"),
    Column("Requestor", f"{_CSR}Spec.request"),
    Column("RequestedDuration", f"{_CSR}Spec.expirationSeconds"),
    Column("Condition", f"{_CSR}Status.conditions"),
)
def certificatesigningrequest(obj: Obj, now: float) -> Cells:
    spec = spec_of(obj)
    seconds = spec.get("expirationSeconds")
    return [
        name_of(obj),
        age(obj, now),
        spec.get("signerName") or NONE,
        spec.get("username", ""),
        NONE if seconds is None else human_duration(seconds),
        _request_state(obj),
    ]


def _request_state(obj: Obj) -> str:
    status = status_of(obj)
    types = {one["type"] for one in status.get("conditions") or ()}
    state = "Denied" if "Denied" in types else "Approved" if "Approved" in types else "Pending"
    if "Failed" in types:
        state += ",Failed"
    return f"{state},Issued" if status.get("certificate") else state
