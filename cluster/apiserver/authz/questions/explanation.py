"""AccessExplanation: is it allowed, because of what, and if not: what almost allows it and what would mend that."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cluster.apimachinery import errors
from cluster.apiserver.authz.explain import explain
from cluster.apiserver.authz.mending import mend, suggestions
from cluster.apiserver.authz.questions.subjects import asked_about
from cluster.apiserver.authz.rbac import Decision, denial, forbidden
from cluster.apiserver.authz.reviews import check_attributes, request_of
from cluster.apiserver.request import Obj, UserInfo

if TYPE_CHECKING:
    from cluster.apiserver.server import APIServer

CONSIDERED = 100
_NO_MISS = frozenset({"allows", "no-matching-rule"})


async def answer(server: APIServer, user: UserInfo, spec: Obj) -> Obj:
    """The status."""
    if found := check_attributes(spec):
        raise errors.invalid("AccessExplanation", "sim.kubeweb.dev", "", found)
    info, field_selector = request_of(spec)
    who = await asked_about(server, user, spec, info.namespace)
    decision = server.authorizer.authorize(who, info, field_selector)
    status: Obj = {"user": who.name, "groups": list(who.groups), "allowed": decision.allowed}
    if decision.reason:
        status["reason"] = decision.reason
    index = server.authorizer.index
    entries = [_told(entry) for entry in explain(index, who, info, CONSIDERED)]
    status["considered"] = entries
    if decision.allowed:
        status["grant"] = grant_of(decision)
        return status
    status["message"] = denial(who, info, decision.reason)
    if info.is_resource:
        status["message"] = forbidden(who, info, decision).message
    misses = [entry for entry in entries if entry["verdict"] not in _NO_MISS]
    status["nearMisses"] = [{**entry, **_mended(mend(index, who, info, entry))} for entry in misses]
    status["suggestions"] = suggestions(index, who, info)
    return status


def grant_of(decision: Decision) -> Obj:
    """What allowed it, as an AccessGrant."""
    grant: Obj = {"binding": decision.binding, "role": decision.role}
    if decision.subject is not None:
        grant["subject"] = decision.subject
    if decision.rule is not None:
        grant["rule"] = decision.rule
    return grant


def _told(entry: Obj) -> Obj:
    return {key: value for key, value in entry.items() if value is not None}


def _mended(found: Obj | None) -> Obj:
    return {"mend": found} if found is not None else {}
