"""A certificate from the cluster: asked for, approved with kubectl, signed, and good for signing in; refused where Kubernetes refuses."""

from __future__ import annotations

import base64
import json

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from tests.support.server import wait_for

PATH = "/apis/certificates.k8s.io/v1/certificatesigningrequests"
CLIENT = "kubernetes.io/kube-apiserver-client"


def request_for(name, *groups):
    """(key as PEM, request in base64)."""
    key = ec.generate_private_key(ec.SECP256R1())
    names = [x509.NameAttribute(NameOID.ORGANIZATION_NAME, group) for group in groups]
    subject = x509.Name([*names, x509.NameAttribute(NameOID.COMMON_NAME, name)])
    pem = x509.CertificateSigningRequestBuilder().subject_name(subject).sign(key, hashes.SHA256())
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return private, base64.b64encode(pem.public_bytes(serialization.Encoding.PEM)).decode()


def manifest(name, request, **spec):
    return {
        "apiVersion": "certificates.k8s.io/v1",
        "kind": "CertificateSigningRequest",
        "metadata": {"name": name},
        "spec": {"request": request, "signerName": CLIENT, "usages": ["client auth"], "username": "forged", **spec},
    }


def test_kubectl_certificate_approve_yields_a_working_certificate(cluster, tmp_path):
    key, request = request_for("dora", "devs")
    cluster.kubectl("create", "-f", "-", stdin=json.dumps(manifest("dora", request, expirationSeconds=3600)))
    made = cluster.request("GET", f"{PATH}/dora")[1]
    assert made["spec"]["username"] == "admin"
    listed = cluster.kubectl("get", "csr")
    assert "Pending" in listed
    assert "60m" in listed
    cluster.kubectl("certificate", "approve", "dora")
    signed = wait_for(lambda: cluster.request("GET", f"{PATH}/dora")[1]["status"].get("certificate"), "the certificate")
    assert "Approved,Issued" in cluster.kubectl("get", "csr", "dora")
    (tmp_path / "key").write_bytes(key)
    (tmp_path / "crt").write_bytes(base64.b64decode(signed))
    certificate = x509.load_pem_x509_certificate(base64.b64decode(signed))
    assert (certificate.not_valid_after_utc - certificate.not_valid_before_utc).total_seconds() <= 3600 + 600
    config = tmp_path / "kubeconfig"
    for arguments in (
        (
            "set-cluster",
            "here",
            f"--server=https://127.0.0.1:{cluster.https}",
            f"--certificate-authority={cluster.data}/pki/ca.crt",
        ),
        ("set-credentials", "dora", f"--client-key={tmp_path / 'key'}", f"--client-certificate={tmp_path / 'crt'}"),
        ("set-context", "here", "--cluster=here", "--user=dora"),
        ("use-context", "here"),
    ):
        cluster.kubectl("config", f"--kubeconfig={config}", *arguments)
    who = cluster.kubectl("auth", "whoami", f"--kubeconfig={config}", "-o", "json")
    info = json.loads(who)["status"]["userInfo"]
    assert (info["username"], info["groups"]) == ("dora", ["devs", "system:authenticated"])
    # WebSockets know the certificate, too.
    cluster.kubectl("run", "shell", "--image=busybox", "--command", "--", "sleep", "1000")
    cluster.kubectl("wait", "--for=condition=Ready", "pod/shell")
    out = cluster.kubectl("exec", "shell", f"--kubeconfig={config}", "--", "echo", "hello", check=False)
    assert 'User "dora" cannot' in out
    cluster.kubectl("create", "rolebinding", "dora", "--clusterrole=edit", "--user=dora")
    assert cluster.kubectl("exec", "shell", f"--kubeconfig={config}", "--", "echo", "hello") == "hello\n"
    # What was signed stays, and so does the decision.
    made = cluster.request("GET", f"{PATH}/dora")[1]
    made["status"]["conditions"] = []
    code, answer = cluster.request("PUT", f"{PATH}/dora/approval", made)
    assert code == 422, answer


def test_what_was_denied_is_not_signed(cluster):
    _, request = request_for("eve")
    assert cluster.request("POST", PATH, manifest("eve", request))[0] == 201
    cluster.kubectl("certificate", "deny", "eve")
    assert "Denied" in cluster.kubectl("get", "csr", "eve")
    assert "certificate" not in cluster.request("GET", f"{PATH}/eve")[1]["status"]
    out = cluster.kubectl("certificate", "approve", "eve", check=False)
    assert "Denied" in cluster.kubectl("get", "csr", "eve"), out


def test_a_request_for_wrong_usages_fails_at_the_signer(cluster):
    _, request = request_for("web")
    assert cluster.request("POST", PATH, manifest("web", request, usages=["server auth"]))[0] == 201
    cluster.kubectl("certificate", "approve", "web")
    wait_for(lambda: "Approved,Failed" in cluster.kubectl("get", "csr", "web"), "the failure")


def test_nobody_becomes_master_by_certificate(cluster):
    _, request = request_for("mallory", "system:masters")
    code, answer = cluster.request("POST", PATH, manifest("mallory", request))
    assert code == 403
    assert "with system:masters group is not allowed" in answer["message"]


def test_approving_takes_the_right_to_approve_for_that_signer(cluster):
    _, request = request_for("frank")
    assert cluster.request("POST", PATH, manifest("frank", request))[0] == 201
    rules = [
        {
            "apiGroups": ["certificates.k8s.io"],
            "resources": ["certificatesigningrequests", "certificatesigningrequests/approval"],
            "verbs": ["get", "list", "update", "patch"],
        }
    ]
    role = {"metadata": {"name": "csr"}, "rules": rules}
    assert cluster.request("POST", "/apis/rbac.authorization.k8s.io/v1/clusterroles", role)[0] == 201
    cluster.kubectl("create", "clusterrolebinding", "csr", "--clusterrole=csr", "--user=olga")
    out = cluster.kubectl("certificate", "approve", "frank", "--as=olga", check=False)
    assert f'user not permitted to approve requests with signerName "{CLIENT}"' in out
    rules.append(
        {
            "apiGroups": ["certificates.k8s.io"],
            "resources": ["signers"],
            "resourceNames": ["kubernetes.io/*"],
            "verbs": ["approve"],
        }
    )
    assert cluster.request("PUT", "/apis/rbac.authorization.k8s.io/v1/clusterroles/csr", role)[0] == 200
    cluster.kubectl("certificate", "approve", "frank", "--as=olga")
    wait_for(lambda: "Issued" in cluster.kubectl("get", "csr", "frank"), "the certificate")


@pytest.mark.parametrize(
    ("spec", "complaint"),
    [
        ({"request": "eHg="}, "PEM block type must be CERTIFICATE REQUEST"),
        ({"usages": []}, "spec.usages: Required value"),
        ({"usages": ["telepathy"]}, "spec.usages[0]: Unsupported value"),
        ({"signerName": "nobody"}, "must be a fully qualified domain and path of the form"),
        ({"expirationSeconds": 5}, "may not specify a duration less than 600 seconds (10 minutes)"),
    ],
)
def test_bad_requests_are_invalid(cluster, spec, complaint):
    _, request = request_for("bad")
    body = manifest("bad", request)
    body["spec"] |= spec
    code, answer = cluster.request("POST", PATH, body)
    assert code == 422
    assert complaint in answer["message"]


def test_a_kubelets_own_request_is_approved_by_itself(cluster):
    _, request = request_for("system:node:node-1", "system:nodes")
    body = manifest(
        "kubelet",
        request,
        signerName="kubernetes.io/kube-apiserver-client-kubelet",
        usages=["digital signature", "client auth"],
    )
    acting = {"Impersonate-User": "system:node:node-1", "Impersonate-Group": "system:nodes"}
    cluster.kubectl(
        "create", "clusterrolebinding", "kubelets", "--group=system:nodes",
        "--clusterrole=system:certificates.k8s.io:certificatesigningrequests:selfnodeclient",
    )  # fmt: skip
    code, answer = cluster.request("POST", PATH, body, acting)
    assert code == 201, answer
    wait_for(lambda: "Approved,Issued" in cluster.kubectl("get", "csr", "kubelet"), "the certificate")
