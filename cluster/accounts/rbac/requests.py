"""What the pages ask of the API server, as the person who looks: plain functions that wait for the answer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from cluster.accounts.rbac.door import ask, door
from cluster.accounts.rbac.kinds import KINDS, Kind
from cluster.accounts.rbac.objects import Obj
from cluster.apimachinery.errors import StatusError
from cluster.client.client import Client

# Names that a pick list offers at most.
MOST_NAMES = 2000
QUESTIONS = "sim.kubeweb.dev/v1alpha1"


@dataclass(frozen=True)
class Saved:
    """What was stored, and the journey of the request that did it."""

    obj: Obj
    journey: str


def client_for(user: Any) -> Client:
    return door().client_for(user)


def listing(user: Any, kind: Kind, namespace: str = "") -> list[Obj]:
    return ask(client_for(user).list(kind.path, namespace)).items


def read(user: Any, kind: Kind, namespace: str, name: str) -> Obj:
    return ask(client_for(user).get(kind.path, name, namespace if kind.namespaced else ""))


def save(user: Any, kind: Kind, obj: Obj, *, new: bool, dry_run: bool = False) -> Saved:
    """Create or replace; StatusError as the API server says."""
    client = client_for(user)
    if new:
        namespace = obj["metadata"].get("namespace", "") if kind.namespaced else ""
        stored = ask(client.create(kind.path, obj, namespace, dry_run=dry_run))
    else:
        stored = ask(client.update(kind.path, obj, dry_run=dry_run))
    return Saved(stored, getattr(client, "journey", ""))


def remove(user: Any, kind: Kind, namespace: str, name: str, uid: str, version: str = "") -> str:
    """Delete exactly the object that was shown, as it was at `version` where one is given; the journey."""
    client = client_for(user)
    ask(client.delete(kind.path, name, namespace if kind.namespaced else "", uid=uid, resource_version=version))
    return str(getattr(client, "journey", ""))


def account_token(user: Any, namespace: str, name: str, seconds: int) -> Obj:
    """A new token of a ServiceAccount (kubectl create token): {token, expirationTimestamp}."""
    wanted = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": {"expirationSeconds": seconds}}
    path = KINDS["serviceaccounts"].path
    made = ask(client_for(user).create(path, wanted, namespace, name=name, subresource="token"))
    status: Obj = made["status"]
    return status


def question(user: Any, resource: str, kind: str, spec: Obj) -> Obj:
    """The status of a question of sim.kubeweb.dev: accessexplanations, accessmatrices, accessreports, bindingpreviews."""
    asked = {"apiVersion": QUESTIONS, "kind": kind, "spec": spec}
    answer = ask(client_for(user).create(f"{QUESTIONS}/{resource}", asked, dry_run=True))
    status: Obj = answer.get("status") or {}
    return status


def sandboxes(user: Any) -> list[Obj]:
    """The person's own sandboxes: name, namespace, phase, message."""
    found = ask(client_for(user).list(f"{QUESTIONS}/sandboxes")).items
    return [
        {"name": one["metadata"]["name"], **(one.get("status") or {"phase": "Pending"})}
        for one in found
        if (one.get("spec") or {}).get("user") == user.get_username() and not one["metadata"].get("deletionTimestamp")
    ]


def end_sandbox(user: Any, name: str) -> None:
    """Delete a sandbox, and with it its namespace."""
    ask(client_for(user).delete(f"{QUESTIONS}/sandboxes", name))


def may(user: Any, verb: str, group: str, resource: str, name: str = "", namespace: str = "") -> bool:
    """Whether RBAC allows the person this."""
    what = {"verb": verb, "group": group, "resource": resource, "name": name, "namespace": namespace}
    review = {
        "apiVersion": "authorization.k8s.io/v1",
        "kind": "SelfSubjectAccessReview",
        "spec": {"resourceAttributes": what},
    }
    answer = ask(client_for(user).create("authorization.k8s.io/v1/selfsubjectaccessreviews", review, dry_run=True))
    return bool(answer["status"]["allowed"])


def names(user: Any, path: str, namespace: str = "") -> list[str]:
    """Names for a pick list: those that the person may list, else none. A form works without."""
    try:
        return every_name(user, path, namespace)
    except StatusError as error:
        if error.code in (403, 404):
            return []
        raise


def every_name(user: Any, path: str, namespace: str = "") -> list[str]:
    """The same; StatusError for whoever may not list them."""
    found = ask(client_for(user).list(path, namespace)).items
    return sorted({str(obj["metadata"]["name"]) for obj in found})[:MOST_NAMES]


def choices(user: Any, namespace: str, form: str = "binding") -> Obj:
    """What a binding in this namespace may name: roles there, cluster roles, service accounts there; what an account may: secrets."""
    if form == "account":
        return {"secrets": names(user, "v1/secrets", namespace) if namespace else []}
    return {
        "roles": names(user, KINDS["roles"].path, namespace) if namespace else [],
        "clusterRoles": names(user, KINDS["clusterroles"].path),
        "serviceAccounts": names(user, KINDS["serviceaccounts"].path, namespace) if namespace else [],
    }
