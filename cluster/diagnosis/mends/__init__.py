"""What would mend a finding, as a manifest for server-side apply and as commands: only where the cluster itself tells what is meant.

A table from reason to a pure function of the facts and the finding; it returns a sentence and the objects to apply, or nothing when
a person has to decide. By step of the checklist: `scheduling`, `pods`, `configuration`; `network` and `storage` for
Services and claims.

The commands change what is there with `kubectl patch`: kubectl's own server-side apply would first take over all that was applied
client-side before, and then take away what a manifest that names little does not name.
"""

from __future__ import annotations

import json
import shlex
from collections.abc import Callable

import yaml

from cluster.diagnosis.facts import KINDS, Facts, Obj
from cluster.diagnosis.mends import configuration, network, pods, scheduling, storage
from cluster.diagnosis.mends.common import Mend

MENDS: dict[str, Callable[[Facts, Obj], Mend | None]] = {
    **scheduling.MENDS,
    **pods.MENDS,
    **configuration.MENDS,
    **network.MENDS,
    **storage.MENDS,
}


def mend(facts: Facts, finding: Obj) -> Obj | None:
    """{sentence, manifest, command} for a finding, or None."""
    find = MENDS.get(finding["reason"])
    found = find(facts, finding) if find is not None else None
    if found is None:
        return None
    sentence, objects = found
    manifest = "---\n".join(yaml.safe_dump(one, sort_keys=False) for one in objects)
    return {"sentence": sentence, "manifest": manifest, "command": "\n".join(_command(facts, one) for one in objects)}


def _command(facts: Facts, obj: Obj) -> str:
    """The same for a shell: a patch of what is there, else the whole object."""
    metadata, resource = obj["metadata"], _RESOURCES.get(obj["kind"], "")
    namespace = metadata.get("namespace", "")
    if resource and facts.view.get(resource, namespace, metadata["name"]) is not None:
        if obj["kind"] == "Service" and "selector" in obj["spec"]:
            # A patch would keep the labels that are not meant any more.
            labels = ",".join(f"{key}={text}" for key, text in sorted(obj["spec"]["selector"].items()))
            return shlex.join(["kubectl", "set", "selector", "service", metadata["name"], labels, "-n", namespace])
        change = {key: value for key, value in obj.items() if key not in ("apiVersion", "kind", "metadata")}
        if labels := metadata.get("labels"):
            change["metadata"] = {"labels": labels}
        where = ["-n", namespace] if namespace else []
        words = ["kubectl", "patch", obj["kind"].lower(), metadata["name"], *where, "-p", json.dumps(change)]
        return shlex.join(words)
    return f"kubectl apply -f - <<'EOF'\n{yaml.safe_dump(obj, sort_keys=False)}EOF"


# Of what may be there already, and is changed then.
_RESOURCES = {kind: resource for resource, kind in KINDS.items()} | {"ResourceQuota": "resourcequotas"}
