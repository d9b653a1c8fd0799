"""AccessReport: who may do this? Every subject of every binding whose role allows it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from asgiref.sync import sync_to_async

from cluster.apimachinery import errors
from cluster.apiserver.authn import people
from cluster.apiserver.authz.index import RBACIndex
from cluster.apiserver.authz.questions.moment import as_of
from cluster.apiserver.authz.questions.subjects import require_reviews
from cluster.apiserver.authz.rbac import MASTERS
from cluster.apiserver.request import Obj, RequestInfo, UserInfo

if TYPE_CHECKING:
    from cluster.apiserver.server import APIServer


async def answer(server: APIServer, user: UserInfo, spec: Obj) -> Obj:
    """The status."""
    info = _request(spec)
    require_reviews(server, user, info.namespace)
    status = await as_of(
        server,
        "AccessReport",
        spec,
        lambda authorizer: {"subjects": who_can(authorizer.index, info)},
        nodes=False,
    )
    subjects = status["subjects"]
    groups = sorted({one["name"] for one in subjects if one["kind"] == "Group"})
    members = await sync_to_async(people.members_of)(groups)
    for one in subjects:
        if one["kind"] == "Group" and one["name"] in members:
            one["members"] = members[one["name"]]
    # By rules that are built in, and were then as they are now.
    if server.authorizer.node.might_allow(info):
        status["incomplete"] = True
    return status


def who_can(index: RBACIndex, info: RequestInfo) -> list[Obj]:
    """A line for each subject of each binding that allows it; system:masters first, whom no binding names."""
    found: list[Obj] = [{"kind": "Group", "name": MASTERS, "binding": "", "role": ""}]
    for (namespace, _), binding in sorted(index.bindings.items()):
        if namespace and namespace != info.namespace:
            continue
        rule = next((rule for rule in index.rules_of(binding) or () if rule.allows(info)), None)
        if rule is None:
            continue
        for subject in binding.subjects:
            line: Obj = {"kind": subject["kind"], "name": subject["name"]}
            if subject["kind"] == "ServiceAccount":
                line["namespace"] = subject.get("namespace") or binding.namespace
            found.append({**line, "binding": binding.title, "role": binding.role_title, "rule": rule.source})
    return found


def _request(spec: Obj) -> RequestInfo:
    verb, resource, path = spec.get("verb") or "", spec.get("resource") or "", spec.get("path") or ""
    found = []
    if not verb:
        found.append(errors.required("spec.verb"))
    if bool(resource) == bool(path):
        found.append(errors.invalid_value("spec.resource", resource, "exactly one of resource and path must be given"))
    if found:
        raise errors.invalid("AccessReport", "sim.kubeweb.dev", "", found)
    if path:
        return RequestInfo(path, verb)
    plural, _, subresource = resource.partition("/")
    return RequestInfo(
        "",
        verb,
        True,
        spec.get("group") or "",
        "",
        spec.get("namespace") or "",
        plural,
        spec.get("subresource") or subresource,
        spec.get("name") or "",
    )
