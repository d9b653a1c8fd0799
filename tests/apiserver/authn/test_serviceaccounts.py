"""Service account tokens: what is in them, and when they stop being good."""

from __future__ import annotations

import base64
import json
import stat

import jwt
import pytest

from cluster import clock
from cluster.apimachinery.errors import StatusError
from cluster.apiserver.authn.serviceaccounts import ISSUER, InvalidToken, ServiceAccountTokens


@pytest.fixture
def later(monkeypatch):
    """Move cluster time."""
    real = clock.now

    def move(seconds):
        monkeypatch.setattr(clock, "now", lambda: real() + seconds)

    return move


def good(tokens, token, audiences=()):
    return tokens.check(tokens.verify(token), audiences)


def test_the_claims_are_kubernetes_claims(tokens, reader):
    pod = reader.get("pods", "shop", "web")
    token, expires = tokens.issue("shop", "robot", "sa-1", [], 3600, pod)
    claims = tokens.verify(token)
    assert claims["iss"] == ISSUER
    assert claims["aud"] == [ISSUER]
    assert claims["sub"] == "system:serviceaccount:shop:robot"
    assert claims["exp"] - claims["iat"] == 3600
    assert claims["nbf"] == claims["iat"]
    assert clock.parse(expires) == claims["exp"]
    assert claims["kubernetes.io"] == {
        "namespace": "shop",
        "serviceaccount": {"name": "robot", "uid": "sa-1"},
        "pod": {"name": "web", "uid": "pod-1"},
        "node": {"name": "n1", "uid": "node-1"},
    }
    assert good(tokens, token) == (ISSUER,)


def test_the_user_of_a_token(tokens, reader):
    token, _ = tokens.issue("shop", "robot", "sa-1", bound=reader.get("pods", "shop", "web"))
    claims = tokens.verify(token)
    user = tokens.user(claims)
    assert user.name == "system:serviceaccount:shop:robot"
    assert user.groups == ("system:serviceaccounts", "system:serviceaccounts:shop", "system:authenticated")
    assert user.uid == "sa-1"
    assert user.extra == {
        "authentication.kubernetes.io/credential-id": (f"JTI={claims['jti']}",),
        "authentication.kubernetes.io/pod-name": ("web",),
        "authentication.kubernetes.io/pod-uid": ("pod-1",),
        "authentication.kubernetes.io/node-name": ("n1",),
        "authentication.kubernetes.io/node-uid": ("node-1",),
    }


def test_old_clients_get_a_year_and_a_warning(tokens, reader):
    token, expires = tokens.issue("shop", "robot", "sa-1", [], 3607, reader.get("pods", "shop", "web"))
    claims = tokens.verify(token)
    assert claims["exp"] - claims["iat"] == 365 * 24 * 3600
    assert claims["kubernetes.io"]["warnafter"] - claims["iat"] == 3607
    assert clock.parse(expires) == claims["iat"] + 3607


def tamper(token, part, change):
    parts = token.split(".")
    content = json.loads(base64.urlsafe_b64decode(parts[part] + "=="))
    change(content)
    parts[part] = base64.urlsafe_b64encode(json.dumps(content).encode()).rstrip(b"=").decode()
    return ".".join(parts)


@pytest.mark.parametrize("what", ["sub", "signature", "alg-none", "other-key", "no-private", "hmac"])
def test_tampered_tokens_are_refused(tokens, tmp_path, reader, what):
    token, _ = tokens.issue("shop", "robot", "sa-1")
    claims = tokens.verify(token)
    match what:
        case "sub":
            token = tamper(token, 1, lambda c: c.update(sub="system:serviceaccount:kube-system:root"))
        case "signature":
            head, body, signature = token.split(".")
            token = f"{head}.{body}.{'A' if signature[0] != 'A' else 'B'}{signature[1:]}"
        case "alg-none":
            token = jwt.encode(claims, None, algorithm="none")
        case "other-key":
            token, _ = ServiceAccountTokens(tmp_path / "other", reader).issue("shop", "robot", "sa-1")
        case "no-private":
            claims.pop("kubernetes.io")
            token = jwt.encode(claims, tokens._key, "ES256")
        case "hmac":
            token = jwt.encode(claims, "k" * 32, "HS256")
    with pytest.raises(InvalidToken):
        tokens.verify(token)


def test_expiry_is_in_cluster_time(tokens, later):
    token, _ = tokens.issue("shop", "robot", "sa-1", [], 600)
    later(599)
    assert good(tokens, token)
    later(700)
    with pytest.raises(InvalidToken, match="service account token has expired"):
        good(tokens, token)
    later(-700)
    with pytest.raises(InvalidToken, match="not valid yet"):
        good(tokens, token)


def test_audiences(tokens):
    token, _ = tokens.issue("shop", "robot", "sa-1", ["vault", "other"])
    assert good(tokens, token, ["vault"]) == ("vault",)
    with pytest.raises(InvalidToken, match="token audiences"):
        good(tokens, token)


def test_a_token_dies_with_what_it_is_bound_to(tokens, reader):
    pod_token, _ = tokens.issue("shop", "robot", "sa-1", bound=reader.get("pods", "shop", "web"))
    secret_token, _ = tokens.issue("shop", "robot", "sa-1", bound=reader.get("secrets", "shop", "key"))
    plain_token, _ = tokens.issue("shop", "robot", "sa-1")
    reader.put("pods", "shop", "web", "pod-2")
    with pytest.raises(InvalidToken, match=r"pod UID \(pod-2\) does not match service account pod ref claim \(pod-1\)"):
        good(tokens, pod_token)
    del reader.objects["pods", "shop", "web"]
    with pytest.raises(InvalidToken, match="service account token has been invalidated"):
        good(tokens, pod_token)
    assert good(tokens, secret_token)
    del reader.objects["secrets", "shop", "key"]
    with pytest.raises(InvalidToken, match="service account token has been invalidated"):
        good(tokens, secret_token)
    assert good(tokens, plain_token)
    reader.put("serviceaccounts", "shop", "robot", "sa-2")
    with pytest.raises(InvalidToken, match=r"service account UID \(sa-2\) does not match claim \(sa-1\)"):
        good(tokens, plain_token)
    del reader.objects["serviceaccounts", "shop", "robot"]
    with pytest.raises(InvalidToken, match='serviceaccounts "robot" not found'):
        good(tokens, plain_token)


def test_a_terminating_pod_keeps_its_token_for_a_moment(tokens, reader, later):
    token, _ = tokens.issue("shop", "robot", "sa-1", bound=reader.get("pods", "shop", "web"))
    reader.get("pods", "shop", "web")["metadata"]["deletionTimestamp"] = clock.timestamp()
    assert good(tokens, token)
    later(120)
    with pytest.raises(InvalidToken):
        good(tokens, token)


def test_token_requests(tokens, reader):
    spec = {"boundObjectRef": {"kind": "Pod", "apiVersion": "v1", "name": "web"}, "expirationSeconds": 1200}
    answer = tokens.request({"spec": spec}, "shop", "robot")
    assert answer["spec"]["audiences"] == [ISSUER]
    assert answer["spec"]["expirationSeconds"] == 1200
    assert tokens.verify(answer["status"]["token"])["kubernetes.io"]["pod"]["uid"] == "pod-1"
    assert tokens.request({}, "shop", "robot")["spec"]["expirationSeconds"] == 3600


@pytest.mark.parametrize(
    ("spec", "name", "code", "text"),
    [
        ({}, "nobody", 404, 'serviceaccounts "nobody" not found'),
        (
            {"expirationSeconds": 599},
            "robot",
            422,
            'TokenRequest.authentication.k8s.io "" is invalid: spec.expirationSeconds: Invalid value: 599: '
            "may not specify a duration less than 10 minutes",
        ),
        ({"expirationSeconds": 1 << 33}, "robot", 422, "may not specify a duration larger than 2^32 seconds"),
        ({"boundObjectRef": {"kind": "Pod", "name": "gone"}}, "robot", 404, 'pods "gone" not found'),
        (
            {"boundObjectRef": {"kind": "Pod", "name": "alien"}},
            "robot",
            400,
            'cannot bind token for serviceaccount "robot" to pod running with serviceaccount "other"',
        ),
        ({"boundObjectRef": {"kind": "Pod", "name": "web", "uid": "old"}}, "robot", 409, "(old) does not match"),
        ({"boundObjectRef": {"kind": "Job", "apiVersion": "batch/v1", "name": "x"}}, "robot", 400, "Kind=Job"),
    ],
)
def test_bad_token_requests(tokens, reader, spec, name, code, text):
    reader.put("pods", "shop", "alien", "pod-9", spec={"serviceAccountName": "other"})
    with pytest.raises(StatusError) as refused:
        tokens.request({"spec": spec}, "shop", name)
    assert refused.value.code == code
    assert text in refused.value.message


def test_discovery_lets_others_verify(tokens):
    token, _ = tokens.issue("shop", "robot", "sa-1")
    document = tokens.openid_configuration("https://127.0.0.1:6443/")
    assert document["jwks_uri"] == "https://127.0.0.1:6443/openid/v1/jwks"
    keys = jwt.PyJWKSet.from_dict(tokens.jwks())
    key = keys[jwt.get_unverified_header(token)["kid"]]
    assert jwt.decode(token, key.key, ["ES256"], audience=ISSUER)["iss"] == document["issuer"]


def test_the_key_is_kept_and_private(tokens, tmp_path, reader):
    token, _ = tokens.issue("shop", "robot", "sa-1")
    assert good(ServiceAccountTokens(tmp_path / "pki", reader), token)
    assert stat.S_IMODE((tmp_path / "pki" / "sa.key").stat().st_mode) == 0o600
