"""The lessons that come with KubeWeb: put into the cluster at start, and brought up to date unless somebody made them their own."""

from __future__ import annotations

from pathlib import Path

import yaml

from cluster.apimachinery.errors import StatusError, is_already_exists
from cluster.client.client import Client, Obj

LESSONS = "sim.kubeweb.dev/v1alpha1/lessons"
CATALOGUE = Path(__file__).parent / "catalogue"
# As RBAC's own annotation: "false" keeps a changed lesson as it is.
AUTOUPDATE = "kubeweb.dev/autoupdate"


def load() -> list[Obj]:
    """All lessons, in the order of their file names, which is the order in which they are taught."""
    found = []
    for number, path in enumerate(sorted(CATALOGUE.glob("*.yaml"))):
        spec = yaml.load(path.read_text(), Loader=yaml.CSafeLoader)
        found.append(
            {
                "apiVersion": "sim.kubeweb.dev/v1alpha1",
                "kind": "Lesson",
                "metadata": {"name": path.stem.partition("-")[2], "annotations": {AUTOUPDATE: "true"}},
                "spec": {"order": number + 1, **spec},
            }
        )
    return found


async def ensure(client: Client) -> None:
    """Create what is missing, update what is ours."""
    have = {one["metadata"]["name"]: one for one in (await client.list(LESSONS)).items}
    for lesson in load():
        had = have.get(lesson["metadata"]["name"])
        try:
            if had is None:
                await client.create(LESSONS, lesson)
            elif had["spec"] != lesson["spec"] and _ours(had):
                await client.update(LESSONS, {**had, "spec": lesson["spec"]})
        except StatusError as error:
            # Another process was faster.
            if not is_already_exists(error) and error.reason != "Conflict":
                raise


def _ours(lesson: Obj) -> bool:
    return (lesson["metadata"].get("annotations") or {}).get(AUTOUPDATE) == "true"
