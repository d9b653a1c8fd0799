"""Webhook configurations as objects: defaults and rules (apis/admissionregistration/validation)."""

from __future__ import annotations

from typing import Any

from cluster.apimachinery.errors import duplicate, invalid_value, required
from cluster.apiserver.strategies import names
from cluster.apiserver.strategies.admissionrules import (
    MATCHING,
    POLICIES,
    check_conditions,
    check_rule,
    choice,
)
from cluster.apiserver.strategies.base import Strategy
from cluster.apiserver.strategies.metadata import Found, check_selector

Obj = dict[str, Any]


class WebhookConfigurationStrategy(Strategy):
    """ValidatingWebhookConfiguration."""

    namespaced = False
    has_generation = True
    mutates = False

    def wanted(self, obj: Obj) -> Any:
        return obj.get("webhooks")

    def default(self, obj: Obj) -> None:
        for hook in obj.get("webhooks") or ():
            hook.setdefault("failurePolicy", "Fail")
            hook.setdefault("matchPolicy", "Equivalent")
            hook.setdefault("namespaceSelector", {})
            hook.setdefault("objectSelector", {})
            hook.setdefault("timeoutSeconds", 10)
            if self.mutates:
                hook.setdefault("reinvocationPolicy", "Never")
            for rule in hook.get("rules") or ():
                rule.setdefault("scope", "*")
            service = (hook.get("clientConfig") or {}).get("service")
            if service is not None:
                service.setdefault("port", 443)

    def check(self, obj: Obj) -> Found:
        found: Found = []
        seen: set[str] = set()
        for index, hook in enumerate(obj.get("webhooks") or ()):
            path = f"webhooks[{index}]"
            found.extend(self._check_hook(hook, path))
            if hook.get("name") in seen:
                found.append(duplicate(f"{path}.name", hook["name"]))
            seen.add(hook.get("name") or "")
        return found

    def _check_hook(self, hook: Obj, path: str) -> Found:
        found: Found = []
        name = hook.get("name") or ""
        if not name:
            found.append(required(f"{path}.name"))
        elif names.subdomain(name):
            found.append(invalid_value(f"{path}.name", name, names.subdomain(name)))
        elif name.count(".") < 2:
            found.append(
                invalid_value(f"{path}.name", name, "should be a domain with at least three segments separated by dots")
            )
        for index, rule in enumerate(hook.get("rules") or ()):
            found.extend(check_rule(rule, f"{path}.rules[{index}]"))
        found.extend(choice(hook, "failurePolicy", path, POLICIES))
        found.extend(choice(hook, "matchPolicy", path, MATCHING))
        effects = hook.get("sideEffects")
        if not effects:
            found.append(required(f"{path}.sideEffects", "must specify one of None, NoneOnDryRun"))
        else:
            found.extend(choice(hook, "sideEffects", path, ("None", "NoneOnDryRun")))
        seconds = hook.get("timeoutSeconds")
        if seconds is not None and not 1 <= seconds <= 30:
            found.append(
                invalid_value(f"{path}.timeoutSeconds", seconds, "the timeout value must be between 1 and 30 seconds")
            )
        for field in ("namespaceSelector", "objectSelector"):
            if hook.get(field):
                found.extend(check_selector(hook[field], f"{path}.{field}"))
        if self.mutates:
            found.extend(choice(hook, "reinvocationPolicy", path, ("IfNeeded", "Never")))
        found.extend(_check_client(hook.get("clientConfig") or {}, f"{path}.clientConfig"))
        versions = hook.get("admissionReviewVersions") or []
        where = f"{path}.admissionReviewVersions"
        if not versions:
            found.append(required(where, "must specify one of v1, v1beta1"))
        elif not {"v1", "v1beta1"} & set(versions):
            found.append(invalid_value(where, versions, "must include at least one of v1, v1beta1"))
        found.extend(check_conditions(hook.get("matchConditions"), f"{path}.matchConditions"))
        return found


class MutatingWebhookConfigurationStrategy(WebhookConfigurationStrategy):
    """MutatingWebhookConfiguration."""

    mutates = True


def _check_client(config: Obj, path: str) -> Found:
    url, service = config.get("url"), config.get("service")
    if bool(url) == bool(service):
        return [required(path, "exactly one of url or service is required")]
    if url:
        if not url.startswith("https://"):
            scheme = url.partition("://")[0] if "://" in url else ""
            return [
                invalid_value(
                    f"{path}.url",
                    scheme,
                    "'https' is the only allowed URL scheme; desired format: https://host[/path]",
                )
            ]
        return []
    assert service is not None
    found = [
        required(f"{path}.service.{field}", f"service {field} is required")
        for field in ("name", "namespace")
        if not service.get(field)
    ]
    port = service.get("port", 443)
    if not 1 <= port <= 65535:
        found.append(
            invalid_value(f"{path}.service.port", port, "port is not valid: must be between 1 and 65535, inclusive")
        )
    return found
