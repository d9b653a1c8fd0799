"""OpenAPI's `paths`: what can be done at each address of a resource, for OpenAPI 3.0 and for swagger 2.0.

Pure functions of a resource, called by `openapi`. kubectl reads the PATCH operations' query parameters here to learn whether the
server validates fields, and resources' kinds from `x-kubernetes-group-version-kind`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from cluster.apiserver.resources.registry import Resource, Subresource, definition_of

Obj = dict[str, Any]
Refer = Callable[[str], Obj]

META = "io.k8s.apimachinery.pkg.apis.meta.v1."
STATUS, DELETE_OPTIONS, PATCH = f"{META}Status", f"{META}DeleteOptions", f"{META}Patch"
PATCH_TYPES = (
    "application/apply-patch+yaml",
    "application/json-patch+json",
    "application/merge-patch+json",
    "application/strategic-merge-patch+json",
)
_FORMS = ("application/json", "application/yaml")

# verb → method, x-kubernetes-action, first word of the operationId, description, codes that answer with an object
_VERBS: dict[str, tuple[str, str, str, str, tuple[int, ...]]] = {
    "get": ("get", "get", "read", "read {}the specified {}", (200,)),
    "list": ("get", "list", "list", "list or watch {}objects of kind {}", (200,)),
    "create": ("post", "post", "create", "create {}a {}", (200, 201, 202)),
    "update": ("put", "put", "replace", "replace {}the specified {}", (200, 201)),
    "patch": ("patch", "patch", "patch", "partially update {}the specified {}", (200, 201)),
    "delete": ("delete", "delete", "delete", "delete {}a {}", (200, 202)),
    "deletecollection": ("delete", "deletecollection", "delete", "delete {}collection of {}", (200,)),
}
_REASONS = {200: "OK", 201: "Created", 202: "Accepted"}

# Query parameters: name → type and what it means.
_PARAMETERS: dict[str, tuple[str, str]] = {
    "allowWatchBookmarks": ("boolean", 'allowWatchBookmarks requests watch events with type "BOOKMARK".'),
    "continue": ("string", "The continue option should be set when retrieving more results from the server."),
    "dryRun": (
        "string",
        "When present, indicates that modifications should not be persisted. An invalid or unrecognized dryRun directive "
        "will result in an error response and no further processing of the request. Valid values are: - All: all dry run "
        "stages will be processed",
    ),
    "fieldManager": (
        "string",
        "fieldManager is a name associated with the actor or entity that is making these changes. The value must be less "
        "than or 128 characters long, and only contain printable characters, as defined by "
        "https://golang.org/pkg/unicode/#IsPrint.",
    ),
    "fieldSelector": (
        "string",
        "A selector to restrict the list of returned objects by their fields. Defaults to everything.",
    ),
    "fieldValidation": (
        "string",
        "fieldValidation instructs the server on how to handle objects in the request (POST/PUT/PATCH) containing unknown "
        "or duplicate fields. Valid values are: - Ignore: drops them silently - Warn: sends a warning for each "
        "- Strict: fails the request with a BadRequest error",
    ),
    "force": (
        "boolean",
        'Force is going to "force" Apply requests. It means user will re-acquire conflicting fields owned by other '
        "people. Force flag must be unset for non-apply patch requests.",
    ),
    "gracePeriodSeconds": (
        "integer",
        "The duration in seconds before the object should be deleted. The value zero indicates delete immediately.",
    ),
    "labelSelector": (
        "string",
        "A selector to restrict the list of returned objects by their labels. Defaults to everything.",
    ),
    "limit": ("integer", "limit is a maximum number of responses to return for a list call."),
    "orphanDependents": (
        "boolean",
        "Deprecated: please use the PropagationPolicy. Should the dependent objects be orphaned.",
    ),
    "pretty": ("string", "If 'true', then the output is pretty printed."),
    "propagationPolicy": (
        "string",
        "Whether and how garbage collection will be performed. Acceptable values are: 'Orphan', 'Background' and "
        "'Foreground'.",
    ),
    "resourceVersion": (
        "string",
        "resourceVersion sets a constraint on what resource versions a request may be served from.",
    ),
    "resourceVersionMatch": (
        "string",
        "resourceVersionMatch determines how resourceVersion is applied to list calls.",
    ),
    "sendInitialEvents": (
        "boolean",
        "`sendInitialEvents=true` may be set together with `watch=true`: the stream then begins with synthetic events that "
        "produce the current state of objects, and a bookmark.",
    ),
    "timeoutSeconds": ("integer", "Timeout for the list/watch call, regardless of any activity or inactivity."),
    "watch": (
        "boolean",
        "Watch for changes to the described resources and return them as a stream of add, update, and remove notifications.",
    ),
    "command": ("string", "Command is the remote command to execute. argv array. Not executed within a shell."),
    "container": (
        "string",
        "The container for which to act. Defaults to the only container if there is one in the pod.",
    ),
    "follow": ("boolean", "Follow the log stream of the pod. Defaults to false."),
    "limitBytes": ("integer", "If set, the number of bytes to read from the server before terminating the log output."),
    "path": ("string", "Path is the URL path to use for the current proxy request."),
    "ports": ("integer", "List of ports to forward. Required when using WebSockets."),
    "previous": ("boolean", "Return previous terminated container logs. Defaults to false."),
    "sinceSeconds": ("integer", "A relative time in seconds before the current time from which to show logs."),
    "stderr": ("boolean", "Redirect the standard error stream of the pod for this call."),
    "stdin": ("boolean", "Redirect the standard input stream of the pod for this call. Defaults to false."),
    "stdout": ("boolean", "Redirect the standard output stream of the pod for this call."),
    "tailLines": ("integer", "If set, the number of lines from the end of the logs to show."),
    "timestamps": ("boolean", "If true, add an RFC3339 timestamp at the beginning of every line of log output."),
    "tty": ("boolean", "TTY if true indicates that a tty will be allocated for the call. Defaults to false."),
}
_WATCHING = (
    "allowWatchBookmarks",
    "continue",
    "fieldSelector",
    "labelSelector",
    "limit",
    "resourceVersion",
    "resourceVersionMatch",
    "sendInitialEvents",
    "timeoutSeconds",
    "watch",
)
_DELETING = ("dryRun", "gracePeriodSeconds", "orphanDependents", "propagationPolicy")
_WRITING = ("dryRun", "fieldManager", "fieldValidation")
_QUERY: dict[str, tuple[str, ...]] = {
    "get": (),
    "list": _WATCHING,
    "create": _WRITING,
    "update": _WRITING,
    "patch": (*_WRITING, "force"),
    "delete": _DELETING,
    "deletecollection": tuple(sorted({*_WATCHING, *_DELETING} - {"allowWatchBookmarks", "watch"})),
}
_STREAMS = ("container", "stderr", "stdin", "stdout", "tty")
# What is passed on to the node: the query, not a body, says what is wanted.
_CONNECTIONS: dict[str, tuple[str, ...]] = {
    "PodExecOptions": ("command", *_STREAMS),
    "PodAttachOptions": _STREAMS,
    "PodPortForwardOptions": ("ports",),
    "PodProxyOptions": ("path",),
    "ServiceProxyOptions": ("path",),
    "NodeProxyOptions": ("path",),
}
_METHODS = {"get": "get", "create": "post", "update": "put", "patch": "patch", "delete": "delete"}
_LOG = ("container", "follow", "limitBytes", "previous", "sinceSeconds", "tailLines", "timestamps")


class Paths:
    """The paths of one resource. `refer` gives the reference to a definition, `v2` says in which dialect."""

    def __init__(self, resource: Resource, refer: Refer, *, v2: bool) -> None:
        self.resource = resource
        self.refer = refer
        self.v2 = v2
        words = [word.capitalize() for word in resource.group.removesuffix(".k8s.io").split(".")]
        group = "".join(words) or "Core"
        self.tag = f"{group[0].lower()}{group[1:]}_{resource.version}"
        self.prefix = f"{group}{resource.version.capitalize()}"
        self.scope = "Namespaced" if resource.namespaced else ""

    def all(self) -> Iterator[tuple[str, Obj]]:
        resource = self.resource
        where = f"namespaces/{{namespace}}/{resource.plural}" if resource.namespaced else resource.plural
        collection = [verb for verb in ("list", "create", "deletecollection") if verb in resource.verbs]
        single = [verb for verb in ("get", "update", "delete", "patch") if verb in resource.verbs]
        if collection:
            yield where, self._item(resource.namespaced, False, [self._operation(verb) for verb in collection])
        if resource.namespaced and "list" in resource.verbs:
            yield resource.plural, self._item(False, False, [self._operation("list", everywhere=True)])
        if single:
            yield f"{where}/{{name}}", self._item(resource.namespaced, True, [self._operation(verb) for verb in single])
        for name, sub in sorted(resource.subresources.items()):
            if sub.kind in _CONNECTIONS:
                operations = [self._connection(verb, name, sub) for verb in sub.verbs]
            else:
                operations = [self._operation(verb, name=name, sub=sub) for verb in sub.verbs]
            yield f"{where}/{{name}}/{name}", self._item(resource.namespaced, True, operations)

    def _item(self, namespaced: bool, named: bool, operations: list[tuple[str, Obj]]) -> Obj:
        parameters = []
        if named:
            parameters.append(self._parameter("name", "string", f"name of the {self.resource.kind}", "path"))
        if namespaced:
            text = "object name and auth scope, such as for teams and projects"
            parameters.append(self._parameter("namespace", "string", text, "path"))
        parameters.append(self._query("pretty"))
        return {**dict(operations), "parameters": parameters}

    def _operation(
        self, verb: str, *, everywhere: bool = False, name: str = "", sub: Subresource | None = None
    ) -> tuple[str, Obj]:
        resource = self.resource
        method, action, word, text, codes = _VERBS[verb]
        carried = resource.definition if sub is None else definition_of(sub.group, sub.version, sub.kind)
        returned = carried
        if verb == "list":
            returned = f"{carried}List"
        elif verb == "deletecollection" or (verb == "delete" and resource.kind != "Pod"):
            returned = STATUS
        scope = "Collection" * (verb == "deletecollection") + self.scope * (not everywhere)
        suffix = "ForAllNamespaces" if everywhere else name.capitalize()
        operation: Obj = {
            "tags": [self.tag],
            "description": text.format(f"{name} of " if name else "", resource.kind),
            "operationId": f"{word}{self.prefix}{scope}{resource.kind}{suffix}",
        }
        query = [self._query(one) for one in (_LOG if name == "log" else _QUERY[verb])]
        body = None
        if verb in ("create", "update"):
            body = self.refer(carried)
        elif verb == "patch":
            body = self.refer(PATCH)
        elif verb in ("delete", "deletecollection"):
            body = self.refer(DELETE_OPTIONS)
        self._carry(operation, query, body, required=verb not in ("delete", "deletecollection"), patch=verb == "patch")
        answer = {"type": "string"} if name == "log" else self.refer(returned)
        operation["responses"] = self._responses(codes, answer)
        operation["x-kubernetes-action"] = action
        operation["x-kubernetes-group-version-kind"] = self._kind(sub)
        return method, operation

    def _connection(self, verb: str, name: str, sub: Subresource) -> tuple[str, Obj]:
        method = _METHODS[verb]
        operation: Obj = {
            "tags": [self.tag],
            "description": f"connect {method.upper()} requests to {name} of {self.resource.kind}",
            "operationId": f"connect{self.prefix}{method.capitalize()}{self.scope}{self.resource.kind}{name.capitalize()}",
        }
        self._carry(operation, [self._query(one) for one in _CONNECTIONS[sub.kind]], None, required=False, patch=False)
        operation["responses"] = self._responses((200,), {"type": "string"})
        operation["x-kubernetes-action"] = "connect"
        operation["x-kubernetes-group-version-kind"] = self._kind(sub)
        return method, operation

    def _kind(self, sub: Subresource | None) -> Obj:
        one = sub or self.resource
        return {"group": one.group, "version": one.version, "kind": one.kind}

    # -- the two dialects ----------------------------------------------------------------------------------------------

    def _query(self, name: str) -> Obj:
        kind, text = _PARAMETERS[name]
        return self._parameter(name, kind, text, "query")

    def _parameter(self, name: str, kind: str, text: str, where: str) -> Obj:
        parameter: Obj = {"name": name, "in": where, "description": text}
        if where == "path":
            parameter["required"] = True
        if self.v2:
            return {**parameter, "type": kind, "uniqueItems": True}
        return {**parameter, "schema": {"type": kind, "uniqueItems": True}}

    def _carry(self, operation: Obj, query: list[Obj], body: Obj | None, *, required: bool, patch: bool) -> None:
        """Put parameters and body where the dialect wants them."""
        if self.v2:
            operation["consumes"] = list(PATCH_TYPES) if patch else ["*/*"]
            operation["produces"] = list(_FORMS)
            if body is not None:
                carried: Obj = {"name": "body", "in": "body", "schema": body}
                query.append({**carried, "required": True} if required else carried)
        elif body is not None:
            types = PATCH_TYPES if patch else ("*/*",)
            content: Obj = {"content": {one: {"schema": body} for one in types}}
            operation["requestBody"] = {**content, "required": True} if required else content
        if query:
            operation["parameters"] = query

    def _responses(self, codes: tuple[int, ...], answer: Obj) -> Obj:
        shape: Obj = {"schema": answer}
        if not self.v2:
            shape = {"content": {form: {"schema": answer} for form in _FORMS}}
        found: Obj = {str(code): {"description": _REASONS[code], **shape} for code in codes}
        found["401"] = {"description": "Unauthorized"}
        return found
