"""Step 4 of a PersistentVolumeClaim: is there a class, a volume, somebody who makes one?"""

from __future__ import annotations

from cluster.diagnosis.checklist.findings import event_of, field_of, finding_of, traced
from cluster.diagnosis.facts import Facts, Obj

NO_PROVISIONER = "kubernetes.io/no-provisioner"
CLASSES = "storage.k8s.io/storageclasses"


def claim(facts: Facts) -> list[Obj]:
    phase = facts.status.get("phase", "Pending")
    if phase == "Lost":
        return [_lost(facts)]
    if phase != "Pending":
        return []
    name = facts.spec.get("storageClassName") or ""
    if not name:
        return [
            _finding(
                facts,
                "NoStorageClass",
                "it names no StorageClass, the cluster gave it none, and no volume without a class fits",
                "none",
                "Name a StorageClass in a new claim, or create a PersistentVolume that fits.",
            )
        ]
    known = facts.view.get(CLASSES, "", name)
    if known is None:
        text = "Create the StorageClass or a PersistentVolume of that class, or name another class in a new claim."
        return [_finding(facts, "StorageClassNotFound", f'StorageClass "{name}" is not there', name, text)]
    if known["provisioner"] == NO_PROVISIONER and not _waits_unused(facts, known):
        text = "Create a PersistentVolume that fits: nobody makes volumes of this class."
        return [
            _finding(facts, "NoVolume", f'no volume of class "{name}" fits, and nobody makes any of it', name, text)
        ]
    failed = facts.events(facts.obj["metadata"]["uid"], "ProvisioningFailed")
    if failed:
        return [_finding(facts, "ProvisioningFailed", failed[-1]["message"], name, "See to the provisioner.")]
    external = facts.events(facts.obj["metadata"]["uid"], "ExternalProvisioning")
    if external:
        text = f"Run the provisioner {known['provisioner']}, or create a PersistentVolume that fits."
        return [_finding(facts, "ExternalProvisioning", external[-1]["message"], name, text)]
    return []


def _waits_unused(facts: Facts, known: Obj) -> bool:
    """Whether it is bound only when a pod uses it, and none does."""
    return known.get("volumeBindingMode") == "WaitForFirstConsumer" and not facts.pods


def _finding(facts: Facts, reason: str, message: str, named: str, fix: str) -> Obj:
    metadata = facts.obj["metadata"]
    said = facts.events(metadata["uid"], "FailedBinding", "ProvisioningFailed", "ExternalProvisioning")[-1:]
    evidence = [
        field_of(facts.obj, "persistentvolumeclaim", "spec.storageClassName", named),
        *map(event_of, said),
        *traced(facts, [*said, facts.obj], "reconcile", facts.obj, "decide", "observe"),
    ]
    command = f"kubectl describe pvc {metadata['name']} -n {metadata['namespace']}"
    return finding_of(reason, f"claim {metadata['name']}: {message}", evidence, fix, command)


def _lost(facts: Facts) -> Obj:
    volume = facts.spec.get("volumeName", "")
    return finding_of(
        "VolumeLost",
        f"claim {facts.obj['metadata']['name']} was bound to volume {volume}, which is not there any more",
        [
            field_of(facts.obj, "persistentvolumeclaim", "status.phase", "Lost"),
            field_of(facts.obj, "persistentvolumeclaim", "spec.volumeName", volume),
            *traced(facts, [facts.obj], "reconcile", facts.obj, "act", "observe"),
        ],
        "Its data are gone: restore the volume under the same name, or make a new claim.",
    )
