"""CertificateSigningRequests: what is asked may not change, and a decision is for good (registry/certificates)."""

from __future__ import annotations

import base64
import binascii
import re
from typing import Any

from cryptography import x509

from cluster import clock
from cluster.apimachinery.errors import duplicate, forbidden_field, invalid_value, not_supported, required
from cluster.apiserver.strategies.base import METADATA_FIELDS, Strategy
from cluster.apiserver.strategies.metadata import Found

Obj = dict[str, Any]
DECISIONS = ("Approved", "Denied")
LEAST_SECONDS = 600
_SIGNER = re.compile(r"^[a-z0-9]([a-z0-9.-]*[a-z0-9])?/[a-z0-9]([a-z0-9.-]*[a-z0-9])?$")
USAGES = frozenset(
    {
        *(
            "signing",
            "digital signature",
            "content commitment",
            "key encipherment",
            "key agreement",
            "data encipherment",
        ),
        *(
            "cert sign",
            "crl sign",
            "encipher only",
            "decipher only",
            "any",
            "server auth",
            "client auth",
            "code signing",
        ),
        *(
            "email protection",
            "s/mime",
            "ipsec end system",
            "ipsec tunnel",
            "ipsec user",
            "timestamping",
            "ocsp signing",
        ),
        *("microsoft sgc", "netscape sgc"),
    }
)


class CertificateSigningRequestStrategy(Strategy):
    namespaced = False
    has_status = True
    supported_field_labels = METADATA_FIELDS | {"spec.signerName"}

    def prepare_for_update(self, obj: Obj, old: Obj) -> None:
        super().prepare_for_update(obj, old)
        obj["spec"] = old["spec"]

    def prepare_for_status_update(self, obj: Obj, old: Obj) -> None:
        """Everything but the decision, which has a subresource of its own."""
        super().prepare_for_status_update(obj, old)
        status = obj.setdefault("status", {})
        before = (old.get("status") or {}).get("conditions") or []
        other = [one for one in status.get("conditions") or () if one.get("type") not in DECISIONS]
        conditions = [one for one in before if one["type"] in DECISIONS] + other
        if conditions:
            status["conditions"] = stamped(conditions, before)

    def check(self, obj: Obj) -> Found:
        spec = obj.get("spec") or {}
        found: Found = []
        problem = _problem_of(spec.get("request") or "")
        if problem:
            found.append(invalid_value("spec.request", spec.get("request") or "", problem))
        usages = spec.get("usages") or []
        if not usages:
            found.append(required("spec.usages"))
        for position, usage in enumerate(usages):
            if usage not in USAGES:
                found.append(not_supported(f"spec.usages[{position}]", usage, sorted(USAGES)))
            elif usage in usages[:position]:
                found.append(duplicate(f"spec.usages[{position}]", usage))
        signer = spec.get("signerName") or ""
        if not signer:
            found.append(required("spec.signerName"))
        elif not _SIGNER.match(signer) or "." not in signer.partition("/")[0]:
            text = "must be a fully qualified domain and path of the form 'example.com/signer-name'"
            found.append(invalid_value("spec.signerName", signer, text))
        seconds = spec.get("expirationSeconds")
        if seconds is not None and seconds < LEAST_SECONDS:
            text = "may not specify a duration less than 600 seconds (10 minutes)"
            found.append(invalid_value("spec.expirationSeconds", seconds, text))
        return found

    def check_update(self, obj: Obj, old: Obj) -> Found:
        return check_conditions(obj, old)

    def check_status(self, obj: Obj, old: Obj) -> Found:
        found = check_conditions(obj, old)
        before = (old.get("status") or {}).get("certificate")
        now = (obj.get("status") or {}).get("certificate")
        if before and now != before:
            found.append(forbidden_field("status.certificate", "updates may not change a certificate that is set"))
        elif now and "Approved" not in _types(obj):
            found.append(forbidden_field("status.certificate", "cannot be set before the request is approved"))
        return found


def check_conditions(obj: Obj, old: Obj) -> Found:
    """Each type once, a decision is True and stays, and there is but one."""
    found: Found = []
    seen: set[str] = set()
    for position, one in enumerate((obj.get("status") or {}).get("conditions") or ()):
        path, kind = f"status.conditions[{position}]", one.get("type") or ""
        if not kind:
            found.append(required(f"{path}.type"))
        elif kind in seen:
            found.append(duplicate(f"{path}.type", kind))
        elif kind in (*DECISIONS, "Failed") and one.get("status") != "True":
            found.append(not_supported(f"{path}.status", one.get("status"), ["True"]))
        seen.add(kind)
    if seen.issuperset(DECISIONS):
        found.append(
            invalid_value("status.conditions", "Denied", "Approved and Denied conditions are mutually exclusive")
        )
    for lost in sorted((_types(old) & {*DECISIONS, "Failed"}) - seen):
        found.append(forbidden_field("status.conditions", f"updates may not remove a condition of type {lost!r}"))
    return found


def stamped(conditions: list[Obj], before: list[Obj]) -> list[Obj]:
    """The conditions with their times filled in."""
    now = clock.timestamp()
    known = {one["type"]: one for one in before}
    result = []
    for one in conditions:
        same = known.get(one.get("type", ""))
        moved = same is None or same.get("status") != one.get("status")
        told = {**one, "lastUpdateTime": one.get("lastUpdateTime") or now}
        if not one.get("lastTransitionTime"):
            told["lastTransitionTime"] = now if moved or same is None else same.get("lastTransitionTime", now)
        result.append(told)
    return result


def _types(obj: Obj) -> set[str]:
    return {one.get("type", "") for one in (obj.get("status") or {}).get("conditions") or ()}


def _problem_of(encoded: str) -> str:
    """What is wrong with a request (base64 of PEM); empty when nothing is."""
    try:
        pem = base64.b64decode(encoded, validate=True)
    except (binascii.Error, ValueError):
        return "not base64"
    if b"-----BEGIN CERTIFICATE REQUEST-----" not in pem:
        return "PEM block type must be CERTIFICATE REQUEST"
    try:
        request = x509.load_pem_x509_csr(pem)
        good = request.is_signature_valid
    except Exception as error:  # whatever the library calls what it cannot read
        return f"unable to parse request: {error}"
    return "" if good else "the signature of the request is not valid"
