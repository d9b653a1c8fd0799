"""Add, change, delete: the form and its YAML are one text, which is saved through the API as the person who saves it."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse
from django.middleware.csrf import get_token
from django.shortcuts import redirect
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from cluster.accounts.rbac import namespaces, objects, requests
from cluster.accounts.rbac.catalogue import USUAL_ROLES, catalogue
from cluster.accounts.rbac.context import kind_of, known_groups, known_users, object_page, place, said, with_refusals
from cluster.accounts.rbac.door import door
from cluster.accounts.rbac.kinds import KINDS, Kind
from cluster.accounts.rbac.objects import Obj
from cluster.apimachinery.errors import StatusError, bad_request, is_conflict

if TYPE_CHECKING:
    from cluster.accounts.site import ClusterAdminSite


# How long a token lives that is asked for here; kubectl create token asks for as much.
TOKEN_SECONDS = 3600


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@with_refusals
def add(request: HttpRequest, site: ClusterAdminSite, plural: str) -> HttpResponse:
    """A new object; `?namespace=`, and for bindings `?role=` or `?subject=`, fill the form in."""
    kind = kind_of(plural)
    if request.method == "POST":
        return _save(site, request, kind, None)
    namespace = request.GET.get("namespace", "") or (namespaces.home(request.user, kind) if kind.namespaced else "")
    obj = objects.blank(kind, namespace)
    if kind.form == "binding":
        _prefill(obj, request)
    return _form(site, request, kind, None, objects.to_yaml(obj))


@never_cache
@require_POST
@with_refusals
def open_manifest(request: HttpRequest, site: ClusterAdminSite) -> HttpResponse:
    """A manifest, such as a mend that was suggested, in its form: of the object if there is one, of a new one else."""
    text = request.POST.get("yaml", "")
    obj = objects.parse(text)
    kind = next((one for one in KINDS.values() if one.kind == obj.get("kind")), None)
    if kind is None:
        raise bad_request(f"the admin has no form for {obj.get('kind') or 'an object without a kind'}")
    metadata = objects.placed(kind, obj)["metadata"]
    key = (metadata.get("namespace", "") if kind.namespaced else "", metadata.get("name", ""))
    try:
        current = requests.read(request.user, kind, *key)
    except StatusError as error:
        if error.code not in (403, 404):
            raise
        return _form(site, request, kind, None, text)
    return _form(site, request, kind, key, text, version=current["metadata"]["resourceVersion"])


def _prefill(obj: Obj, request: HttpRequest) -> None:
    role_kind, _, role = request.GET.get("role", "").partition(":")
    if role and role_kind in ("Role", "ClusterRole"):
        obj["roleRef"].update(kind=role_kind, name=role)
    subject_kind, _, subject = request.GET.get("subject", "").partition(":")
    if subject and subject_kind == "ServiceAccount":
        namespace, _, subject = subject.partition("/")
        obj["subjects"].append({"kind": "ServiceAccount", "name": subject, "namespace": namespace})
    elif subject and subject_kind in ("User", "Group"):
        obj["subjects"].append({"apiGroup": obj["roleRef"]["apiGroup"], "kind": subject_kind, "name": subject})


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@with_refusals
def change(request: HttpRequest, site: ClusterAdminSite, plural: str, namespace: str, name: str) -> HttpResponse:
    """An object as it is now; saving it replaces it if nobody else has changed it meanwhile."""
    kind = kind_of(plural)
    namespace = namespace if kind.namespaced else ""
    if request.method == "POST":
        return _save(site, request, kind, (namespace, name))
    obj = requests.read(request.user, kind, namespace, name)
    return _form(
        site,
        request,
        kind,
        (namespace, name),
        objects.to_yaml(objects.editable(obj)),
        version=obj["metadata"]["resourceVersion"],
    )


def _save(site: ClusterAdminSite, request: HttpRequest, kind: Kind, key: tuple[str, str] | None) -> HttpResponse:
    text = request.POST.get("yaml", "")
    version = request.POST.get("version", "")
    try:
        obj = objects.placed(kind, objects.parse(text), *(key or ()))
        if key is not None:
            obj["metadata"]["resourceVersion"] = version
            if kind.namespaced:
                obj["metadata"]["namespace"] = key[0]
            obj = objects.with_applied(obj, requests.read(request.user, kind, *key))
        saved = requests.save(request.user, kind, obj, new=key is None)
    except StatusError as error:
        if key is not None and is_conflict(error):
            return _conflict(site, request, kind, key, text, error)
        return _form(site, request, kind, key, text, version=version, error=error)
    metadata = saved.obj["metadata"]
    said(request, "Created" if key is None else "Saved", kind, metadata, saved.journey)
    namespace, name = metadata.get("namespace", ""), metadata["name"]
    if "_continue" in request.POST:
        return redirect(place(kind, namespace, name))
    query = f"?{urlencode({'ns': namespace})}" if namespace else ""
    return redirect(reverse("admin:rbac-list", args=(kind.plural,)) + query)


def _form(
    site: ClusterAdminSite,
    request: HttpRequest,
    kind: Kind,
    key: tuple[str, str] | None,
    text: str,
    *,
    version: str = "",
    error: StatusError | None = None,
) -> HttpResponse:
    try:
        obj: Obj | None = objects.parse(text)
    except StatusError:
        obj = None
    found = objects.findings(error) if error is not None else None
    facts: Obj = {
        "kind": kind.kind,
        "apiVersion": kind.api_version,
        "form": kind.form,
        "namespaced": kind.namespaced,
        "new": key is None,
        "object": obj,
        "checkUrl": reverse("admin:rbac-check", args=(kind.plural,)),
        "choicesUrl": reverse("admin:rbac-choices"),
        "csrf": get_token(request),
        "namespaces": namespaces.offered(request.user)[0],
        "findings": found,
    }
    if kind.form == "role":
        facts["catalogue"] = catalogue(door().groups())
    elif kind.form == "binding":
        facts["users"], facts["groups"] = known_users(request) or [], known_groups(request) or []
        facts["usualRoles"] = USUAL_ROLES
        if key is not None:
            facts["roleUrl"] = place(kind, *key, "role")
    return object_page(
        site,
        request,
        "form",
        kind,
        key,
        200 if error is None else error.code,
        new=key is None,
        text=text,
        version=version,
        action=reverse("admin:rbac-add", args=(kind.plural,)) if key is None else place(kind, *key),
        findings=found,
        facts=facts,
        explorer=kind.explorer_path(*key) if key else "",
    )


def _conflict(
    site: ClusterAdminSite, request: HttpRequest, kind: Kind, key: tuple[str, str], text: str, error: StatusError
) -> HttpResponse:
    """Both versions side by side; the person decides with open eyes."""
    current = requests.read(request.user, kind, *key)
    theirs = objects.to_yaml(objects.editable(current))
    managers = [
        entry for entry in current["metadata"].get("managedFields") or () if entry.get("manager") and entry.get("time")
    ]
    latest = max(managers, key=lambda entry: str(entry["time"]), default=None)
    return object_page(
        site,
        request,
        "conflict",
        kind,
        key,
        409,
        title=f"{key[1]} was changed meanwhile",
        text=text,
        version=current["metadata"]["resourceVersion"],
        rows=objects.differences(text, theirs),
        latest=latest,
        findings=objects.findings(error),
    )


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@with_refusals
def delete(request: HttpRequest, site: ClusterAdminSite, plural: str, namespace: str, name: str) -> HttpResponse:
    """Asks first, says what hangs on it, and deletes exactly the object that was shown."""
    kind = kind_of(plural)
    namespace = namespace if kind.namespaced else ""
    if request.method == "POST":
        journey = requests.remove(request.user, kind, namespace, name, request.POST.get("uid", ""))
        said(request, "Deleted", kind, {"namespace": namespace, "name": name}, journey)
        return redirect(reverse("admin:rbac-list", args=(kind.plural,)))
    obj = requests.read(request.user, kind, namespace, name)
    return object_page(
        site,
        request,
        "delete",
        kind,
        (namespace, name),
        title=f"Delete {name}?",
        uid=obj["metadata"]["uid"],
        dependents=_dependents(request, kind, namespace, name),
        text=objects.to_yaml(objects.editable(obj)),
    )


@never_cache
@require_POST
@with_refusals
def token(request: HttpRequest, site: ClusterAdminSite, namespace: str, name: str) -> HttpResponse:
    """A token of a ServiceAccount, shown once; nobody keeps it."""
    made = requests.account_token(request.user, namespace, name, TOKEN_SECONDS)
    kind = KINDS["serviceaccounts"]
    return object_page(site, request, "token", kind, (namespace, name), title=f"A token of {name}", made=made)


def _dependents(request: HttpRequest, kind: Kind, namespace: str, name: str) -> list[Obj]:
    """The bindings that would point at nothing: of the role, or of the service account, as far as the person may see them."""
    if kind.form == "binding":
        return []
    found: list[Obj] = []
    for plural in ("rolebindings", "clusterrolebindings"):
        binding = KINDS[plural]
        within = namespace if kind.kind == "Role" else ""
        if within and not binding.namespaced:
            continue
        try:
            listed = requests.listing(request.user, binding, within if binding.namespaced else "")
        except StatusError as error:
            if error.code != 403:
                raise
            continue
        for obj in listed:
            if _names(obj, kind, namespace, name):
                metadata = obj["metadata"]
                found.append(
                    {
                        "title": "/".join(filter(None, (metadata.get("namespace", ""), metadata["name"]))),
                        "kind": binding.kind,
                        "url": place(binding, metadata.get("namespace", ""), metadata["name"]),
                    }
                )
    return found


def _names(binding: Obj, kind: Kind, namespace: str, name: str) -> bool:
    if kind.form == "role":
        reference = binding.get("roleRef") or {}
        return (reference.get("kind"), reference.get("name")) == (kind.kind, name)
    return any(
        (subject.get("kind"), subject.get("namespace"), subject.get("name")) == ("ServiceAccount", namespace, name)
        for subject in binding.get("subjects") or ()
    )
