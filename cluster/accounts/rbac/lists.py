"""The list pages: one per kind, by namespace, with a search over names, roles and subjects."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from cluster.accounts.rbac import namespaces, requests, sentences
from cluster.accounts.rbac.context import kind_of, page, with_refusals
from cluster.accounts.rbac.kinds import Kind
from cluster.accounts.rbac.objects import Obj, findings
from cluster.apimachinery.errors import StatusError

if TYPE_CHECKING:
    from cluster.accounts.site import ClusterAdminSite

PER_PAGE = 50
# Namespaces that are listed one by one for who may not list all at once.
MOST_NAMESPACES = 50
# What a row says before it says "and n more".
SHOWN = 3


def row(kind: Kind, obj: Obj) -> dict[str, Any]:
    """One line of the list."""
    metadata = obj["metadata"]
    found: dict[str, Any] = {
        "name": metadata["name"],
        "namespace": metadata.get("namespace", ""),
        "created": metadata.get("creationTimestamp", ""),
        "system": (metadata.get("labels") or {}).get("kubernetes.io/bootstrapping") == "rbac-defaults",
    }
    if kind.form == "role":
        rules = obj.get("rules") or []
        found["lines"] = [sentences.rule(one) for one in rules[:SHOWN]]
        found["more"] = max(len(rules) - SHOWN, 0)
        found["aggregates"] = bool(obj.get("aggregationRule"))
    elif kind.form == "binding":
        subjects = obj.get("subjects") or []
        found["role"] = sentences.role_of(obj)
        found["lines"] = [sentences.subject(one) for one in subjects[:SHOWN]]
        found["more"] = max(len(subjects) - SHOWN, 0)
    return found


def matches(kind: Kind, obj: Obj, words: list[str]) -> bool:
    """Whether every word is somewhere in the name, namespace, role, subjects, resources or verbs."""
    metadata = obj["metadata"]
    parts = [metadata["name"], metadata.get("namespace", "")]
    if kind.form == "binding":
        parts += [sentences.role_of(obj), *(sentences.subject(one) for one in obj.get("subjects") or ())]
    elif kind.form == "role":
        parts += [sentences.rule(one) for one in obj.get("rules") or ()]
    text = " ".join(parts).lower()
    return all(word in text for word in words)


@require_safe
@with_refusals
def listing(request: HttpRequest, site: ClusterAdminSite, plural: str) -> HttpResponse:
    """All that the person may list: everywhere, or in the namespaces in which their rules let them."""
    kind = kind_of(plural)
    query = request.GET.get("q", "").strip()[:200]
    namespace = request.GET.get("ns", "").strip() if kind.namespaced else ""
    hide_system = request.GET.get("system", "") == "0"
    offered, everywhere = namespaces.listable(request.user, kind)
    context: dict[str, Any] = {
        "title": kind.title,
        "subtitle": kind.words,
        "kind": kind,
        "query": query,
        "namespace": namespace,
        "namespaces": namespaces.with_chosen(offered, namespace),
        "everywhere": everywhere,
        "listed": min(len(offered), MOST_NAMESPACES),
        "offered": len(offered),
        "hide_system": hide_system,
    }
    try:
        if namespace or everywhere or not offered:
            found = requests.listing(request.user, kind, namespace)
        else:
            found = [obj for one in offered[:MOST_NAMESPACES] for obj in requests.listing(request.user, kind, one)]
    except StatusError as error:
        if error.code != 403:
            raise
        return page(site, request, "list", 403, findings=findings(error), **context)
    words = query.lower().split()
    rows = [obj for obj in found if matches(kind, obj, words)] if words else found
    if hide_system:
        rows = [
            obj
            for obj in rows
            if (obj["metadata"].get("labels") or {}).get("kubernetes.io/bootstrapping") != "rbac-defaults"
        ]
    shown = Paginator(rows, PER_PAGE).get_page(request.GET.get("page"))
    parameters = request.GET.copy()
    parameters.pop("page", None)
    return page(
        site,
        request,
        "list",
        rows=[row(kind, obj) for obj in shown],
        pages=shown,
        total=len(found),
        rest=parameters.urlencode(),
        **context,
    )
