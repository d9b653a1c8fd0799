"""From a container's spec to its running process: the image, the configuration, the start, the probes (pkg/kubelet/kuberuntime)."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Coroutine
from typing import TYPE_CHECKING, Any

from cluster import clock
from cluster.apimachinery.quantity import milli, value
from cluster.client.client import Obj
from cluster.journeys import trace
from cluster.kubelet.disks import POD
from cluster.kubelet.ending import end_container
from cluster.kubelet.hooks import run_hook
from cluster.kubelet.podstatus import BACKOFF, MAX_BACKOFF, Record, duration
from cluster.kubelet.probes import Prober
from cluster.kubelet.pullsecrets import registries
from cluster.kubelet.references import Missing, expand, variables
from cluster.kubelet.restarting import could_not_start
from cluster.kubelet.runtime.cri import ContainerConfig, Mount, RuntimeFailure
from cluster.kubelet.runtime.tree import Tree

if TYPE_CHECKING:
    from cluster.kubelet.worker import Worker

PROBES = ("livenessProbe", "readinessProbe", "startupProbe")


class Starter:
    """Starts the containers of one pod."""

    __slots__ = ("_worker",)

    def __init__(self, worker: Worker) -> None:
        self._worker = worker

    async def start(self, record: Record) -> None:
        """Pull, create, start; what goes wrong is in the record, with the time of the next try."""
        worker = self._worker
        if not await self._pull(record):
            return
        kubelet, spec = worker.kubelet, record.spec
        with trace.step("create") as span:
            span.detail = {"container": spec["name"], "image": spec["image"]}
            try:
                config = await self.config(record)
            except Missing as missing:
                span.outcome, span.detail["error"] = "error", str(missing)
                record.waiting("CreateContainerConfigError", str(missing))
                worker.tell(record, "Warning", "Failed", f"Error: {missing}")
                record.next_try = clock.now() + 10.0
                worker.wake_in(10.0)
                return
            if record.id:
                # The run before is over, and what it wrote in its own file system gone.
                kubelet.disks.forget(self._layer_key(record.id))
            container = await kubelet.runtime.create_container(worker.sandbox, config)
            span.detail["id"] = container.id[:12]
        worker.tell(record, "Normal", "Created", "Container created")
        if record.container is not None:
            # Of the runs before, the log of the latest is kept.
            if spec["name"] in worker.previous:
                worker.drop(worker.previous[spec["name"]])
            worker.previous[spec["name"]] = record.container
        again = record.state == "terminated" or record.last is not None
        if record.state == "terminated":
            record.last = record.terminated_state()
        record.container, record.id = container, f"containerd://{container.id}"
        record.allocated = spec.get("resources") or {}
        record.image_id = container.image.reference
        record.shown_image = container.image.name
        record.restarts += 1 if again else 0
        kubelet.owners[container.id] = worker
        try:
            with trace.step("start") as span:
                span.detail = {"container": spec["name"], "restarts": record.restarts}
                await kubelet.runtime.start_container(container)
        except RuntimeFailure as failure:
            worker.tell(record, "Warning", "Failed", f"Error: {failure.text}")
            record.state, record.reason, record.message = "terminated", "StartError", failure.text
            record.exit_code, record.started_at, record.finished_at = 128, 0.0, clock.now()
            could_not_start(worker, record, failure.text)
            return
        record.state, record.reason, record.message = "running", "", ""
        record.started_at = container.started_at
        worker.tell(record, "Normal", "Started", "Container started")
        handler = (spec.get("lifecycle") or {}).get("postStart")
        # Nothing else of the pod goes on before the hook is through.
        if handler is not None and not await run_hook(worker, record, handler, "PostStartHook"):
            await self.stop(record, "FailedPostStartHook")
        elif record.state == "running":
            self.watch(record)

    async def stop(self, record: Record, message: str, grace: float | None = None) -> None:
        """End a running container that may start again: preStop, SIGTERM, the pod's grace period (or this one)."""
        worker = self._worker
        if grace is None:
            grace = float(worker.pod["spec"].get("terminationGracePeriodSeconds", 30))
        worker.stop_probes(record)
        if record.state == "running":
            await end_container(worker, record, grace, trace.current.get(), message)

    def watch(self, record: Record) -> None:
        """Start the probes; without any a container that runs is ready."""
        worker, spec = self._worker, record.spec
        if not any(name in spec for name in PROBES):
            record.ready = record.passed = True
            return
        record.passed = "startupProbe" not in spec
        record.ready = record.passed and "readinessProbe" not in spec
        kubelet = worker.kubelet
        prober = Prober(
            kubelet.runtime,
            record,
            worker.pod,
            worker.ip,
            kubelet.latency.pick(kubelet.profile.first_probe),
            worker.changed,
            self._probe_kills,
            self._unhealthy,
            kubelet,
        )
        worker.probers[spec["name"]] = prober
        prober.start()

    def _unhealthy(self, record: Record, reason: str, message: str, probe: str, began: float) -> None:
        """A probe is not well: an event, and a span when it was well before (`probe` is its kind then, else empty)."""
        worker = self._worker
        if not probe:
            worker.tell(record, "Warning", reason, message)
            return
        journey = worker.journey()
        journey.start = began
        with trace.working_on(journey):
            worker.tell(record, "Warning", reason, message)
            detail = {"container": record.spec["name"], "probe": probe, "message": message}
            journey.add("probe", began, "error", detail)
        journey.finish("error", reason=message)
        # That it is restarted, or gets no more requests, goes on from here.
        worker.causes = (journey.id,)

    def _beside(self, work: Coroutine[Any, Any, Any]) -> None:
        task: asyncio.Task[Any] = asyncio.ensure_future(work)
        background = self._worker.kubelet.background
        background.add(task)
        task.add_done_callback(background.discard)

    def _probe_kills(self, kind: str, name: str, probe: Obj) -> None:
        record = next(one for one in self._worker.records if one.spec["name"] == name)
        grace = probe.get("terminationGracePeriodSeconds")
        message = f"Container {name} failed {kind.lower()} probe, will be restarted"
        self._beside(self.stop(record, message, None if grace is None else float(grace)))

    # -- the image -----------------------------------------------------------------------------------------------------

    async def _pull(self, record: Record) -> bool:
        """The image, by its pull policy; False when there is none yet."""
        worker, spec = self._worker, record.spec
        kubelet = worker.kubelet
        image, policy = spec["image"], spec.get("imagePullPolicy", "IfNotPresent")
        present = kubelet.runtime.image_status(image)
        if present is not None and policy != "Always":
            text = f'Container image "{image}" already present on machine and can be accessed by the pod'
            worker.tell(record, "Normal", "Pulled", text)
            return True
        if policy == "Never":
            record.waiting("ErrImageNeverPull", f'Container image "{image}" is not present with pull policy of Never')
            worker.tell(record, "Warning", "ErrImageNeverPull", record.message)
            worker.tell(record, "Warning", "Failed", "Error: ErrImageNeverPull")
            record.next_try = clock.now() + 15.0
            worker.wake_in(15.0)
            return False
        worker.tell(record, "Normal", "Pulling", f'Pulling image "{image}"')
        with trace.step("pull") as span:
            span.detail = {"container": spec["name"], "image": image}
            began = clock.now()
            try:
                info, took = await kubelet.runtime.pull_image(image, await registries(worker))
            except RuntimeFailure as failure:
                span.outcome, span.detail["message"] = "error", failure.text
                self._pull_failed(record, failure)
                return False
            waited = clock.now() - began
            span.detail |= {"seconds": round(took, 3), "bytes": info.size}
        worker.tell(
            record,
            "Normal",
            "Pulled",
            f'Successfully pulled image "{image}" in {duration(took)} ({duration(waited)} including waiting). '
            f"Image size: {info.size} bytes.",
        )
        record.pull_backoff, record.pull_error = 0.0, ""
        return True

    def _pull_failed(self, record: Record, failure: RuntimeFailure) -> None:
        worker, image = self._worker, record.spec["image"]
        kubelet = worker.kubelet
        reason = "InvalidImageName" if failure.code == "InvalidArgument" else "ErrImagePull"
        record.waiting(reason, failure.text)
        if reason == "InvalidImageName":
            text = f'Failed to apply default image tag "{image}": {failure.message}'
            worker.tell(record, "Warning", "InspectFailed", text)
        else:
            worker.tell(record, "Warning", "Failed", f'Failed to pull image "{image}": {failure.text}')
        worker.tell(record, "Warning", "Failed", f"Error: {reason}")
        record.pull_backoff = min(record.pull_backoff * 2 or BACKOFF, MAX_BACKOFF)
        record.pull_error = failure.text
        record.next_try = clock.now() + record.pull_backoff

        def back_off() -> None:
            if record.state == "waiting" and record.reason == "ErrImagePull":
                record.waiting(
                    "ImagePullBackOff", f'Back-off pulling image "{image}": ErrImagePull: {record.pull_error}'
                )
                worker.tell(record, "Normal", "BackOff", f'Back-off pulling image "{image}"')
                worker.tell(record, "Warning", "Failed", "Error: ImagePullBackOff")
                worker.wake()

        clock.call_later(min(kubelet.latency.pick(kubelet.profile.resync) or 0.1, record.pull_backoff / 2), back_off)

    # -- the configuration ---------------------------------------------------------------------------------------------

    async def config(self, record: Record) -> ContainerConfig:
        """What the runtime is told of a container; Missing when something it needs is not there."""
        worker, spec = self._worker, record.spec
        env = await variables(worker.kubelet.client, worker.pod, spec, worker.place, worker.services())
        limits = (spec.get("resources") or {}).get("limits") or {}
        pod_security = worker.pod["spec"].get("securityContext") or {}
        own_security = spec.get("securityContext") or {}
        security = {**pod_security, **own_security}
        user = security.get("runAsUser")
        self._check_user(record, security)
        groups = [security.get("runAsGroup") or 0, *(pod_security.get("supplementalGroups") or ())]
        if pod_security.get("fsGroup") is not None:
            groups.append(pod_security["fsGroup"])
        return ContainerConfig(
            spec["name"],
            spec["image"],
            [expand(word, env) for word in spec.get("command") or ()],
            [expand(word, env) for word in spec.get("args") or ()],
            env,
            tuple(port["containerPort"] for port in spec.get("ports") or () if port.get("protocol", "TCP") == "TCP"),
            tuple(self._mount(record, mount, env) for mount in spec.get("volumeMounts") or ()),
            spec.get("workingDir", ""),
            bool(spec.get("stdin")),
            bool(spec.get("tty")),
            value(limits["memory"]) if limits.get("memory") else 0,
            milli(limits["cpu"]) / 1000 if limits.get("cpu") else 0.0,
            record.restarts,
            user,
            tuple(dict.fromkeys(groups)),
            bool(own_security.get("readOnlyRootFilesystem")),
            bool(own_security.get("privileged")),
            own_security.get("allowPrivilegeEscalation") is False,
            (security.get("seccompProfile") or {}).get("type", "Unconfined") != "Unconfined",
            spec.get("terminationMessagePath") or "/dev/termination-log",
            spec.get("terminationMessagePolicy") == "FallbackToLogsOnError",
            bool(spec.get("stdinOnce")),
            self.layer,
        )

    def layer(self, container_id: str, make: Callable[[], Tree]) -> Tree:
        """A container's writable layer: there as long as the container, over restarts of the kubelet."""
        return self._worker.kubelet.disks.tree(self._layer_key(container_id), make)

    def _layer_key(self, container_id: str) -> str:
        return f"{POD}{self._worker.pod['metadata']['uid']}/container/{container_id.rpartition('/')[2]}"

    def _check_user(self, record: Record, security: Obj) -> None:
        """verifyRunAsNonRoot."""
        worker, user = self._worker, security.get("runAsUser")
        if not security.get("runAsNonRoot"):
            return
        where = f'(pod: "{worker.key}", container: {record.spec["name"]})'
        if user == 0:
            raise Missing(f"container's runAsUser breaks non-root policy {where}")
        if user is None and worker.kubelet.runtime.image_user(record.spec["image"]) == 0:
            raise Missing(f"container has runAsNonRoot and image will run as root {where}")

    def _mount(self, record: Record, mount: Obj, env: dict[str, str]) -> Mount:
        worker = self._worker
        volume = worker.volumes.get(mount["name"])
        if volume is None:
            raise Missing(f'cannot find volume "{mount["name"]}" to mount into container "{record.spec["name"]}"')
        sub_path = mount.get("subPath") or self._expanded(mount.get("subPathExpr", ""), env)
        if sub_path.startswith("/"):
            raise Missing(f"error SubPath `{sub_path}` must not be an absolute path")
        if ".." in sub_path.split("/"):
            raise Missing(f"unable to provision SubPath `{sub_path}`: must not contain '..'")
        place = f"{volume.base}/{sub_path}".strip("/")
        bound = bool(sub_path) and volume.projected

        async def later() -> Tree:
            files = await volume.fetch(worker)
            return files.snapshot(place) if bound else files

        return Mount(
            mount["mountPath"],
            # What is bound is the file behind the links: it stays the same when the volume's files are switched.
            volume.files.snapshot(place) if bound else volume.files,
            bool(mount.get("readOnly")) or volume.read_only,
            place,
            later=later if volume.lazy else None,
        )

    @staticmethod
    def _expanded(text: str, env: dict[str, str]) -> str:
        """A subPathExpr, in which every variable must be known."""
        for name in re.findall(r"(?<!\$)\$\(([A-Za-z_][A-Za-z0-9_.-]*)\)", text):
            if not env.get(name):
                raise Missing(f'missing value for "{name}"')
        return expand(text, env)
