"""Certificates: kubelets' requests are approved, approved requests signed, old ones removed (pkg/controller/certificates).

The key stays with whoever wired the process: the loops' setting `sign_certificate` is a function of (request as PEM, usages, seconds).
"""

from __future__ import annotations

import base64
from collections.abc import Callable
from datetime import datetime

from cryptography import x509
from cryptography.x509.oid import NameOID

from cluster import clock
from cluster.client.client import Obj
from cluster.client.loop import ControlLoop
from cluster.journeys.trace import step

REQUESTS = "certificates.k8s.io/v1/certificatesigningrequests"
REVIEWS = "authorization.k8s.io/v1/subjectaccessreviews"
CLIENT, KUBELET_CLIENT, KUBELET_SERVING, LEGACY = (
    f"kubernetes.io/{name}"
    for name in ("kube-apiserver-client", "kube-apiserver-client-kubelet", "kubelet-serving", "legacy-unknown")
)
SIGNERS = frozenset({CLIENT, KUBELET_CLIENT, KUBELET_SERVING, LEGACY})
BASE_USAGES = frozenset({"digital signature", "key encipherment"})
HOUR = 3600.0
# Seconds until a request is removed: one that was decided, one that nobody decided.
DECIDED_LIFE, PENDING_LIFE = HOUR, 24 * HOUR


def conditions_of(request: Obj) -> dict[str, Obj]:
    """Its conditions by type."""
    return {one["type"]: one for one in (request.get("status") or {}).get("conditions") or ()}


def parsed(request: Obj) -> x509.CertificateSigningRequest:
    return x509.load_pem_x509_csr(base64.b64decode(request["spec"]["request"]))


def names_of(certificate: x509.CertificateSigningRequest) -> tuple[str, list[str]]:
    """(common name, organizations) of a request."""
    names = certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    groups = certificate.subject.get_attributes_for_oid(NameOID.ORGANIZATION_NAME)
    return (str(names[0].value) if names else ""), [str(group.value) for group in groups]


def why_not(request: Obj) -> str:
    """Why this signer signs no such request; empty when it does (signer/signer.go)."""
    spec = request["spec"]
    usages, signer = set(spec["usages"]), spec["signerName"]
    certificate = parsed(request)
    name, groups = names_of(certificate)
    if signer == CLIENT:
        if "client auth" not in usages or not usages <= BASE_USAGES | {"client auth"}:
            return 'usages did not match [client auth], with "digital signature" and "key encipherment" optional'
    elif signer == KUBELET_CLIENT:
        if not is_node(name, groups) or _has_alternatives(certificate):
            return "the subject is not that of a kubelet: system:node:NAME in system:nodes, without other names"
        if "client auth" not in usages or not usages <= BASE_USAGES | {"client auth"}:
            return 'usages did not match "client auth", "digital signature" and "key encipherment"'
    elif signer == KUBELET_SERVING:
        if not is_node(name, groups) or not _has_alternatives(certificate):
            return "the subject is not that of a kubelet with at least one DNS name or address"
        if "server auth" not in usages or not usages <= BASE_USAGES | {"server auth"}:
            return 'usages did not match "server auth", "digital signature" and "key encipherment"'
    return ""


def is_node(name: str, groups: list[str]) -> bool:
    return groups == ["system:nodes"] and name.startswith("system:node:")


def _has_alternatives(certificate: x509.CertificateSigningRequest) -> bool:
    try:
        certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName)
    except x509.ExtensionNotFound:
        return False
    return True


def with_condition(request: Obj, kind: str, reason: str, message: str, **status: object) -> Obj:
    """The request with one condition more."""
    old = request.get("status") or {}
    condition = {"type": kind, "status": "True", "reason": reason, "message": message}
    return {**request, "status": {**old, "conditions": [*(old.get("conditions") or ()), condition], **status}}


class RequestLoop(ControlLoop):
    """What the loops about certificate requests have in common: one watch, one account."""

    account = "certificate-controller"
    workers = 1

    def setup(self) -> None:
        self.requests = self.watch(REQUESTS)

    async def reconcile(self, key: str) -> float | None:
        request = self.requests.get(key)
        return None if request is None else await self.look(key, request)

    async def look(self, key: str, request: Obj) -> float | None:
        """Do what this request asks of this loop; seconds until it is to be looked at again."""
        raise NotImplementedError


class CertificateSigningController(RequestLoop):
    """Signs approved certificate requests of the API server's own signers."""

    name = "csrsigning"
    title = "certificate signing"

    def setup(self) -> None:
        super().setup()
        # Without a key nothing is signed, as without --cluster-signing-key-file.
        self.sign: Callable[[bytes, list[str], float | None], bytes] | None
        self.sign = self.context.settings.get("sign_certificate")

    async def look(self, key: str, request: Obj) -> float | None:
        if self.sign is None or request["spec"]["signerName"] not in SIGNERS:
            return None
        conditions = conditions_of(request)
        if "Approved" not in conditions or "Failed" in conditions or (request.get("status") or {}).get("certificate"):
            return None
        spec = request["spec"]
        with step("decide") as span:
            problem = why_not(request)
            span.detail = {"sign": not problem, "why": problem}
        if problem:
            with step("act", {"fail": key}):
                failed = with_condition(request, "Failed", "SignerValidationFailure", problem)
                await self.client.update(REQUESTS, failed, subresource="status")
            return None
        with step("act", {"sign": key}):
            pem = self.sign(base64.b64decode(spec["request"]), spec["usages"], spec.get("expirationSeconds"))
            status = {**request["status"], "certificate": base64.b64encode(pem).decode()}
            await self.client.update(REQUESTS, {**request, "status": status}, subresource="status")
        return None


class CertificateApprovingController(RequestLoop):
    """Approves the certificate requests of kubelets that RBAC lets have one."""

    name = "csrapproving"
    title = "certificate approval"

    async def look(self, key: str, request: Obj) -> float | None:
        if conditions_of(request) or request["spec"]["signerName"] != KUBELET_CLIENT:
            return None
        if why_not(request):
            return None
        spec = request["spec"]
        own = names_of(parsed(request))[0] == spec.get("username")
        subresource, what = ("selfnodeclient", "self kubelet") if own else ("nodeclient", "kubelet")
        with step("decide") as span:
            allowed = await self._may(spec, subresource)
            span.detail = {"approve": allowed, "right": f"create certificatesigningrequests/{subresource}"}
        if allowed:
            message = f"Auto approving {what} client certificate after SubjectAccessReview."
            with step("act", {"approve": key}):
                approved = with_condition(request, "Approved", "AutoApproved", message)
                await self.client.update(REQUESTS, approved, subresource="approval")
        return None

    async def _may(self, spec: Obj, subresource: str) -> bool:
        attributes = {
            "group": "certificates.k8s.io",
            "resource": "certificatesigningrequests",
            "verb": "create",
            "subresource": subresource,
        }
        asked = {"user": spec.get("username", ""), "groups": spec.get("groups") or [], "resourceAttributes": attributes}
        review = {"apiVersion": "authorization.k8s.io/v1", "kind": "SubjectAccessReview", "spec": asked}
        answer = await self.client.create(REVIEWS, review)
        return bool(answer["status"]["allowed"])


class CertificateCleaningController(RequestLoop):
    """Removes certificate requests that are done with, or that nobody decided."""

    name = "csrcleaner"
    title = "certificate cleaning"

    async def look(self, key: str, request: Obj) -> float | None:
        conditions = conditions_of(request)
        since = request["metadata"]["creationTimestamp"]
        life = PENDING_LIFE
        for kind in ("Approved", "Denied", "Failed"):
            if kind in conditions:
                since, life = conditions[kind].get("lastUpdateTime") or since, DECIDED_LIFE
        left = datetime.fromisoformat(since).timestamp() + life - clock.now()
        if left > 0:
            return left
        with step("act", {"delete": key}):
            await self.client.delete(REQUESTS, key, uid=request["metadata"]["uid"])
        return None
