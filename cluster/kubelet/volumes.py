"""The volumes of one pod as files: fetched before its containers start, kept current while they run (pkg/kubelet/volumemanager).

A volume's files are one tree, shared by all containers that mount it. What comes from ConfigMaps, Secrets and the pod itself is
read again about once a minute, as the kubelet does; disks behind claims outlive the pod; an emptyDir goes with it, and not before.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING

from cluster import clock
from cluster.apimachinery.errors import StatusError
from cluster.client.client import Obj
from cluster.kubelet import naming
from cluster.kubelet.disks import POD
from cluster.kubelet.projection import Tokens, published, volume_files
from cluster.kubelet.references import Missing
from cluster.kubelet.runtime.cri import RuntimeFailure
from cluster.kubelet.runtime.tree import Attributes, Tree

if TYPE_CHECKING:
    from cluster.kubelet.worker import Worker

CLAIMS = "v1/persistentvolumeclaims"
TOKEN_VOLUME = "kube-api-access-"  # noqa: S105
# Seconds between two looks at what volumes are made of.
REFRESH = 60.0
_PROJECTED = ("configMap", "secret", "projected", "downwardAPI")
# What hostPath types ask for, in the kubelet's words.
_HOST_PATHS = {
    "Directory": "directory",
    "DirectoryOrCreate": "directory",
    "File": "file",
    "FileOrCreate": "file",
    "Socket": "socket file",
    "CharDevice": "character device",
    "BlockDevice": "block device",
}


@dataclass(slots=True)
class PodVolume:
    """One volume. `base`: where it begins in its tree. `lazy`: fetched when somebody first looks (tokens, which most containers never read)."""

    spec: Obj
    files: Tree = field(default_factory=Tree)
    base: str = ""
    read_only: bool = False
    lazy: bool = False
    tokens: Tokens = field(default_factory=dict)
    # What the API objects said last.
    payload: Tree | None = None

    @property
    def projected(self) -> bool:
        """Whether its files come out of API objects."""
        return any(kind in self.spec for kind in _PROJECTED)

    async def fetch(self, worker: Worker) -> Tree:
        """The files as of now; RuntimeFailure when something is missing."""
        try:
            return await self._fetch(worker)
        except Missing as missing:
            raise RuntimeFailure(str(missing)) from missing

    async def _fetch(self, worker: Worker) -> Tree:
        payload = await volume_files(worker.kubelet.client, worker.pod, self.spec, worker.place, self.tokens)
        if self.payload is not None and payload.same_as(self.payload):
            return self.files
        self.payload = payload
        return published(payload, clock.now())

    async def mount(self, worker: Worker) -> None:
        """Bring the files; Missing in the words of a failed mount."""
        claim = self.claim(worker.pod)
        if claim:
            disk = await self._disk(worker, claim)
            self.files = worker.kubelet.disks.tree(disk, lambda: Tree(mode=0o777, medium="ext2/ext3"))
            _give(self.files, worker.pod)
        elif "hostPath" in self.spec:
            self._check_host_path()
        elif self.projected and not self.lazy:
            self.files.replace(await self._fetch(worker))

    def _check_host_path(self) -> None:
        kind, path, files = self.spec["hostPath"].get("type") or "", self.base, self.files
        is_file = path in files
        is_directory = not path or (
            any(one == path or one.startswith(path + "/") for one in files.names()) and not is_file
        )
        wanted = _HOST_PATHS.get(kind)
        if not is_file and not is_directory:
            if kind in ("", "DirectoryOrCreate"):
                files.directories.add(path)
                return
            if kind == "FileOrCreate":
                files[path] = b""
                return
        elif wanted is None or (wanted == "file" and is_file) or (wanted == "directory" and is_directory):
            return
        raise Missing(
            f'MountVolume.SetUp failed for volume "{self.spec["name"]}" : hostPath type check failed: '
            f"{self.spec['hostPath']['path']} is not a {wanted}"
        )

    def claim(self, pod: Obj) -> str:
        """The claim that stands behind it, if any."""
        if "persistentVolumeClaim" in self.spec:
            return str(self.spec["persistentVolumeClaim"]["claimName"])
        return f"{pod['metadata']['name']}-{self.spec['name']}" if "ephemeral" in self.spec else ""

    async def _disk(self, worker: Worker, claim: str) -> str:
        """The volume that the claim is bound to: its data outlive the pod, not the volume."""
        namespace = worker.pod["metadata"]["namespace"]
        try:
            found = await worker.kubelet.client.get(CLAIMS, claim, namespace)
        except StatusError as error:
            raise Missing(f'Unable to attach or mount volumes: persistentvolumeclaim "{claim}" not found') from error
        await self._grow(worker, found)
        return found["spec"].get("volumeName") or f"{namespace}/{claim}"

    async def _grow(self, worker: Worker, claim: Obj) -> None:
        """A disk that has grown under its file system: the file system follows (NodeExpandVolume)."""
        status = claim.get("status") or {}
        if (status.get("allocatedResourceStatuses") or {}).get("storage") != "NodeResizePending":
            return
        metadata, volume = claim["metadata"], claim["spec"]["volumeName"]
        left = [
            one for one in status.get("conditions") or () if one["type"] not in ("Resizing", "FileSystemResizePending")
        ]
        size = status["allocatedResources"]["storage"]
        grown = {
            "capacity": {**status["capacity"], "storage": size},
            "allocatedResourceStatuses": None,
            "conditions": left or None,
        }
        await worker.kubelet.client.patch(
            CLAIMS, metadata["name"], {"status": grown}, metadata["namespace"], subresource="status"
        )
        text = f'MountVolume.NodeExpandVolume succeeded for volume "{volume}"'
        for about in (worker.pod, claim):
            worker.kubelet.events.event(about, "Normal", "FileSystemResizeSuccessful", text)

    async def refresh(self, worker: Worker) -> None:
        """Bring them up to date; what is missing now stays as it was."""
        claim = self.claim(worker.pod)
        if not claim and (not self.projected or (self.lazy and not self.files)):
            return
        try:
            if claim:
                await self._disk(worker, claim)
            else:
                self.files.replace(await self._fetch(worker))
        except Missing:
            return


def _give(tree: Tree, pod: Obj) -> None:
    """A volume belongs to the pod's fsGroup."""
    group = (pod["spec"].get("securityContext") or {}).get("fsGroup")
    if group is not None:
        root = tree.attributes[""]
        tree.attributes[""] = Attributes(root.mode | 0o2770, root.uid, group)


def _empty_directory(worker: Worker, name: str, medium: str) -> Tree:
    """An emptyDir: there as long as its pod, over restarts of its containers and of the kubelet; memory not over one of the machine."""
    key = f"{POD}{worker.pod['metadata']['uid']}/{name}"
    if medium == "tmpfs" and worker.kubelet.rebooted:
        key = f"{key}@{worker.kubelet.boots}"
    # A file system in memory begins with the sticky bit.
    mode = 0o1777 if medium == "tmpfs" else 0o777
    return worker.kubelet.disks.tree(key, lambda: Tree(mode=mode, medium=medium))


def machine_disk(node: str) -> Tree:
    """What is on a machine's own disk."""
    tree = Tree(
        {
            "etc/hosts": naming.node_hosts(node).encode(),
            "etc/hostname": f"{node}\n".encode(),
            "etc/resolv.conf": f"nameserver {naming.NODE_RESOLVER}\n".encode(),
            "etc/os-release": b'NAME="KubeWeb simulated machine"\nID=kubeweb\n',
        },
        medium="ext2/ext3",
    )
    tree.directories.update(
        ("tmp", "var", "var/log", "var/log/pods", "var/lib", "var/lib/kubelet", "run", "opt", "mnt", "home", "usr")
    )
    tree.directories.update(
        ("proc", "sys", "dev", "root", "boot", "var/run", "etc/kubernetes", "usr/lib", "lib", "lib/modules")
    )
    tree.attributes["tmp"] = Attributes(0o1777)
    return tree


def volumes_of(worker: Worker) -> dict[str, PodVolume]:
    """The pod's volumes by name."""
    found = {}
    for spec in worker.pod["spec"].get("volumes") or ():
        volume = PodVolume(spec, read_only=any(kind in spec for kind in _PROJECTED))
        volume.lazy = spec["name"].startswith(TOKEN_VOLUME)
        if "persistentVolumeClaim" in spec:
            volume.read_only = bool(spec["persistentVolumeClaim"].get("readOnly"))
        elif "hostPath" in spec:
            place = f"{worker.kubelet.name}:"
            volume.base = spec["hostPath"]["path"].strip("/")
            volume.files = worker.kubelet.disks.tree(place, partial(machine_disk, worker.kubelet.name))
        elif "emptyDir" in spec:
            medium = "tmpfs" if (spec["emptyDir"] or {}).get("medium") == "Memory" else "ext2/ext3"
            volume.files = _empty_directory(worker, spec["name"], medium)
            _give(volume.files, worker.pod)
        found[spec["name"]] = volume
    return found
