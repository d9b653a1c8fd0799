"""Errors are Kubernetes `Status` objects, raised at the place that knows, turned into bytes in one place.

The constructors follow k8s.io/apimachinery/pkg/api/errors: same codes, reasons, messages and causes. Both the API server
(which raises them) and its clients (which catch them) use this module.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import orjson

Obj = dict[str, Any]


class StatusError(Exception):
    """A request that failed, as the Status that tells the client so."""

    def __init__(
        self,
        code: int,
        reason: str,
        message: str,
        *,
        group: str = "",
        kind: str = "",
        name: str = "",
        causes: Iterable[Obj] = (),
        retry_after: int = 0,
        uid: str = "",
    ) -> None:
        super().__init__(message)
        self.code = code
        self.reason = reason
        self.message = message
        details: Obj = {}
        if name:
            details["name"] = name
        if group:
            details["group"] = group
        if kind:
            details["kind"] = kind
        if uid:
            details["uid"] = uid
        causes = list(causes)
        if causes:
            details["causes"] = causes
        if retry_after:
            details["retryAfterSeconds"] = retry_after
        self.details = details
        # Set with an expired continue token: how to go on without a consistent view.
        self.continue_token = ""
        # Set on a denial: the bindings that were considered and what almost matched. For the journey, not the client.
        self.considered: list[Obj] = []

    @property
    def status(self) -> Obj:
        status: Obj = {
            "kind": "Status",
            "apiVersion": "v1",
            "metadata": {"continue": self.continue_token} if self.continue_token else {},
            "status": "Failure",
            "message": self.message,
        }
        if self.reason:
            status["reason"] = self.reason
        if self.details:
            status["details"] = self.details
        status["code"] = self.code
        return status

    @classmethod
    def from_status(cls, status: Obj) -> StatusError:
        """The error a remote API server answered with."""
        details = status.get("details") or {}
        return cls(
            int(status.get("code") or 500),
            status.get("reason") or "",
            status.get("message") or "",
            group=details.get("group", ""),
            kind=details.get("kind", ""),
            name=details.get("name", ""),
            causes=details.get("causes") or (),
            retry_after=details.get("retryAfterSeconds") or 0,
            uid=details.get("uid", ""),
        )


# Stands for a value that an error does not show (field.OmitValueType).
OMITTED: Any = object()


@dataclass(frozen=True, slots=True)
class FieldError:
    """One thing wrong with one field (k8s.io/apimachinery/pkg/util/validation/field.Error).

    `type` is the cause's reason: FieldValueRequired, FieldValueInvalid, FieldValueNotSupported, FieldValueForbidden,
    FieldValueDuplicate, FieldValueNotFound, FieldValueTooLong, FieldValueTooMany, FieldValueTypeInvalid, InternalError.
    """

    type: str
    field: str
    detail: str = ""
    value: Any = None

    @property
    def body(self) -> str:
        prefix = _FIELD_WORDS[self.type]
        if (
            self.type in ("FieldValueRequired", "FieldValueForbidden", "FieldValueTooLong", "InternalError")
            or self.value is OMITTED
        ):
            text = prefix
        elif self.type == "FieldValueTooMany":
            text = f"{prefix}: {self.value}" if self.value is not None else prefix
        else:
            text = f"{prefix}: {_go_value(self.value)}"
        return f"{text}: {self.detail}" if self.detail else text

    @property
    def message(self) -> str:
        return f"{self.field}: {self.body}"

    @property
    def cause(self) -> Obj:
        return {"reason": self.type, "message": self.body, "field": self.field}


_FIELD_WORDS = {
    "FieldValueNotFound": "Not found",
    "FieldValueRequired": "Required value",
    "FieldValueDuplicate": "Duplicate value",
    "FieldValueInvalid": "Invalid value",
    "FieldValueNotSupported": "Unsupported value",
    "FieldValueForbidden": "Forbidden",
    "FieldValueTooLong": "Too long",
    "FieldValueTooMany": "Too many",
    "InternalError": "Internal error",
    "FieldValueTypeInvalid": "Invalid value",
}


def _go_value(value: Any) -> str:
    """The value as Go's field errors print it: strings quoted, objects as JSON, null as null."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return orjson.dumps(value).decode()
    if isinstance(value, (int, float)):
        return str(value)
    return orjson.dumps(value).decode()


def required(field: str, detail: str = "") -> FieldError:
    return FieldError("FieldValueRequired", field, detail)


def invalid_value(field: str, value: Any, detail: str) -> FieldError:
    return FieldError("FieldValueInvalid", field, detail, value)


def not_supported(field: str, value: Any, supported: Iterable[str]) -> FieldError:
    words = ", ".join(f'"{word}"' for word in supported)
    return FieldError("FieldValueNotSupported", field, f"supported values: {words}", value)


def forbidden_field(field: str, detail: str) -> FieldError:
    return FieldError("FieldValueForbidden", field, detail)


def duplicate(field: str, value: Any) -> FieldError:
    return FieldError("FieldValueDuplicate", field, "", value)


def too_long(field: str, limit: int, unit: str = "bytes") -> FieldError:
    return FieldError("FieldValueTooLong", field, f"may not be more than {limit} {unit}")


def qualified(resource: str, group: str) -> str:
    """`deployments.apps`, or `pods` for the core group."""
    return f"{resource}.{group}" if group else resource


def not_found(resource: str, group: str, name: str) -> StatusError:
    return StatusError(
        404, "NotFound", f'{qualified(resource, group)} "{name}" not found', group=group, kind=resource, name=name
    )


def already_exists(resource: str, group: str, name: str) -> StatusError:
    return StatusError(
        409,
        "AlreadyExists",
        f'{qualified(resource, group)} "{name}" already exists',
        group=group,
        kind=resource,
        name=name,
    )


CONFLICT_TEXT = "the object has been modified; please apply your changes to the latest version and try again"


def conflict(resource: str, group: str, name: str, text: str = CONFLICT_TEXT) -> StatusError:
    return StatusError(
        409,
        "Conflict",
        f'Operation cannot be fulfilled on {qualified(resource, group)} "{name}": {text}',
        group=group,
        kind=resource,
        name=name,
    )


def invalid(kind: str, group: str, name: str, errors: Iterable[FieldError]) -> StatusError:
    """422: validation found these. `kind` is the Kind; one error stands alone, several stand in brackets."""
    found = list(errors)
    texts = list(dict.fromkeys(error.message for error in found))
    joined = texts[0] if len(texts) == 1 else f"[{', '.join(texts)}]"
    return StatusError(
        422,
        "Invalid",
        f'{qualified(kind, group)} "{name}" is invalid: {joined}',
        group=group,
        kind=kind,
        name=name,
        causes=[error.cause for error in found],
    )


def forbidden(resource: str, group: str, name: str, text: str) -> StatusError:
    if not resource:
        message = f"forbidden: {text}"
    elif name:
        message = f'{qualified(resource, group)} "{name}" is forbidden: {text}'
    else:
        message = f"{qualified(resource, group)} is forbidden: {text}"
    return StatusError(403, "Forbidden", message, group=group, kind=resource, name=name)


def unauthorized(text: str = "Unauthorized") -> StatusError:
    return StatusError(401, "Unauthorized", text)


def bad_request(text: str) -> StatusError:
    return StatusError(400, "BadRequest", text)


def method_not_supported(resource: str, group: str, action: str) -> StatusError:
    return StatusError(
        405,
        "MethodNotAllowed",
        f'{action} is not supported on resources of kind "{qualified(resource, group)}"',
        group=group,
        kind=resource,
    )


def not_acceptable(text: str) -> StatusError:
    return StatusError(406, "NotAcceptable", text)


def gone(text: str) -> StatusError:
    """410 with reason Expired: the revision that was asked for has been compacted."""
    return StatusError(410, "Expired", text)


def too_large(text: str) -> StatusError:
    return StatusError(413, "RequestEntityTooLarge", text)


def unsupported_media_type(text: str) -> StatusError:
    return StatusError(415, "UnsupportedMediaType", text)


def service_unavailable(text: str) -> StatusError:
    return StatusError(503, "ServiceUnavailable", text)


def too_many_requests(text: str, retry_after: int = 1, causes: Iterable[Obj] = ()) -> StatusError:
    return StatusError(429, "TooManyRequests", text, retry_after=retry_after, causes=causes)


def internal(text: str) -> StatusError:
    message = f"Internal error occurred: {text}"
    return StatusError(500, "InternalError", message, causes=[{"message": text}])


def generic_not_found() -> StatusError:
    """The answer for a path that no API serves."""
    return StatusError(404, "NotFound", "the server could not find the requested resource")


def is_not_found(error: BaseException) -> bool:
    return isinstance(error, StatusError) and error.reason == "NotFound"


def is_conflict(error: BaseException) -> bool:
    return isinstance(error, StatusError) and error.reason == "Conflict"


def is_already_exists(error: BaseException) -> bool:
    return isinstance(error, StatusError) and error.reason == "AlreadyExists"


def namespace_terminating(error: StatusError) -> bool:
    """The create was refused because the namespace is going away: there is nothing to retry or report."""
    return any(cause.get("reason") == "NamespaceTerminating" for cause in error.details.get("causes") or ())
