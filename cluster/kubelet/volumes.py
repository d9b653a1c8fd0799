"""The volumes of one pod as files: fetched before its containers start, kept current while they run (pkg/kubelet/volumemanager).

A volume's files are one dictionary, shared by all containers that mount it. What comes from ConfigMaps, Secrets and the pod itself is
read again about once a minute, as the kubelet does; disks behind claims outlive the pod; an emptyDir goes with it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from cluster.apimachinery.errors import StatusError
from cluster.client.client import Obj
from cluster.kubelet.references import Missing, volume_files
from cluster.kubelet.runtime.cri import Files, RuntimeFailure

if TYPE_CHECKING:
    from cluster.kubelet.worker import Worker

TOKEN_VOLUME = "kube-api-access-"  # noqa: S105
# Seconds between two looks at what volumes are made of.
REFRESH = 60.0
_PROJECTED = ("configMap", "secret", "projected", "downwardAPI")


@dataclass(slots=True)
class PodVolume:
    """One volume. `lazy`: fetched when somebody first looks (tokens, which most containers never read)."""

    spec: Obj
    files: Files = field(default_factory=dict)
    read_only: bool = False
    lazy: bool = False

    @property
    def projected(self) -> bool:
        """Whether its files come out of API objects."""
        return any(kind in self.spec for kind in _PROJECTED)

    async def fetch(self, worker: Worker) -> Files:
        """The files as of now; RuntimeFailure when something is missing."""
        try:
            return await self._fetch(worker)
        except Missing as missing:
            raise RuntimeFailure(str(missing)) from missing

    async def _fetch(self, worker: Worker) -> Files:
        kubelet = worker.kubelet
        return await volume_files(kubelet.client, worker.pod, self.spec, worker.ip, kubelet.ip)

    async def mount(self, worker: Worker) -> None:
        """Bring the files; Missing in the words of a failed mount."""
        claim = self.claim(worker.pod)
        if claim:
            self.files = worker.kubelet.disks.setdefault(await self._disk(worker, claim), {})
        elif self.projected and not self.lazy:
            self._replace(await self._fetch(worker))

    def claim(self, pod: Obj) -> str:
        """The claim that stands behind it, if any."""
        if "persistentVolumeClaim" in self.spec:
            return str(self.spec["persistentVolumeClaim"]["claimName"])
        return f"{pod['metadata']['name']}-{self.spec['name']}" if "ephemeral" in self.spec else ""

    async def _disk(self, worker: Worker, claim: str) -> str:
        """The volume that the claim is bound to: its data outlive the pod, not the volume."""
        namespace = worker.pod["metadata"]["namespace"]
        try:
            found = await worker.kubelet.client.get("v1/persistentvolumeclaims", claim, namespace)
        except StatusError as error:
            raise Missing(f'Unable to attach or mount volumes: persistentvolumeclaim "{claim}" not found') from error
        return found["spec"].get("volumeName") or f"{namespace}/{claim}"

    async def refresh(self, worker: Worker) -> None:
        """Bring them up to date; what is missing now stays as it was."""
        if not self.projected or (self.lazy and not self.files):
            return
        try:
            self._replace(await self._fetch(worker))
        except Missing:
            return

    def _replace(self, files: Files) -> None:
        if files != self.files:
            self.files.clear()
            self.files.update(files)


def volumes_of(worker: Worker) -> dict[str, PodVolume]:
    """The pod's volumes by name."""
    found = {}
    for spec in worker.pod["spec"].get("volumes") or ():
        volume = PodVolume(spec, read_only=any(kind in spec for kind in _PROJECTED))
        volume.lazy = spec["name"].startswith(TOKEN_VOLUME)
        if "persistentVolumeClaim" in spec:
            volume.read_only = bool(spec["persistentVolumeClaim"].get("readOnly"))
        elif "hostPath" in spec:
            place = f"{worker.kubelet.name}:{spec['hostPath']['path'].rstrip('/')}"
            volume.files = worker.kubelet.disks.setdefault(place, {})
        found[spec["name"]] = volume
    return found
