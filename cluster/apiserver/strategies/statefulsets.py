"""StatefulSets."""

from __future__ import annotations

from typing import Any

from cluster.apimachinery.errors import forbidden_field, invalid_value
from cluster.apiserver.strategies.metadata import Found
from cluster.apiserver.strategies.workloads import Workload, check_selected_template, non_negative

Obj = dict[str, Any]


class StatefulSetStrategy(Workload):
    _MUTABLE = frozenset(
        {
            "replicas",
            "ordinals",
            "template",
            "updateStrategy",
            "revisionHistoryLimit",
            "persistentVolumeClaimRetentionPolicy",
            "minReadySeconds",
        }
    )

    def default(self, obj: Obj) -> None:
        super().default(obj)
        spec = obj["spec"]
        spec.setdefault("podManagementPolicy", "OrderedReady")
        strategy = spec.setdefault("updateStrategy", {})
        strategy.setdefault("type", "RollingUpdate")
        if strategy["type"] == "RollingUpdate":
            strategy.setdefault("rollingUpdate", {}).setdefault("partition", 0)
        spec.setdefault("persistentVolumeClaimRetentionPolicy", {"whenDeleted": "Retain", "whenScaled": "Retain"})
        if spec.get("revisionHistoryLimit") is None:
            spec["revisionHistoryLimit"] = 10
        for claim in spec.get("volumeClaimTemplates") or ():
            claim.setdefault("apiVersion", "v1")
            claim.setdefault("kind", "PersistentVolumeClaim")
            claim.setdefault("spec", {}).setdefault("volumeMode", "Filesystem")
            claim.setdefault("status", {"phase": "Pending"})

    def check(self, obj: Obj) -> Found:
        spec = obj["spec"]
        claims = tuple((one.get("metadata") or {}).get("name") or "" for one in spec.get("volumeClaimTemplates") or ())
        found = [*non_negative(spec, "replicas"), *check_selected_template(spec, volumes=claims)]
        if spec.get("podManagementPolicy") not in ("OrderedReady", "Parallel"):
            found.append(
                invalid_value(
                    "spec.podManagementPolicy",
                    spec.get("podManagementPolicy"),
                    "must be 'OrderedReady' or 'Parallel'",
                )
            )
        kind = spec["updateStrategy"].get("type")
        if kind not in ("RollingUpdate", "OnDelete"):
            found.append(
                invalid_value("spec.updateStrategy", spec["updateStrategy"], "must be 'RollingUpdate' or 'OnDelete'")
            )
        return found

    def check_update(self, obj: Obj, old: Obj) -> Found:
        found: Found = []
        kept = [{k: v for k, v in one["spec"].items() if k not in self._MUTABLE} for one in (obj, old)]
        if kept[0] != kept[1]:
            found.append(
                forbidden_field(
                    "spec",
                    "updates to statefulset spec for fields other than 'replicas', 'ordinals', 'template', "
                    "'updateStrategy', 'revisionHistoryLimit', 'persistentVolumeClaimRetentionPolicy' and "
                    "'minReadySeconds' are forbidden",
                )
            )
        return [*found, *self.check(obj)]
