"""What would mend a finding, as a manifest for `kubectl apply --server-side`: only where the cluster itself tells what is meant.

A table from reason to a pure function of the facts and the finding; it returns a sentence and the objects to apply, or nothing when
a person has to decide. By step of the checklist: `scheduling`, `pods`, `configuration`.
"""

from __future__ import annotations

from collections.abc import Callable

import yaml

from cluster.diagnosis.facts import Facts, Obj
from cluster.diagnosis.mends import configuration, pods, scheduling
from cluster.diagnosis.mends.common import Mend

MENDS: dict[str, Callable[[Facts, Obj], Mend | None]] = {**scheduling.MENDS, **pods.MENDS, **configuration.MENDS}


def mend(facts: Facts, finding: Obj) -> Obj | None:
    """{sentence, manifest} for a finding, or None."""
    find = MENDS.get(finding["reason"])
    found = find(facts, finding) if find is not None else None
    if found is None:
        return None
    sentence, objects = found
    return {"sentence": sentence, "manifest": "---\n".join(yaml.safe_dump(one, sort_keys=False) for one in objects)}
