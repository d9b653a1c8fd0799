"""Service account tokens: JWTs in Kubernetes' claims format, signed with DATA_DIR/pki/sa.key (pkg/serviceaccount).

A token is good while its signature and times are, and while the ServiceAccount (and the Pod, Secret or Node it is bound to)
exists with the uid it was issued for. Times are cluster time, as everything in the cluster. Called by the `token`
subresource of serviceaccounts (`request`), by the authenticator (`verify`, `check`) and for OpenID discovery.
"""

from __future__ import annotations

import base64
import hashlib
import uuid
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from cluster import clock
from cluster.accounts import pki
from cluster.apimachinery import errors
from cluster.apiserver.request import Obj, Reader, UserInfo

ISSUER = "https://kubernetes.default.svc.cluster.local"
AUDIENCES = (ISSUER,)
ALGORITHM = "ES256"
DEFAULT_SECONDS, MINIMUM_SECONDS, MAXIMUM_SECONDS = 3600, 600, 1 << 32
# What kubelets ask for on behalf of old clients that never reload their token: it lives on, with a warning.
WARN_ONLY_SECONDS, EXTENDED_SECONDS = 3607, 365 * 24 * 3600
LEEWAY = 60
_EXTRA = "authentication.kubernetes.io/"
_BOUND = (("pod", "pods", "Pod"), ("secret", "secrets", "Secret"), ("node", "nodes", "Node"))


class InvalidToken(Exception):
    """Why a token is not accepted, in Kubernetes' words."""


class ServiceAccountTokens:
    """Issues and verifies. `directory` is where sa.key is, or will be."""

    def __init__(
        self, directory: Path, reader: Reader, issuer: str = ISSUER, audiences: tuple[str, ...] = AUDIENCES
    ) -> None:
        path = directory / "sa.key"
        if not path.exists():
            pki.write_private(path, pki.key_pem(ec.generate_private_key(ec.SECP256R1())))
        self._key = pki.load_key(path)
        self._public = self._key.public_key()
        self._reader = reader
        self.issuer = issuer
        self.audiences = audiences
        der = self._public.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
        self.key_id = _base64(hashlib.sha256(der).digest())

    def issue(
        self,
        namespace: str,
        name: str,
        uid: str,
        audiences: Iterable[str] = (),
        expiration_seconds: int = DEFAULT_SECONDS,
        bound: Obj | None = None,
    ) -> tuple[str, str]:
        """(token, expirationTimestamp). `bound` is the Pod, Secret or Node object that it shall not outlive."""
        now = int(clock.now())
        wanted = list(audiences) or list(self.audiences)
        private: Obj = {"namespace": namespace, "serviceaccount": {"name": name, "uid": uid}}
        lives = expiration_seconds
        if bound is not None:
            kind = str(bound["kind"]).lower()
            private[kind] = {"name": bound["metadata"]["name"], "uid": bound["metadata"]["uid"]}
            if kind == "pod":
                node = self._reader.get("nodes", "", (bound.get("spec") or {}).get("nodeName") or "")
                if node is not None:
                    private["node"] = {"name": node["metadata"]["name"], "uid": node["metadata"]["uid"]}
                if expiration_seconds == WARN_ONLY_SECONDS and set(wanted) <= set(self.audiences):
                    lives = EXTENDED_SECONDS
                    private["warnafter"] = now + expiration_seconds
        claims = {
            "aud": wanted,
            "exp": now + lives,
            "iat": now,
            "iss": self.issuer,
            "jti": str(uuid.uuid4()),
            "kubernetes.io": private,
            "nbf": now,
            "sub": f"system:serviceaccount:{namespace}:{name}",
        }
        token = jwt.encode(claims, self._key, ALGORITHM, headers={"kid": self.key_id, "typ": None})
        return token, clock.timestamp(now + expiration_seconds)

    def request(self, obj: Obj, namespace: str, name: str) -> Obj:
        """Answer a TokenRequest posted to serviceaccounts/NAME/token."""
        account = self._reader.get("serviceaccounts", namespace, name)
        if account is None:
            raise errors.not_found("serviceaccounts", "", name)
        spec: Obj = dict(obj.get("spec") or {})
        seconds = spec.get("expirationSeconds")
        seconds = DEFAULT_SECONDS if seconds is None else int(seconds)
        _validate(seconds)
        bound = self._bound(spec.get("boundObjectRef"), namespace, name)
        spec["audiences"] = list(spec.get("audiences") or self.audiences)
        spec["expirationSeconds"] = seconds
        token, expires = self.issue(namespace, name, account["metadata"]["uid"], spec["audiences"], seconds, bound)
        metadata = {"name": name, "namespace": namespace, "creationTimestamp": clock.timestamp()}
        return {
            "kind": "TokenRequest",
            "apiVersion": "authentication.k8s.io/v1",
            "metadata": metadata,
            "spec": spec,
            "status": {"token": token, "expirationTimestamp": expires},
        }

    def _bound(self, reference: Obj | None, namespace: str, account: str) -> Obj | None:
        if reference is None:
            return None
        kind, name = reference.get("kind") or "", reference.get("name") or ""
        resource = {"Pod": "pods", "Secret": "secrets", "Node": "nodes"}.get(kind)
        if resource is None or (reference.get("apiVersion") or "v1") != "v1":
            group, _, version = (reference.get("apiVersion") or "").rpartition("/")
            text = f"{group}/{version}, Kind={kind}"
            raise errors.bad_request(f"cannot bind token to object of type {text}")
        obj = self._reader.get(resource, "" if kind == "Node" else namespace, name)
        if obj is None:
            raise errors.not_found(resource, "", name)
        if kind == "Pod":
            runs_as = obj["spec"].get("serviceAccountName") or ""
            if runs_as != account:
                raise errors.bad_request(
                    f'cannot bind token for serviceaccount "{account}" to pod running with serviceaccount "{runs_as}"'
                )
        uid = obj["metadata"]["uid"]
        if reference.get("uid") and reference["uid"] != uid:
            raise errors.conflict(
                kind,
                "",
                name,
                f"the UID in the bound object reference ({reference['uid']}) does not match the UID in record. "
                "The object might have been deleted and then recreated",
            )
        return {**obj, "kind": kind}

    def is_ours(self, token: str) -> bool:
        """Does this look like a token that we issued? Says nothing about its being good."""
        if token.count(".") != 2:
            return False
        try:
            claims = jwt.decode(token, options={"verify_signature": False})
        except jwt.PyJWTError:
            return False
        return bool(claims.get("iss") == self.issuer)

    def verify(self, token: str) -> Obj:
        """The claims of a token whose signature is good; the rest is `check`'s."""
        try:
            claims: Obj = jwt.decode(
                token,
                self._public,
                algorithms=[ALGORITHM],
                issuer=self.issuer,
                options={
                    "require": ["exp", "iss", "sub", "aud"],
                    # Cluster time decides, in check().
                    "verify_exp": False,
                    "verify_nbf": False,
                    "verify_iat": False,
                    "verify_aud": False,
                },
            )
        except jwt.PyJWTError as error:
            raise InvalidToken("service account token is not valid") from error
        if not isinstance(claims.get("kubernetes.io"), dict):
            raise InvalidToken("service account token claims could not be validated due to unexpected private claim")
        return claims

    def check(self, claims: Obj, audiences: Iterable[str] = ()) -> tuple[str, ...]:
        """The audiences it is good for now; InvalidToken when it is not good (any more). Cheap: no cryptography."""
        self.still_good(claims)
        carried = [claims["aud"]] if isinstance(claims["aud"], str) else claims["aud"]
        wanted = tuple(audiences) or self.audiences
        common = tuple(audience for audience in carried if audience in wanted)
        if not common:
            raise InvalidToken(
                f"token audiences {_go_list(carried)} is invalid for the target audiences {_go_list(wanted)}"
            )
        return common

    def still_good(self, claims: Obj) -> None:
        """What may change from one moment to the next: InvalidToken when it has expired or its objects are gone."""
        now = clock.now()
        if claims["exp"] + LEEWAY < now:
            raise InvalidToken("service account token has expired")
        if claims.get("nbf", 0) - LEEWAY > now:
            raise InvalidToken("service account token is not valid yet")
        self._still_there(claims["kubernetes.io"], now)

    def _still_there(self, private: Obj, now: float) -> None:
        namespace, account = private["namespace"], private["serviceaccount"]
        name = account["name"]
        obj = self._reader.get("serviceaccounts", namespace, name)
        if obj is None:
            raise InvalidToken(f'serviceaccounts "{name}" not found')
        if _deleted(obj, now):
            raise InvalidToken(f"service account {namespace}/{name} has been deleted")
        uid = obj["metadata"]["uid"]
        if uid != account["uid"]:
            raise InvalidToken(f"service account UID ({uid}) does not match claim ({account['uid']})")
        for claim, resource, kind in _BOUND:
            reference = private.get(claim)
            if reference is None or (claim == "node" and "pod" in private):
                continue
            obj = self._reader.get(resource, "" if claim == "node" else namespace, reference["name"])
            if obj is None or _deleted(obj, now):
                raise InvalidToken("service account token has been invalidated")
            uid = obj["metadata"]["uid"]
            if uid != reference["uid"]:
                word = claim if claim != "secret" else "Secret"
                raise InvalidToken(
                    f"{kind if claim == 'node' else word} UID ({uid}) does not match service account "
                    f"{claim} ref claim ({reference['uid']})"
                )

    def user(self, claims: Obj) -> UserInfo:
        """Who presents a token with these claims."""
        private = claims["kubernetes.io"]
        namespace, account = private["namespace"], private["serviceaccount"]
        extra: dict[str, tuple[str, ...]] = {}
        if claims.get("jti"):
            extra[f"{_EXTRA}credential-id"] = (f"JTI={claims['jti']}",)
        for kind in ("node", "pod"):
            if kind in private:
                extra[f"{_EXTRA}{kind}-name"] = (private[kind]["name"],)
                extra[f"{_EXTRA}{kind}-uid"] = (private[kind]["uid"],)
        groups = ("system:serviceaccounts", f"system:serviceaccounts:{namespace}", "system:authenticated")
        return UserInfo(f"system:serviceaccount:{namespace}:{account['name']}", groups, account["uid"], extra)

    def jwks(self) -> Obj:
        """The document at /openid/v1/jwks."""
        numbers = self._public.public_numbers()
        key = {
            "use": "sig",
            "kty": "EC",
            "kid": self.key_id,
            "crv": "P-256",
            "alg": ALGORITHM,
            "x": _base64(numbers.x.to_bytes(32, "big")),
            "y": _base64(numbers.y.to_bytes(32, "big")),
        }
        return {"keys": [key]}

    def openid_configuration(self, server_url: str) -> Obj:
        """The document at /.well-known/openid-configuration."""
        return {
            "issuer": self.issuer,
            "jwks_uri": f"{server_url.rstrip('/')}/openid/v1/jwks",
            "response_types_supported": ["id_token"],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": [ALGORITHM],
        }


def _validate(seconds: int) -> None:
    path = "spec.expirationSeconds"
    found: list[errors.FieldError] = []
    if seconds < MINIMUM_SECONDS:
        found.append(errors.invalid_value(path, seconds, "may not specify a duration less than 10 minutes"))
    if seconds > MAXIMUM_SECONDS:
        found.append(errors.invalid_value(path, seconds, "may not specify a duration larger than 2^32 seconds"))
    if found:
        raise errors.invalid("TokenRequest", "authentication.k8s.io", "", found)


def _deleted(obj: Obj, now: float) -> bool:
    at = obj["metadata"].get("deletionTimestamp")
    return at is not None and clock.parse(at) < now - LEEWAY


def _base64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _go_list(values: Iterable[Any]) -> str:
    return "[" + " ".join(f'"{value}"' for value in values) + "]"
