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


def test_issuer_discovery_leads_from_a_token_to_its_keys_for_a_pod(ns):
    """From within a pod: the token names the issuer, its document the keys; anybody signed in may read both."""
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
    script = (
        "T=/var/run/secrets/kubernetes.io/serviceaccount; "
        'wget -q -O - --no-check-certificate --header "Authorization: Bearer $(cat $T/token)" '
        "https://kubernetes.default.svc/.well-known/openid-configuration"
    )
    assert json.loads(ns.shell("asks", script))["issuer"] == document["issuer"]
