"""What every pod gets on its way in: its account, its priority, its tolerations, its runtime's overhead."""

from __future__ import annotations

from typing import Any

from cluster.apimachinery.meta import random_suffix
from cluster.apiserver.admission.plugin import Plugin, refuse
from cluster.apiserver.request import Attributes

Obj = dict[str, Any]
PODS = frozenset({"pods"})
TOKEN_PATH = "/var/run/secrets/kubernetes.io/serviceaccount"  # noqa: S105
MIRROR = "kubernetes.io/config.mirror"
NODE_NOT_READY, NODE_UNREACHABLE = "node.kubernetes.io/not-ready", "node.kubernetes.io/unreachable"


def _pod(attributes: Attributes) -> Obj:
    assert attributes.obj is not None
    return attributes.obj


class ServiceAccount(Plugin):
    """Names the account and mounts its token (plugin/pkg/admission/serviceaccount)."""

    name = "ServiceAccount"
    resources = PODS

    def admit(self, attributes: Attributes) -> str | None:
        pod = _pod(attributes)
        spec: Obj = pod["spec"]
        if MIRROR in (pod["metadata"].get("annotations") or {}):
            return None
        account_name = spec.get("serviceAccountName") or "default"
        spec["serviceAccountName"] = spec["serviceAccount"] = account_name
        account = attributes.reader.get("serviceaccounts", attributes.namespace, account_name)
        if account is None:
            raise refuse(
                attributes,
                f"error looking up service account {attributes.namespace}/{account_name}: "
                f'serviceaccount "{account_name}" not found',
            )
        done = f"serviceAccountName {account_name}"
        if self._automounts(spec, account) and self._mount(spec):
            done += ", token mounted"
        if not spec.get("imagePullSecrets") and account.get("imagePullSecrets"):
            spec["imagePullSecrets"] = [{"name": one["name"]} for one in account["imagePullSecrets"] if one.get("name")]
        return done

    @staticmethod
    def _automounts(spec: Obj, account: Obj) -> bool:
        if "automountServiceAccountToken" in spec:
            return bool(spec["automountServiceAccountToken"])
        return bool(account.get("automountServiceAccountToken", True))

    @staticmethod
    def _mount(spec: Obj) -> bool:
        volumes = spec.get("volumes") or []
        name = next((volume["name"] for volume in volumes if volume.get("name", "").startswith("kube-api-access-")), "")
        missing = not name
        name = name or f"kube-api-access-{random_suffix()}"
        mounted = False
        for container in (*(spec.get("initContainers") or ()), *spec["containers"]):
            mounts = container.get("volumeMounts") or []
            if any(mount.get("mountPath") == TOKEN_PATH for mount in mounts):
                continue
            container["volumeMounts"] = [*mounts, {"name": name, "readOnly": True, "mountPath": TOKEN_PATH}]
            mounted = True
        if mounted and missing:
            spec["volumes"] = [*volumes, token_volume(name)]
        return mounted


def token_volume(name: str) -> Obj:
    """The projected volume with the token, the cluster's CA and the namespace (TokenVolumeSource)."""
    field = {"apiVersion": "v1", "fieldPath": "metadata.namespace"}
    return {
        "name": name,
        "projected": {
            "sources": [
                {"serviceAccountToken": {"expirationSeconds": 3607, "path": "token"}},
                {"configMap": {"name": "kube-root-ca.crt", "items": [{"key": "ca.crt", "path": "ca.crt"}]}},
                {"downwardAPI": {"items": [{"path": "namespace", "fieldRef": field}]}},
            ],
            "defaultMode": 420,
        },
    }


class Priority(Plugin):
    """Works out the number behind a priority class (plugin/pkg/admission/priority)."""

    name = "Priority"
    resources = PODS

    def admit(self, attributes: Attributes) -> str | None:
        spec = _pod(attributes)["spec"]
        name = spec.get("priorityClassName") or ""
        reader = attributes.reader
        if name:
            chosen = reader.get("scheduling.k8s.io/priorityclasses", "", name)
            if chosen is None:
                raise refuse(attributes, f"no PriorityClass with name {name} was found")
        else:
            defaults = [one for one in reader.list("scheduling.k8s.io/priorityclasses") if one.get("globalDefault")]
            chosen = min(defaults, key=lambda one: int(one["value"])) if defaults else None
        value = 0 if chosen is None else int(chosen["value"])
        policy = "PreemptLowerPriority" if chosen is None else chosen.get("preemptionPolicy", "PreemptLowerPriority")
        if "priority" in spec and spec["priority"] != value:
            raise refuse(
                attributes,
                f"the integer value of priority ({spec['priority']}) must not be provided in pod spec; priority "
                "admission controller computed {value} from the given PriorityClass name".replace(
                    "{value}", str(value)
                ),
            )
        if spec.get("preemptionPolicy") not in (None, policy):
            raise refuse(
                attributes,
                f"the string value of PreemptionPolicy ({spec['preemptionPolicy']}) must not be provided in pod spec; "
                f"priority admission controller computed {policy} from the given PriorityClass name",
            )
        spec["priority"], spec["preemptionPolicy"] = value, policy
        if chosen is not None:
            spec["priorityClassName"] = chosen["metadata"]["name"]
            return f"priority {value} of class {chosen['metadata']['name']}"
        return None


class DefaultTolerationSeconds(Plugin):
    """Five minutes on a node that is not ready, unless the pod says otherwise (plugin/defaulttolerationseconds)."""

    name = "DefaultTolerationSeconds"
    resources = PODS
    seconds = 300

    def admit(self, attributes: Attributes) -> str | None:
        spec = _pod(attributes)["spec"]
        tolerations = spec.get("tolerations") or []
        added: list[Obj] = []
        for key in (NODE_NOT_READY, NODE_UNREACHABLE):
            known = any(
                one.get("key") in (key, None, "") and one.get("effect") in ("NoExecute", None, "")
                for one in tolerations
            )
            if not known:
                added.append(
                    {"key": key, "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": self.seconds}
                )
        if not added:
            return None
        spec["tolerations"] = [*tolerations, *added]
        return f"tolerates {' and '.join(one['key'].partition('/')[2] for one in added)} for {self.seconds} s"


class RuntimeClass(Plugin):
    """The overhead and the scheduling of the pod's runtime class (plugin/pkg/admission/runtimeclass)."""

    name = "RuntimeClass"
    resources = PODS

    def admit(self, attributes: Attributes) -> str | None:
        spec = _pod(attributes)["spec"]
        name = spec.get("runtimeClassName")
        if not name:
            return None
        found = attributes.reader.get("node.k8s.io/runtimeclasses", "", name)
        if found is None:
            raise refuse(attributes, f'pod rejected: RuntimeClass "{name}" not found')
        overhead = (found.get("overhead") or {}).get("podFixed")
        if overhead:
            if spec.get("overhead") not in (None, overhead):
                raise refuse(attributes, "pod rejected: Pod's Overhead doesn't match RuntimeClass's defined Overhead")
            spec["overhead"] = overhead
        scheduling = found.get("scheduling") or {}
        selector = scheduling.get("nodeSelector") or {}
        have = spec.get("nodeSelector") or {}
        for key, value in selector.items():
            if have.get(key, value) != value:
                raise refuse(attributes, f"conflict: runtimeClass.scheduling.nodeSelector[{key}]={value}")
        if selector:
            spec["nodeSelector"] = {**have, **selector}
        if scheduling.get("tolerations"):
            tolerations = spec.get("tolerations") or []
            spec["tolerations"] = [*tolerations, *(one for one in scheduling["tolerations"] if one not in tolerations)]
        return f"runtime class {name}"
