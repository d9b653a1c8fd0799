"""[sig-auth]: who am I, ServiceAccounts and their tokens, discovery of their issuer."""

from __future__ import annotations

import base64
import json

from tests.support.server import wait_for


def claims(token):
    part = token.split(".")[1]
    return json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))


def token_of(ns, account, **spec):
    answer = ns.request("POST", ns.path("serviceaccounts", f"{account}/token"), {"spec": spec})
    return answer["status"]["token"]


def test_self_subject_review_says_who_asks(ns):
    group = ns.request("GET", "/apis/authentication.k8s.io/v1")
    assert "selfsubjectreviews" in {one["name"] for one in group["resources"]}
    answer = ns.request("POST", "/apis/authentication.k8s.io/v1/selfsubjectreviews", {})
    assert answer["kind"] == "SelfSubjectReview" and answer["status"]["userInfo"]["username"] == "admin"
    assert "system:authenticated" in answer["status"]["userInfo"]["groups"]


def test_service_accounts_should_update_a_service_account(ns):
    ns.create("serviceaccounts", "e2e-sa", automountServiceAccountToken=False)
    current = ns.get("serviceaccounts", "e2e-sa")
    current["automountServiceAccountToken"] = True
    assert ns.put("serviceaccounts", "e2e-sa", current)["automountServiceAccountToken"] is True
    (found,) = [one for one in ns.list("serviceaccounts") if one["metadata"]["name"] == "e2e-sa"]
    assert found["automountServiceAccountToken"] is True


def test_service_accounts_root_ca_is_there_again_when_it_was_deleted_or_changed(ns):
    wait_for(lambda: ns.find("configmaps", "kube-root-ca.crt"), "the root certificate is there")
    good = ns.get("configmaps", "kube-root-ca.crt")["data"]
    ns.delete("configmaps", "kube-root-ca.crt")
    wait_for(lambda: ns.find("configmaps", "kube-root-ca.crt"), "it is back")
    ns.patch("configmaps", "kube-root-ca.crt", {"data": {"ca.crt": ""}})
    wait_for(lambda: ns.get("configmaps", "kube-root-ca.crt")["data"] == good, "it is right again")


def test_issuer_discovery_leads_from_a_token_to_its_keys(ns):
    """The token names the issuer, its document the keys."""
    document = json.loads(ns.cluster.kubectl("get", "--raw", "/.well-known/openid-configuration"))
    token = token_of(ns, "default", audiences=["oidc-discovery-test"])
    said = claims(token)
    assert said["iss"] == document["issuer"] and said["aud"] == ["oidc-discovery-test"]
    assert said["sub"] == f"system:serviceaccount:{ns.name}:default"
    keys = json.loads(ns.cluster.kubectl("get", "--raw", "/openid/v1/jwks"))["keys"]
    head = token.split(".")[0]
    named = json.loads(base64.urlsafe_b64decode(head + "=" * (-len(head) % 4)))["kid"]
    assert named in {one["kid"] for one in keys}
    review = {"spec": {"token": token, "audiences": ["oidc-discovery-test"]}}
    answer = ns.request("POST", "/apis/authentication.k8s.io/v1/tokenreviews", review)
    assert answer["status"]["authenticated"] is True


def validator(ns, audience, expected):
    """The pod of Kubernetes' own test: it verifies a projected token as a third party would."""
    source = {"serviceAccountToken": {"path": "sa-token", "expirationSeconds": 600, "audience": audience}}
    ns.pod(
        expected.lower(),
        "test-service-account-issuer-discovery",
        "--in-cluster-discovery",
        "--token-path",
        "/var/run/secrets/tokens/sa-token",
        "--audience",
        "oidc-discovery-test",
        restartPolicy="Never",
        container={"volumeMounts": [{"name": "sa-token", "mountPath": "/var/run/secrets/tokens", "readOnly": True}]},
        volumes=[{"name": "sa-token", "projected": {"sources": [source]}}],
    )
    ns.phase(expected.lower(), expected)
    return ns.log(expected.lower())


def test_issuer_discovery_from_within_a_pod(ns):
    told = validator(ns, "oidc-discovery-test", "Succeeded")
    assert "OK: Constructed OIDC provider for issuer https://kubernetes.default.svc.cluster.local" in told
    assert "OK: Validated signature on JWT" in told and "OK: Got valid claims from token!" in told


def test_issuer_discovery_refuses_a_token_for_somebody_else(ns):
    told = validator(ns, "another", "Failed")
    assert "OK: Constructed OIDC provider" in told and "Audience doesn't match" in told
