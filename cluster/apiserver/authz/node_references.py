"""What a pod refers to by name: what its node may read because the pod runs there. Used by the node authorizer's index."""

from __future__ import annotations

from collections.abc import Iterator

from cluster.apiserver.request import Obj

Reference = tuple[str, str, str]


def references_of(pod: Obj) -> Iterator[Reference]:
    """What a pod refers to by name: secrets, config maps, claims, its service account (each once)."""
    return iter(dict.fromkeys(_references(pod)))


def _references(pod: Obj) -> Iterator[Reference]:
    namespace, spec = pod["metadata"]["namespace"], pod["spec"]
    if account := spec.get("serviceAccountName"):
        yield "serviceaccounts", namespace, account
    for secret in spec.get("imagePullSecrets") or ():
        if secret.get("name"):
            yield "secrets", namespace, secret["name"]
    for kind in ("initContainers", "containers", "ephemeralContainers"):
        for container in spec.get(kind) or ():
            yield from _environment(namespace, container)
    for volume in spec.get("volumes") or ():
        yield from _volume(namespace, pod["metadata"]["name"], volume)
    for claim in spec.get("resourceClaims") or ():
        if claim.get("resourceClaimName"):
            yield "resource.k8s.io/resourceclaims", namespace, claim["resourceClaimName"]
    for status in (pod.get("status") or {}).get("resourceClaimStatuses") or ():
        if status.get("resourceClaimName"):
            yield "resource.k8s.io/resourceclaims", namespace, status["resourceClaimName"]


def _environment(namespace: str, container: Obj) -> Iterator[Reference]:
    for source in container.get("envFrom") or ():
        if name := (source.get("secretRef") or {}).get("name"):
            yield "secrets", namespace, name
        if name := (source.get("configMapRef") or {}).get("name"):
            yield "configmaps", namespace, name
    for variable in container.get("env") or ():
        source = variable.get("valueFrom") or {}
        if name := (source.get("secretKeyRef") or {}).get("name"):
            yield "secrets", namespace, name
        if name := (source.get("configMapKeyRef") or {}).get("name"):
            yield "configmaps", namespace, name


def _volume(namespace: str, pod: str, volume: Obj) -> Iterator[Reference]:
    if name := (volume.get("secret") or {}).get("secretName"):
        yield "secrets", namespace, name
    if name := (volume.get("configMap") or {}).get("name"):
        yield "configmaps", namespace, name
    if name := (volume.get("persistentVolumeClaim") or {}).get("claimName"):
        yield "persistentvolumeclaims", namespace, name
    if "ephemeral" in volume:
        yield "persistentvolumeclaims", namespace, f"{pod}-{volume['name']}"
    if name := ((volume.get("csi") or {}).get("nodePublishSecretRef") or {}).get("name"):
        yield "secrets", namespace, name
    for source in (volume.get("projected") or {}).get("sources") or ():
        if name := (source.get("secret") or {}).get("name"):
            yield "secrets", namespace, name
        if name := (source.get("configMap") or {}).get("name"):
            yield "configmaps", namespace, name
