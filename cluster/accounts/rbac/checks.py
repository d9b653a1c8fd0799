"""What a form asks while it is filled in: is this valid, may I, does it mean what I think? Nothing is stored."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from cluster.accounts.rbac import hints, objects, requests, sentences
from cluster.accounts.rbac.catalogue import catalogue
from cluster.accounts.rbac.context import kind_of, known_groups, known_users
from cluster.accounts.rbac.door import door
from cluster.accounts.rbac.kinds import KINDS, Kind
from cluster.accounts.rbac.objects import Obj
from cluster.apimachinery.errors import StatusError, bad_request

if TYPE_CHECKING:
    from cluster.accounts.site import ClusterAdminSite

# Namespaces whose service accounts are looked up for one binding's hints.
MOST_NAMESPACES = 10
# Rules of a role that a preview tells in words.
MOST_RULES = 12


@never_cache
@require_POST
def check(request: HttpRequest, site: ClusterAdminSite, plural: str) -> HttpResponse:
    """POST {yaml} or {object}, with `new` and the `version` it was read at.

    Answers {yaml, object, findings: what the API server says to a dry run (null: nothing), hints: [{field, message}],
    sentences: what it means, preview: what a binding would give}. Always 200: a draft is no error.
    """
    kind = kind_of(plural)
    try:
        asked = _asked(request)
        obj = objects.placed(kind, asked["object"])
    except StatusError as error:
        return JsonResponse({"object": None, "findings": objects.findings(error), "hints": [], "sentences": []})
    found: Obj = {"object": obj, "yaml": objects.to_yaml(obj), "findings": None, **_told(request, kind, obj)}
    draft = json.loads(json.dumps(obj))
    if asked["version"]:
        draft["metadata"]["resourceVersion"] = asked["version"]
    try:
        requests.save(request.user, kind, draft, new=asked["new"], dry_run=True)
    except StatusError as error:
        found["findings"] = objects.findings(error)
    if kind.form == "binding":
        found["preview"] = _preview(request, kind, obj)
    return JsonResponse(found)


def _asked(request: HttpRequest) -> Obj:
    if len(request.body) > 2 * objects.MAX_TEXT:
        raise bad_request("this is too long for the form")
    try:
        asked = json.loads(request.body)
    except ValueError:
        raise bad_request("the request must be JSON") from None
    if not isinstance(asked, dict):
        raise bad_request("the request must be a JSON object")
    if isinstance(asked.get("yaml"), str):
        obj = objects.parse(asked["yaml"])
    elif isinstance(asked.get("object"), dict):
        obj = asked["object"]
    else:
        raise bad_request("the request needs yaml or object")
    return {"object": obj, "new": bool(asked.get("new")), "version": str(asked.get("version") or "")}


def _told(request: HttpRequest, kind: Kind, obj: Obj) -> Obj:
    if kind.form == "role":
        rules = obj.get("rules")
        told = [sentences.rule(one) for one in rules if isinstance(one, dict)] if isinstance(rules, list) else []
        return {"hints": hints.of_role(obj, catalogue(door().groups())), "sentences": told}
    if kind.form == "binding":
        return {"hints": _binding_hints(request, obj), "sentences": []}
    secrets = requests.choices(request.user, obj["metadata"].get("namespace") or "", "account")["secrets"]
    return {"hints": hints.of_account(obj, secrets), "sentences": []}


def _binding_hints(request: HttpRequest, obj: Obj) -> list[dict[str, str]]:
    namespace = obj["metadata"].get("namespace") or ""
    found = obj.get("subjects")
    subjects = [one for one in found if isinstance(one, dict)] if isinstance(found, list) else []
    wanted = sorted(
        {
            one["namespace"]
            for one in subjects
            if one.get("kind") == "ServiceAccount" and isinstance(one.get("namespace"), str) and one["namespace"]
        }
    )
    accounts = {
        name: requests.names(request.user, KINDS["serviceaccounts"].path, name) for name in wanted[:MOST_NAMESPACES]
    }
    roles = requests.choices(request.user, namespace)
    return hints.of_binding(obj, known_users(request), known_groups(request), accounts, roles)


def _preview(request: HttpRequest, kind: Kind, obj: Obj) -> Obj | None:
    """What this binding would give to whom, before it is made; None while it names no role or nobody."""
    reference, subjects = obj.get("roleRef"), obj.get("subjects")
    if not isinstance(reference, dict) or not reference.get("name") or not isinstance(subjects, list) or not subjects:
        return None
    named = [one for one in subjects if isinstance(one, dict) and one.get("name")]
    namespace = obj["metadata"].get("namespace") or "default" if kind.namespaced else ""
    return preview_of(request.user, namespace, reference, named)


def preview_of(user: Any, namespace: str, reference: Obj, subjects: list[Obj]) -> Obj:
    """What the API server says of a binding that does not exist (yet), its rules in words; or that it says nothing."""
    spec: Obj = {"roleRef": reference, "subjects": subjects, **({"namespace": namespace} if namespace else {})}
    try:
        status = requests.question(user, "bindingpreviews", "BindingPreview", spec)
    except StatusError as error:
        return {"unanswered": error.message}
    rules = status.get("rules") or ()
    words = [sentences.rule(rule) for rule in rules[:MOST_RULES]]
    return {**status, "words": words, "more": max(len(rules) - MOST_RULES, 0)}


@never_cache
@require_safe
def choices(request: HttpRequest, site: ClusterAdminSite) -> HttpResponse:
    """GET ?namespace=&for=binding|account: what a binding, or a ServiceAccount, there may name."""
    try:
        form = request.GET.get("for", "binding")
        found: dict[str, Any] = requests.choices(request.user, request.GET.get("namespace", ""), form)
    except StatusError as error:
        return JsonResponse(objects.findings(error), status=error.code)
    return JsonResponse(found)
