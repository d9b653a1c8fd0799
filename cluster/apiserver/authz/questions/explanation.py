"""AccessExplanation: is it allowed, because of what, and if not: what almost allows it and what would mend that."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cluster.apimachinery import errors
from cluster.apiserver.authz.explain import explain, misses
from cluster.apiserver.authz.mending import mend, suggestions
from cluster.apiserver.authz.node import node_name
from cluster.apiserver.authz.questions.moment import as_of
from cluster.apiserver.authz.questions.subjects import asked_about
from cluster.apiserver.authz.rbac import Authorizer, Decision, denial, forbidden
from cluster.apiserver.authz.reviews import check_attributes, request_of
from cluster.apiserver.request import Obj, RequestInfo, UserInfo

if TYPE_CHECKING:
    from cluster.apiserver.server import APIServer

CONSIDERED = 100


async def answer(server: APIServer, user: UserInfo, spec: Obj) -> Obj:
    """The status."""
    if found := check_attributes(spec):
        raise errors.invalid("AccessExplanation", "sim.kubeweb.dev", "", found)
    info, field_selector = request_of(spec)
    who, within = await asked_about(server, user, spec, info.namespace)
    past = spec.get("revision") is not None

    def work(authorizer: Authorizer) -> Obj:
        return _status(authorizer, who, info, field_selector, within, mending=not past)

    return await as_of(server, "AccessExplanation", spec, work, nodes=node_name(who) is not None)


def _status(
    authorizer: Authorizer, who: UserInfo, info: RequestInfo, field_selector: str, within: str, *, mending: bool
) -> Obj:
    """What these rules say. What would mend it is told of now alone: what was refused in the past cannot be allowed there."""
    decision = authorizer.authorize(who, info, field_selector)
    status: Obj = {"user": who.name, "groups": list(who.groups), "allowed": decision.allowed}
    if decision.reason:
        status["reason"] = decision.reason
    index = authorizer.index
    entries = [_told(entry) for entry in explain(index, who, info, CONSIDERED, within=within)]
    status["considered"] = entries
    if decision.allowed:
        status["grant"] = grant_of(decision)
        return status
    status["message"] = denial(who, info, decision.reason)
    if info.is_resource:
        status["message"] = forbidden(who, info, decision).message
    status["nearMisses"] = [
        {**entry, **(_mended(mend(index, who, info, entry)) if mending else {})} for entry in misses(entries)
    ]
    if mending:
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
