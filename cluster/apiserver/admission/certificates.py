"""CertificateSigningRequests: who asked is noted, and only those approve and sign who may for that signer (plugin/certificates)."""

from __future__ import annotations

import base64

from cryptography import x509
from cryptography.x509.oid import NameOID

from cluster.apimachinery.users import user_info
from cluster.apiserver.admission.plugin import Plugin, refuse
from cluster.apiserver.request import Attributes, Obj, RequestInfo

GROUP = "certificates.k8s.io"
REQUESTS = frozenset({f"{GROUP}/certificatesigningrequests"})
CLIENT_SIGNER = "kubernetes.io/kube-apiserver-client"


class CertificateRequester(Plugin):
    """The spec says who asks, whatever the client wrote (in Kubernetes the registry's strategy does this)."""

    name = "CertificateRequester"
    resources = REQUESTS

    def admit(self, attributes: Attributes) -> str | None:
        assert attributes.obj is not None
        spec, user = attributes.obj.setdefault("spec", {}), attributes.user
        for field in ("username", "uid", "groups", "extra"):
            spec.pop(field, None)
        spec.update(user_info(user))
        return f"requested by {user.name}"


class CertificateSubjectRestriction(Plugin):
    """Nobody gets a certificate that makes them system:masters."""

    name = "CertificateSubjectRestriction"
    resources = REQUESTS

    def validate(self, attributes: Attributes) -> None:
        assert attributes.obj is not None
        spec = attributes.obj["spec"]
        if spec.get("signerName") != CLIENT_SIGNER:
            return
        subject = x509.load_pem_x509_csr(base64.b64decode(spec["request"])).subject
        groups = {one.value for one in subject.get_attributes_for_oid(NameOID.ORGANIZATION_NAME)}
        if "system:masters" in groups:
            raise refuse(attributes, f"use of {CLIENT_SIGNER} signer with system:masters group is not allowed")


class CertificateApproval(Plugin):
    """Deciding takes the right to approve for that signer."""

    name = "CertificateApproval"
    resources = REQUESTS
    operations = frozenset({"UPDATE"})
    subresources = frozenset({"approval"})

    def validate(self, attributes: Attributes) -> None:
        assert attributes.old is not None
        signer = attributes.old["spec"]["signerName"]
        if not may(attributes, "approve", signer):
            raise refuse(attributes, f'user not permitted to approve requests with signerName "{signer}"')


class CertificateSigning(Plugin):
    """Signing takes the right to sign for that signer."""

    name = "CertificateSigning"
    resources = REQUESTS
    operations = frozenset({"UPDATE"})
    subresources = frozenset({"status"})

    def validate(self, attributes: Attributes) -> None:
        assert attributes.old is not None
        assert attributes.obj is not None
        before, now = attributes.old.get("status") or {}, attributes.obj.get("status") or {}
        if before.get("certificate") == now.get("certificate") and _failed(before) == _failed(now):
            return
        signer = attributes.old["spec"]["signerName"]
        if not may(attributes, "sign", signer):
            raise refuse(attributes, f'user not permitted to sign requests with signerName "{signer}"')


def may(attributes: Attributes, verb: str, signer: str) -> bool:
    """Whether the user has the verb on this signer, or on all of its domain."""
    names = (signer, f"{signer.partition('/')[0]}/*")
    return any(attributes.may(RequestInfo("", verb, True, GROUP, "", resource="signers", name=name)) for name in names)


def _failed(status: Obj) -> list[Obj]:
    return [one for one in status.get("conditions") or () if one.get("type") == "Failed"]
