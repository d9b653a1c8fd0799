"""Another role for a binding. Kubernetes lets no binding change its role, so it is deleted and made anew, as the person.

A copy of it stands meanwhile, so that nobody loses anything however far this comes: whom the binding names keep what it gave them, the
person among them keeps the right to go on, and if the new one is refused after all, the old one can be put back.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.html import format_html
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from cluster.accounts.rbac import objects, requests
from cluster.accounts.rbac.catalogue import USUAL_ROLES
from cluster.accounts.rbac.checks import preview_of
from cluster.accounts.rbac.context import kind_of, object_page, place, said, with_refusals
from cluster.accounts.rbac.kinds import RBAC_GROUP, Kind
from cluster.accounts.rbac.objects import Obj
from cluster.apimachinery.errors import StatusError, bad_request, conflict, is_not_found

if TYPE_CHECKING:
    from cluster.accounts.site import ClusterAdminSite

COPY_OF = "sim.kubeweb.dev/copy-of"
# Characters of the name that its copy is called after: what is generated keeps 58.
KEPT = 50


@dataclass(frozen=True)
class Outcome:
    """How far it came. `saved`: the new binding; without it, `error` says why, and `restored` whether the old one stands again.

    `copy`: the name of the copy, where it still stands.
    """

    saved: requests.Saved | None = None
    error: StatusError | None = None
    restored: bool = False
    copy: str = ""


def replacement(old: Obj, reference: Obj) -> Obj:
    """The binding with another role: everything that people wrote on it stays."""
    kept = ("name", "namespace", "labels", "annotations", "ownerReferences")
    metadata = {key: old["metadata"][key] for key in kept if old["metadata"].get(key)}
    return {**_head(old), "metadata": metadata, "roleRef": reference, "subjects": old.get("subjects") or []}


def copy_of(old: Obj) -> Obj:
    """The same grant under another name. Without labels: they might mean something to somebody."""
    name = old["metadata"]["name"]
    metadata = {"generateName": f"{name[:KEPT]}-before-", "annotations": {COPY_OF: name}}
    if old["metadata"].get("namespace"):
        metadata["namespace"] = old["metadata"]["namespace"]
    return {**_head(old), "metadata": metadata, "roleRef": old["roleRef"], "subjects": old.get("subjects") or []}


def replace(user: Any, kind: Kind, old: Obj, reference: Obj) -> Outcome:
    """Copy, delete, make anew, delete the copy. StatusError: nothing has changed."""
    rehearse(user, kind, old, reference)
    metadata = old["metadata"]
    copy = requests.save(user, kind, copy_of(old), new=True).obj
    try:
        requests.remove(
            user, kind, metadata.get("namespace", ""), metadata["name"], metadata["uid"], metadata["resourceVersion"]
        )
    except StatusError:
        _drop(user, kind, copy)
        raise
    try:
        saved = requests.save(user, kind, replacement(old, reference), new=True)
    except StatusError as error:
        return _put_back(user, kind, old, copy, error)
    return Outcome(saved, copy=_drop(user, kind, copy))


def rehearse(user: Any, kind: Kind, old: Obj, reference: Obj) -> None:
    """StatusError if the API server would refuse to make the new one, or to make the old one again (dry runs)."""
    draft = replacement(old, reference)
    # Its own name is taken as long as the old one stands.
    draft["metadata"] = copy_of(old)["metadata"]
    for one in (copy_of(old), draft):
        requests.save(user, kind, one, new=True, dry_run=True)


def _put_back(user: Any, kind: Kind, old: Obj, copy: Obj, error: StatusError) -> Outcome:
    try:
        requests.save(user, kind, replacement(old, old["roleRef"]), new=True)
    except StatusError:
        return Outcome(error=error, copy=copy["metadata"]["name"])
    return Outcome(error=error, restored=True, copy=_drop(user, kind, copy))


def _drop(user: Any, kind: Kind, copy: Obj) -> str:
    """Delete the copy; its name where it still stands."""
    metadata = copy["metadata"]
    try:
        requests.remove(user, kind, metadata.get("namespace", ""), metadata["name"], metadata["uid"])
    except StatusError as error:
        return "" if is_not_found(error) else str(metadata["name"])
    return ""


def _head(old: Obj) -> Obj:
    return {"apiVersion": old["apiVersion"], "kind": old["kind"]}


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@with_refusals
def role(request: HttpRequest, site: ClusterAdminSite, plural: str, namespace: str, name: str) -> HttpResponse:
    """GET ?role=KIND:NAME shows what would change; POST does it, to the very binding that was shown."""
    kind = kind_of(plural)
    if kind.form != "binding":
        raise bad_request(f"{kind.title} have no role that could be replaced")
    key = (namespace if kind.namespaced else "", name)
    old = requests.read(request.user, kind, *key)
    chosen = (request.POST if request.method == "POST" else request.GET).get("role", "")
    reference = _reference(kind, chosen) if chosen else None
    if request.method == "POST":
        return _post(request, kind, key, old, reference)
    context = _preview(request, kind, old, reference) if reference is not None else {}
    return object_page(
        site,
        request,
        "role",
        kind,
        key,
        title=f"Another role for {name}",
        old=old,
        chosen=chosen,
        groups=_choices(request, key[0], chosen),
        **context,
    )


def _post(request: HttpRequest, kind: Kind, key: tuple[str, str], old: Obj, reference: Obj | None) -> HttpResponse:
    if reference is None:
        raise bad_request("choose a role first")
    if _stays(old):
        raise bad_request(_stays(old))
    if request.POST.get("version") != old["metadata"]["resourceVersion"]:
        raise conflict(kind.plural, RBAC_GROUP, key[1], "it was changed after you had looked at it; look again")
    outcome = replace(request.user, kind, old, reference)
    if outcome.saved is not None:
        said(
            request,
            f"Gave {reference['kind']} {reference['name']} to",
            kind,
            old["metadata"],
            outcome.saved.journey,
        )
    else:
        was = (
            "The binding is as it was."
            if outcome.restored
            else "The old one could not be put back, but its copy stands."
        )
        messages.error(request, f"The role was not replaced: {outcome.error}. {was}")
    if outcome.copy:
        text = 'The copy <a href="{}">{}</a> still stands and gives what the old one gave. Delete it when you need it no more.'
        messages.warning(request, format_html(text, place(kind, key[0], outcome.copy), outcome.copy))
    stands = outcome.saved is not None or outcome.restored
    return redirect(place(kind, key[0], key[1] if stands else outcome.copy))


def _reference(kind: Kind, chosen: str) -> Obj:
    role_kind, _, name = chosen.partition(":")
    if role_kind not in (("Role", "ClusterRole") if kind.namespaced else ("ClusterRole",)) or not name:
        raise bad_request(f"a {kind.kind} cannot refer to {chosen[:200] or 'nothing'}")
    return {"apiGroup": RBAC_GROUP, "kind": role_kind, "name": name}


def _stays(old: Obj) -> str:
    """Why this binding could not be gone at once; empty when it could."""
    held = old["metadata"].get("finalizers") or []
    return f"its finalizers ({', '.join(held)}) keep it from being deleted at once" if held else ""


def _preview(request: HttpRequest, kind: Kind, old: Obj, reference: Obj) -> Obj:
    """What the role gave and would give, and whether the API server would let the person go through with it (dry runs)."""
    user, namespace = request.user, old["metadata"].get("namespace", "")
    subjects = old.get("subjects") or []
    found: Obj = {
        "reference": reference,
        "before": preview_of(user, namespace, old["roleRef"], []),
        "after": preview_of(user, namespace, reference, subjects),
        "same": (reference["kind"], reference["name"]) == (old["roleRef"].get("kind"), old["roleRef"].get("name")),
        "stays": _stays(old),
        "findings": None,
    }
    try:
        rehearse(user, kind, old, reference)
    except StatusError as error:
        found["findings"] = objects.findings(error)
    if not requests.may(user, "delete", RBAC_GROUP, kind.plural, old["metadata"]["name"], namespace):
        found["undeletable"] = True
    return found


def _choices(request: HttpRequest, namespace: str, chosen: str) -> list[tuple[str, list[tuple[str, str]]]]:
    """The groups of the pick list: label, and KIND:NAME with what it is called there."""
    known = requests.choices(request.user, namespace)
    wide = known["clusterRoles"] or USUAL_ROLES
    groups = (
        (f"Roles in {namespace}", "Role", known["roles"]),
        ("ClusterRoles", "ClusterRole", [name for name in wide if not name.startswith("system:")]),
        ("ClusterRoles of Kubernetes itself", "ClusterRole", [name for name in wide if name.startswith("system:")]),
    )
    found = [(label, [(f"{kind}:{name}", name) for name in names]) for label, kind, names in groups if names]
    if chosen and all(chosen != value for _, values in found for value, _ in values):
        found.insert(0, ("Chosen", [(chosen, chosen.replace(":", " ", 1))]))
    return found
