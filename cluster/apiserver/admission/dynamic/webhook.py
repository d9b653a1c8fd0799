"""Calling admission webhooks: what is asked, and what their answers mean (admission/plugin/webhook/{mutating,validating})."""

from __future__ import annotations

import base64
import binascii
from typing import TYPE_CHECKING, Any

import orjson

from cluster.apimachinery import errors
from cluster.apiserver import webhooks
from cluster.apiserver.admission.dynamic import matching, review
from cluster.apiserver.admission.dynamic.expressions import ConditionFailed, conditions_hold, names_of
from cluster.apiserver.patch.json_patch import apply_json_patch
from cluster.apiserver.request import Attributes
from cluster.apiserver.resources.registry import Registry, Resource

if TYPE_CHECKING:
    from cluster.apiserver.server import APIServer

Obj = dict[str, Any]


def concerned(hook: Obj, attributes: Attributes, registry: Registry, authorizer: Any) -> Resource | None:
    """The version of the resource that the webhook wants to hear of, None when it does not. Refuses where it cannot be told."""
    resource = matching.matching_version(
        hook.get("rules"), hook.get("matchPolicy") or "Equivalent", attributes, registry
    )
    if resource is None:
        return None
    if not matching.namespace_matches(hook.get("namespaceSelector"), attributes):
        return None
    if not matching.object_matches(hook.get("objectSelector"), attributes):
        return None
    if hook.get("matchConditions"):
        request = review.request_of(attributes, resource)
        obj, old = review.in_version(attributes.obj, resource), review.in_version(attributes.old, resource)
        try:
            if not conditions_hold(hook["matchConditions"], names_of(attributes, request, obj, old, authorizer)):
                return None
        except ConditionFailed as error:
            if (hook.get("failurePolicy") or "Fail") == "Ignore":
                return None
            raise errors.forbidden(
                attributes.resource.plural,
                attributes.resource.group,
                attributes.name or "Unknown",
                str(error),
            ) from error
    return resource


async def ask(hook: Obj, attributes: Attributes, resource: Resource, server: APIServer) -> Obj | None:
    """The webhook's answer after it allowed the request; None when it failed and may (failurePolicy Ignore)."""
    name = str(hook["name"])
    if attributes.dry_run and hook.get("sideEffects") not in ("None", "NoneOnDryRun"):
        raise errors.bad_request(f'admission webhook "{name}" does not support dry run')
    request = review.request_of(attributes, resource)
    request["object"] = review.in_version(attributes.obj, resource)
    request["oldObject"] = review.in_version(attributes.old, resource)
    question = {"kind": "AdmissionReview", "apiVersion": "admission.k8s.io/v1", "request": request}
    timeout = int(hook.get("timeoutSeconds") or 10)
    try:
        answer = await webhooks.call(hook["clientConfig"], server, question, timeout)
        response = _checked(answer, str(request["uid"]))
    except webhooks.CallFailed as error:
        if (hook.get("failurePolicy") or "Fail") == "Ignore":
            return None
        text = str(error)
        prefix = "failed to call webhook: " if text.startswith(("Post ", "the server", "couldn't")) else ""
        raise errors.internal(f'failed calling webhook "{name}": {prefix}{text}') from error
    for warning in response.get("warnings") or ():
        attributes.warnings.append(str(warning)[:4096])
    if not response.get("allowed"):
        raise _denied(name, response.get("status") or response.get("result") or {})
    return response


def _checked(answer: Obj, uid: str) -> Obj:
    response = answer.get("response")
    if not isinstance(response, dict):
        raise webhooks.CallFailed("received invalid webhook response: webhook response was absent")
    if response.get("uid") != uid:
        raise webhooks.CallFailed(
            f'received invalid webhook response: expected response.uid="{uid}", got "{response.get("uid", "")}"'
        )
    if (answer.get("apiVersion"), answer.get("kind")) != ("admission.k8s.io/v1", "AdmissionReview"):
        group, _, version = str(answer.get("apiVersion", "")).rpartition("/")
        raise webhooks.CallFailed(
            "received invalid webhook response: expected webhook response of admission.k8s.io/v1, Kind=AdmissionReview, "
            f"got {group}/{version}, Kind={answer.get('kind', '')}"
        )
    return response


def _denied(name: str, status: Any) -> errors.StatusError:
    """The refusal in the webhook's words (webhook/errors.ToStatusErr)."""
    status = status if isinstance(status, dict) else {}
    text = f'admission webhook "{name}" denied the request'
    if status.get("message"):
        text = f"{text}: {status['message']}"
    elif status.get("reason"):
        text = f"{text}: {status['reason']}"
    else:
        text = f"{text} without explanation"
    code = status.get("code")
    code = code if isinstance(code, int) and 400 <= code < 600 else 400
    error = errors.StatusError(code, str(status.get("reason") or ""), text)
    if isinstance(status.get("details"), dict):
        error.details = status["details"]
    return error


def patched(hook: Obj, response: Obj, obj: Obj) -> Obj:
    """The object after the webhook's patch."""
    if not response.get("patch"):
        return obj
    name = hook["name"]
    if response.get("patchType") != "JSONPatch":
        raise errors.internal(
            f'failed calling webhook "{name}": received invalid webhook response: unsupported patch type '
            f"{orjson.dumps(response.get('patchType', '')).decode()}"
        )
    try:
        operations = orjson.loads(base64.b64decode(response["patch"], validate=True))
        changed = apply_json_patch(obj, operations)
    except (binascii.Error, ValueError, TypeError) as error:
        raise errors.internal(f'failed calling webhook "{name}": {error}') from error
    except errors.StatusError as error:
        raise errors.internal(error.message) from error
    if not isinstance(changed, dict) or not isinstance(changed.get("metadata"), dict):
        raise errors.internal(f'failed calling webhook "{name}": the patch does not leave an object')
    return changed


def told(response: Obj) -> str:
    """What a patch touched, for the journey."""
    try:
        operations = orjson.loads(base64.b64decode(response.get("patch") or ""))
        return ", ".join(f"{one['op']} {one['path']}" for one in operations[:20])
    except (binascii.Error, ValueError, TypeError, KeyError):
        return ""
