"""One audited request, and the audit.k8s.io/v1 Event that tells of it.

A `Record` is what the API server hands over, by reference: cheap. It becomes an Event in the writer's thread. Bodies of
secrets and tokens are never told, whatever the policy says.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from cluster.apimachinery.users import Person, user_info

Obj = dict[str, Any]
LEVELS_WITH_BODY = ("Request", "RequestResponse")
# Resources (group, resource, subresource) whose bodies are secret: as those that Kubernetes' own policies keep out.
SECRET = frozenset(
    {
        ("", "secrets", ""),
        ("", "serviceaccounts", "token"),
        ("authentication.k8s.io", "tokenreviews", ""),
    }
)
_SECRET_KINDS = frozenset({"Secret", "SecretList", "TokenReview", "TokenRequest"})
# People whose UserInfo is kept ready: the same few ask all the time.
_REMEMBERED = 1000


@dataclass(slots=True)
class Record:
    """A request at one of its stages. Times are seconds since the epoch."""

    level: str
    id: str
    stage: str
    uri: str
    verb: str
    user: Person | None
    impersonated: Person | None
    addresses: tuple[str, ...]
    agent: str
    is_resource: bool
    group: str
    version: str
    resource: str
    subresource: str
    namespace: str
    name: str
    code: int
    reason: str
    message: str
    # allow or forbid; empty where it never came to a decision.
    decision: str
    why: str
    received: float
    at: float
    request: Any = None
    response: Any = None
    omit_managed_fields: bool = False
    # A watch, a log that is followed, a session: its end comes long after its beginning.
    is_long: bool = False


def event(record: Record) -> Obj:
    """The Event, as Kubernetes writes it. Parts are shared with other events: to be written down, never changed."""
    told: Obj = {
        "kind": "Event",
        "apiVersion": "audit.k8s.io/v1",
        "level": record.level,
        "auditID": record.id,
        "stage": record.stage,
        "requestURI": record.uri,
        "verb": record.verb,
        "user": {} if record.user is None else _who(record.user),
    }
    if record.impersonated is not None:
        told["impersonatedUser"] = _who(record.impersonated)
    if record.addresses:
        told["sourceIPs"] = list(record.addresses)
    if record.agent:
        told["userAgent"] = record.agent
    if record.is_resource:
        told["objectRef"] = _reference(record)
    code = record.code
    if code >= 400:
        told["responseStatus"] = {
            "metadata": {},
            "code": code,
            "status": "Failure",
            "message": record.message,
            "reason": record.reason,
        }
    elif code:
        told["responseStatus"] = {"metadata": {}, "code": code}
    if record.level in LEVELS_WITH_BODY and not _is_secret(record):
        if record.request is not None:
            told["requestObject"] = _shown(record.request, record)
        if record.level == "RequestResponse" and record.response is not None:
            told["responseObject"] = _shown(record.response, record)
    told["requestReceivedTimestamp"] = moment(record.received)
    told["stageTimestamp"] = moment(record.at)
    if record.decision:
        told["annotations"] = {
            "authorization.k8s.io/decision": record.decision,
            "authorization.k8s.io/reason": record.why,
        }
    return told


_known: dict[int, tuple[Person, Obj]] = {}


def _who(user: Person) -> Obj:
    """The user's UserInfo, made once for each user object (which is kept, so that its id stays its own)."""
    found = _known.get(id(user))
    if found is None:
        if len(_known) >= _REMEMBERED:
            _known.clear()
        found = _known[id(user)] = (user, user_info(user))
    return found[1]


def _reference(record: Record) -> Obj:
    found = {"resource": record.resource}
    if record.namespace:
        found["namespace"] = record.namespace
    if record.name:
        found["name"] = record.name
    if record.group:
        found["apiGroup"] = record.group
    if record.version:
        found["apiVersion"] = record.version
    if record.subresource:
        found["subresource"] = record.subresource
    return found


def _is_secret(record: Record) -> bool:
    if (record.group, record.resource, record.subresource) in SECRET:
        return True
    bodies = (record.request, record.response)
    return any(isinstance(body, dict) and body.get("kind") in _SECRET_KINDS for body in bodies)


def _shown(body: Any, record: Record) -> Any:
    if not record.omit_managed_fields or not isinstance(body, dict) or "managedFields" not in body.get("metadata", {}):
        return body
    metadata = {key: value for key, value in body["metadata"].items() if key != "managedFields"}
    return {**body, "metadata": metadata}


@lru_cache(maxsize=16)
def _second(seconds: int) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(seconds))


def moment(seconds: float) -> str:
    """RFC 3339 with microseconds. The events of a batch fall into the same few seconds."""
    whole = int(seconds)
    return f"{_second(whole)}.{int((seconds - whole) * 1e6):06d}Z"
