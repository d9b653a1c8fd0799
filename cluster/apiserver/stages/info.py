"""Stage request-info: what does this path and method ask for? (apiserver/pkg/endpoints/request.RequestInfoFactory)"""

from __future__ import annotations

from cluster.apimachinery.errors import StatusError, bad_request, generic_not_found, method_not_supported
from cluster.apimachinery.labels import parse_fields
from cluster.apiserver.context import Context
from cluster.apiserver.parameters import flag
from cluster.apiserver.request import RequestInfo

# Of all that lies in no namespace, this alone has rights asked for in one: each in itself.
NAMESPACES = "v1/namespaces"
NAMESPACE_SUBRESOURCES = frozenset({"status", "finalize"})
_VERBS = {"POST": "create", "PUT": "update", "PATCH": "patch", "DELETE": "delete", "GET": "get", "HEAD": "get"}


# What requests to deprecated resources are told.
DEPRECATED = {
    "v1/componentstatuses": "v1 ComponentStatus is deprecated in v1.19+",
    "v1/endpoints": "v1 Endpoints is deprecated in v1.33+; use discovery.k8s.io/v1 EndpointSlice",
}


def parse(method: str, path: str, watch: bool) -> RequestInfo:
    """The RequestInfo of a path. Paths that name no resource keep `is_resource` False."""
    parts = path.strip("/").split("/")
    info = RequestInfo(path, method.lower())
    if parts[0] == "api" and len(parts) >= 3:
        info.version, rest = parts[1], parts[2:]
    elif parts[0] == "apis" and len(parts) >= 4:
        info.group, info.version, rest = parts[1], parts[2], parts[3:]
    else:
        return info
    # Another method names its resource all the same: it is refused as one that the resource does not know.
    verb = _VERBS.get(method, info.verb)
    if method == "OPTIONS" and "proxy" in rest[2:]:
        # What is passed on to a server that may know the method.
        verb = "get"
    if rest[0] == "watch" and len(rest) > 1:
        verb, rest = "watch", rest[1:]
    if rest[0] == "namespaces":
        if len(rest) > 2 and rest[2] not in NAMESPACE_SUBRESOURCES:
            info.namespace, rest = rest[1], rest[2:]
        elif len(rest) > 1:
            info.namespace = rest[1] if not info.group else ""
    info.is_resource = True
    info.resource = rest[0]
    info.name = rest[1] if len(rest) > 1 else ""
    info.subresource = "/".join(rest[2:3])
    if not info.name:
        if verb == "get":
            verb = "watch" if watch else "list"
        elif verb == "delete":
            verb = "deletecollection"
    elif verb == "get" and watch:
        verb = "watch"
    info.verb = verb
    return info


def name_of_selector(info: RequestInfo, field_selector: str) -> None:
    """A list or watch of `metadata.name=x` is one of a single name, for authorization too."""
    if info.name or "metadata.name" not in field_selector:
        return
    try:
        requirements = parse_fields(field_selector)
    except ValueError:
        # The read stage refuses it, in Kubernetes' words.
        return
    for need in requirements:
        if need.path == "metadata.name" and not need.negated:
            info.name = need.value


def request_info(context: Context) -> None:
    """Understand the path, and find the resource in the registry.

    What is wrong with it is told after authorization (`check_verb`): whoever may do nothing learns nothing, as in Kubernetes.
    """
    if context.loopback:
        info = context.info
        name_of_selector(info, context.params.get("fieldSelector", ""))
        _name_journey(context, info)
        return
    params = context.params
    watch = flag(params, "watch")
    info = context.info = parse(context.method, context.path, watch)
    _name_journey(context, info)
    if not info.is_resource:
        return
    if info.verb in ("list", "watch", "deletecollection"):
        name_of_selector(info, params.get("fieldSelector", ""))
    try:
        _find(context, info)
    except StatusError as problem:
        context.problem = problem


def _find(context: Context, info: RequestInfo) -> None:
    resource = context.server.registry.get(info.group, info.version, info.resource)
    if resource is None:
        if context.server.api_services is not None:
            context.backend = context.server.api_services.backend(info.group, info.version)
        if context.backend is not None:
            return
        raise generic_not_found()
    context.resource = resource
    if resource.path in DEPRECATED:
        context.warnings.append(DEPRECATED[resource.path])
    elif resource.custom is not None and resource.custom.deprecated:
        context.warnings.append(resource.custom.warning)
    if info.verb in ("update", "patch") and not info.name:
        raise _not_allowed()
    if resource.namespaced and not info.namespace and info.verb not in ("list", "watch", "deletecollection", "get"):
        raise _needs_namespace(context)
    if not resource.namespaced and info.namespace and (resource.path, info.name) != (NAMESPACES, info.namespace):
        # Rights in a namespace must not reach what belongs to no namespace: there is no such path.
        raise generic_not_found()
    if info.subresource and info.subresource not in resource.subresources:
        raise generic_not_found()
    context.key = (info.namespace if resource.namespaced else "", info.name)


def _needs_namespace(context: Context) -> StatusError:
    if context.method == "POST" and not context.info.name:
        return method_not_supported(context.info.resource, context.info.group, "create")
    return bad_request("an empty namespace may not be set during creation")


def check_verb(context: Context) -> None:
    """What request-info found wrong, or 405 for a verb that the resource or subresource does not serve; asked after authorization, as Kubernetes does."""
    if context.problem is not None:
        raise context.problem
    resource, info = context.resource, context.info
    verbs = resource.subresources[info.subresource].verbs if info.subresource else resource.verbs
    verb = "get" if info.verb == "list" and info.subresource else info.verb
    if verb not in verbs or (verb == "create" and info.name and not info.subresource):
        raise _not_allowed()


def _not_allowed() -> StatusError:
    """What Kubernetes' router answers for a path it knows and a method it does not."""
    return StatusError(405, "MethodNotAllowed", "the server does not allow this method on the requested resource")


def _name_journey(context: Context, info: RequestInfo) -> None:
    journey = context.journey
    journey.verb = info.verb
    journey.group = info.group
    journey.resource = info.resource or info.path
    journey.subresource = info.subresource
    journey.namespace = info.namespace
    journey.name = info.name
