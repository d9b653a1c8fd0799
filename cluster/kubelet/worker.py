"""The pod worker: brings one pod from its spec to running containers, keeps them running, and ends them (pkg/kubelet/pod_workers.go).

Level-triggered like every loop here: `sync` looks at what is and does what is missing; container exits, probes, timers and watch
events only wake it. A worker has a task only while there is something to do.
"""

from __future__ import annotations

import asyncio
import logging
from functools import partial
from typing import TYPE_CHECKING, Any

from cluster import clock
from cluster.apimachinery.errors import StatusError, is_not_found
from cluster.apimachinery.quantity import value
from cluster.client.client import Obj
from cluster.journeys import trace
from cluster.kubelet.podstatus import Record, conditions_of, phase_of
from cluster.kubelet.probes import Prober, port_of
from cluster.kubelet.references import Missing, expand, variables, volume_files
from cluster.kubelet.runtime.cri import ContainerConfig, Mount, RuntimeFailure, SandboxConfig

if TYPE_CHECKING:
    from cluster.kubelet.kubelet import Kubelet

log = logging.getLogger(__name__)

BACKOFF, MAX_BACKOFF = 10.0, 300.0
PROBES = ("livenessProbe", "readinessProbe", "startupProbe")
TOKEN_VOLUME = "kube-api-access-"  # noqa: S105
# The least time that a process gets between SIGTERM and SIGKILL.
LEAST_GRACE = 2.0


class Worker:
    """One pod on one node."""

    __slots__ = (
        "_again",
        "_cancelled",
        "_causes",
        "_deadline",
        "_probers",
        "_task",
        "_terminating",
        "_timer",
        "_written",
        "debug",
        "finished",
        "init",
        "ip",
        "kubelet",
        "main",
        "pod",
        "previous",
        "rejected",
        "sandbox",
        "started_at",
    )

    def __init__(self, kubelet: Kubelet, pod: Obj) -> None:
        self.kubelet = kubelet
        self.pod = pod
        self.sandbox: Any = None
        self.ip = ""
        self.init = [Record(spec, init=True) for spec in pod["spec"].get("initContainers") or ()]
        self.main = [Record(spec) for spec in pod["spec"]["containers"]]
        # Ephemeral containers: added to look into the pod, started once, never restarted.
        self.debug = [Record(spec) for spec in pod["spec"].get("ephemeralContainers") or ()]
        if self.init:
            for record in self.main:
                record.reason = "PodInitializing"
        self.started_at = ""
        self.rejected: tuple[str, str] | None = None
        self.finished = False
        # Logs of the run before the latest, by container.
        self.previous: dict[str, Any] = {}
        self._task: asyncio.Task[None] | None = None
        self._again = False
        self._causes: tuple[str, ...] = ()
        self._timer: clock.Timer | None = None
        self._deadline: clock.Timer | None = None
        self._probers: dict[str, Prober] = {}
        self._written: Obj | None = None
        self._terminating = False
        self._cancelled = False

    @property
    def records(self) -> tuple[Record, ...]:
        """All containers of the pod."""
        return (*self.init, *self.main, *self.debug)

    # -- waking up -------------------------------------------------------------------------------------------------

    @property
    def key(self) -> str:
        metadata = self.pod["metadata"]
        return f"{metadata['name']}_{metadata['namespace']}({metadata['uid']})"

    def update(self, pod: Obj, journey: str) -> None:
        """A watch event: remember the newest pod and look."""
        self.pod = pod
        if pod["metadata"].get("deletionTimestamp"):
            self.terminate(journey)
            return
        for record, spec in zip(self.main, pod["spec"]["containers"], strict=False):
            record.spec = spec
        added = (pod["spec"].get("ephemeralContainers") or [])[len(self.debug) :]
        self.debug += [Record(spec) for spec in added]
        if added or self._needs_look():
            self.wake(journey)

    def _needs_look(self) -> bool:
        """Whether a changed pod asks for more than was done: a new image, or readiness gates to judge again."""
        if self.sandbox is None and self._task is None and not self.finished:
            return True
        changed = any(
            record.state == "running"
            and record.container is not None
            and record.container.config.image != record.spec["image"]
            for record in self.main
        )
        written = (self._written or {}).get("observedGeneration")
        return (
            changed
            or bool(self.pod["spec"].get("readinessGates"))
            or (written is not None and written != self.pod["metadata"].get("generation"))
        )

    def wake(self, journey: str = "") -> None:
        """Look again, now or when the present look is over."""
        if self._terminating or self._cancelled or self.finished:
            return
        if journey:
            self._causes = (journey,)
        if self._task is not None:
            self._again = True
            return
        self._task = asyncio.create_task(self._run(), name="pod worker")

    def _wake_in(self, delay: float) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer = clock.call_later(delay, self.wake)

    async def _run(self) -> None:
        try:
            while True:
                self._again = False
                journey = trace.Journey("sync", f"kubelet/{self.kubelet.name}", self._causes)
                metadata = self.pod["metadata"]
                journey.actor, journey.resource = self.kubelet.client.user, "pods"
                journey.namespace, journey.name = metadata["namespace"], metadata["name"]
                with trace.working_on(journey):
                    try:
                        await self.sync()
                        journey.outcome = "ok"
                    except StatusError as error:
                        if not is_not_found(error):
                            log.warning("kubelet %s: pod %s: %s", self.kubelet.name, self.key, error.message)
                            self._wake_in(1.0)
                        journey.outcome = "error"
                        journey.reason = error.message
                    except Exception as error:
                        log.exception("kubelet %s: pod %s", self.kubelet.name, self.key)
                        journey.outcome, journey.reason = "error", str(error)
                        self._wake_in(5.0)
                if journey.spans:
                    journey.finish(journey.outcome)
                    # What follows from this (restarts, probes) goes on from here.
                    self._causes = (journey.id,)
                if not self._again:
                    return
        finally:
            self._task = None

    # -- one look --------------------------------------------------------------------------------------------------

    async def sync(self) -> None:
        """Do what is missing, and write down how things stand."""
        if self.rejected is None and self.sandbox is None:
            self.rejected = self.kubelet.refusal(self.pod)
            if self.rejected is not None:
                reason, message = self.rejected
                self.kubelet.events.event(self.pod, "Warning", reason, message)
        if self.rejected is not None:
            await self.write_status()
            self.finished = True
            return
        self.kubelet.take(self.pod)
        if not self.started_at:
            self.started_at = clock.timestamp()
            self._arm_deadline()
        if self.sandbox is None:
            if self.kubelet.profile.sandbox[1]:
                await self.write_status()
            if not await self._make_sandbox():
                return
        if await self._advance_init():
            for record in (*self.main, *self.debug):
                await self._advance(record)
        await self.write_status()

    def _arm_deadline(self) -> None:
        seconds = self.pod["spec"].get("activeDeadlineSeconds")
        if seconds:
            self._deadline = clock.call_later(float(seconds), self._exceed)

    def _exceed(self) -> None:
        """activeDeadlineSeconds has passed: the pod has failed."""
        self.kubelet.events.event(
            self.pod, "Normal", "DeadlineExceeded", "Pod was active on the node longer than the specified deadline"
        )
        self.rejected = ("DeadlineExceeded", "Pod was active on the node longer than the specified deadline")
        for record in self.records:
            if record.container is not None and record.state == "running":
                self._stop_probes(record)
                self.kubelet.runtime.kill(record.container)
        self.wake()

    async def _make_sandbox(self) -> bool:
        pod, kubelet = self.pod, self.kubelet
        metadata, spec = pod["metadata"], pod["spec"]
        self.ip = kubelet.ip if spec.get("hostNetwork") else kubelet.assign_ip(metadata["uid"])
        config = SandboxConfig(
            metadata["namespace"],
            metadata["name"],
            metadata["uid"],
            spec.get("hostname") or metadata["name"],
            self.ip,
            kubelet.name,
            bool(spec.get("shareProcessNamespace")),
        )
        with trace.step("sandbox") as span:
            span.detail = {"ip": self.ip}
            self.sandbox = await kubelet.runtime.run_pod_sandbox(config)
        for volume in spec.get("volumes") or ():
            if volume["name"].startswith(TOKEN_VOLUME) or not (
                "configMap" in volume or "secret" in volume or "projected" in volume
            ):
                continue
            try:
                await volume_files(kubelet.client, pod, volume, self.ip, kubelet.ip)
            except Missing as missing:
                kubelet.events.event(pod, "Warning", "FailedMount", str(missing))
                self.sandbox = None
                await self.write_status()
                self._wake_in(2.0)
                return False
        return True

    async def _advance_init(self) -> bool:
        """Init containers, one after the other; True when the ordinary ones may start."""
        for record in self.init:
            if record.sidecar:
                await self._advance(record)
                if not (record.state == "running" and record.passed):
                    return False
            elif not (record.state == "terminated" and record.exit_code == 0):
                await self._advance(record)
                return False
        return True

    async def _advance(self, record: Record) -> None:
        """Bring one container on: start it, restart it when it may, replace it when its image changed."""
        if record.state == "running":
            container = record.container
            if container.config.image == record.spec["image"]:
                return
            self.kubelet.events.event(
                self.pod,
                "Normal",
                "Killing",
                f"Container {record.spec['name']} definition changed, will be restarted",
                field_path=self._path(record),
            )
            self._stop_probes(record)
            await self.kubelet.runtime.stop_container(
                container, float(self.pod["spec"].get("terminationGracePeriodSeconds", 30))
            )
        if record.state == "terminated" and not self._restarts(record):
            return
        now = clock.now()
        if now < record.next_try:
            self._show_backoff(record)
            self._wake_in(record.next_try - now)
            return
        await self._start(record)

    def _restarts(self, record: Record) -> bool:
        if record.sidecar:
            return True
        if record in self.debug:
            return False
        policy = record.spec.get("restartPolicy") or self.pod["spec"].get("restartPolicy", "Always")
        if record in self.init and policy == "Always":
            policy = "OnFailure"
        return policy == "Always" or (policy == "OnFailure" and record.exit_code != 0)

    def _show_backoff(self, record: Record) -> None:
        if record.pull_error:
            return
        if record.state == "terminated":
            record.last = record.terminated_state()
            record.waiting(
                "CrashLoopBackOff",
                f"back-off {_duration(record.backoff)} restarting failed container={record.spec['name']} pod={self.key}",
            )
            self.kubelet.events.event(
                self.pod,
                "Warning",
                "BackOff",
                f"Back-off restarting failed container {record.spec['name']} in pod {self.key}",
                field_path=self._path(record),
            )

    def _path(self, record: Record) -> str:
        where = "initContainers" if record in self.init else "containers"
        if record in self.debug:
            where = "ephemeralContainers"
        return f"spec.{where}{{{record.spec['name']}}}"

    # -- starting a container --------------------------------------------------------------------------------------

    async def _start(self, record: Record) -> None:
        if not await self._pull(record):
            return
        kubelet, spec, path = self.kubelet, record.spec, self._path(record)
        try:
            config = await self._config(record)
        except Missing as missing:
            record.waiting("CreateContainerConfigError", str(missing))
            kubelet.events.event(self.pod, "Warning", "Failed", f"Error: {missing}", field_path=path)
            record.next_try = clock.now() + 10.0
            self._wake_in(10.0)
            return
        with trace.step("create") as span:
            container = await kubelet.runtime.create_container(self.sandbox, config)
            span.detail = {"container": spec["name"], "image": spec["image"], "id": container.id[:12]}
        kubelet.events.event(self.pod, "Normal", "Created", "Container created", field_path=path)
        if record.container is not None:
            self.previous[spec["name"]] = record.container
        again = record.state == "terminated" or record.last is not None
        if record.state == "terminated":
            record.last = record.terminated_state()
        record.container, record.id = container, f"containerd://{container.id}"
        record.image_id = container.image.reference
        record.shown_image = container.image.name
        record.restarts += 1 if again else 0
        kubelet.owners[container.id] = self
        try:
            with trace.step("start") as span:
                span.detail = {"container": spec["name"], "restarts": record.restarts}
                await kubelet.runtime.start_container(container)
        except RuntimeFailure as failure:
            kubelet.events.event(self.pod, "Warning", "Failed", f"Error: {failure.text}", field_path=path)
            record.state, record.reason, record.message = "terminated", "StartError", failure.text
            record.exit_code, record.started_at, record.finished_at = 128, 0.0, clock.now()
            self._exited(record)
            return
        record.state, record.reason, record.message = "running", "", ""
        record.started_at = container.started_at
        kubelet.events.event(self.pod, "Normal", "Started", "Container started", field_path=path)
        self._after_start(record)

    def _after_start(self, record: Record) -> None:
        spec = record.spec
        hook = (spec.get("lifecycle") or {}).get("postStart")
        if hook is not None:
            task = asyncio.create_task(self._hook(record, hook, "PostStartHook"))
            self.kubelet.background.add(task)
            task.add_done_callback(self.kubelet.background.discard)
        if any(name in spec for name in PROBES):
            record.passed = "startupProbe" not in spec
            record.ready = record.passed and "readinessProbe" not in spec
            prober = Prober(
                self.kubelet.runtime,
                record,
                self.ip,
                self.kubelet.latency.pick(self.kubelet.profile.first_probe),
                self.wake,
                self._probe_kills,
                self._unhealthy,
            )
            self._probers[spec["name"]] = prober
            prober.start()
        else:
            record.ready = record.passed = True

    def _unhealthy(self, record: Record, message: str) -> None:
        self.kubelet.events.event(self.pod, "Warning", "Unhealthy", message, field_path=self._path(record))

    def _probe_kills(self, kind: str, name: str, probe: Obj) -> None:
        record = next(one for one in self.records if one.spec["name"] == name)
        self.kubelet.events.event(
            self.pod,
            "Normal",
            "Killing",
            f"Container {name} failed {kind.lower()} probe, will be restarted",
            field_path=self._path(record),
        )
        grace = probe.get("terminationGracePeriodSeconds", self.pod["spec"].get("terminationGracePeriodSeconds", 30))
        task = asyncio.create_task(self.kubelet.runtime.stop_container(record.container, float(grace)))
        self.kubelet.background.add(task)
        task.add_done_callback(self.kubelet.background.discard)

    async def _pull(self, record: Record) -> bool:
        """The image, by its pull policy; False when there is none yet."""
        kubelet, spec, path = self.kubelet, record.spec, self._path(record)
        image, policy = spec["image"], spec.get("imagePullPolicy", "IfNotPresent")
        present = kubelet.runtime.image_status(image)
        if present is not None and policy != "Always":
            kubelet.events.event(
                self.pod,
                "Normal",
                "Pulled",
                f'Container image "{image}" already present on machine and can be accessed by the pod',
                field_path=path,
            )
            return True
        if policy == "Never":
            record.waiting("ErrImageNeverPull", f'Container image "{image}" is not present with pull policy of Never')
            kubelet.events.event(self.pod, "Warning", "ErrImageNeverPull", record.message, field_path=path)
            kubelet.events.event(self.pod, "Warning", "Failed", "Error: ErrImageNeverPull", field_path=path)
            record.next_try = clock.now() + 15.0
            self._wake_in(15.0)
            return False
        kubelet.events.event(self.pod, "Normal", "Pulling", f'Pulling image "{image}"', field_path=path)
        with trace.step("pull") as span:
            span.detail = {"image": image}
            began = clock.now()
            try:
                info, took = await kubelet.runtime.pull_image(image)
            except RuntimeFailure as failure:
                span.outcome, span.detail = "error", {"image": image, "message": failure.text}
                self._pull_failed(record, failure)
                return False
            waited = clock.now() - began
            span.detail = {"image": image, "seconds": round(took, 3), "bytes": info.size}
        kubelet.events.event(
            self.pod,
            "Normal",
            "Pulled",
            f'Successfully pulled image "{image}" in {_duration(took)} ({_duration(waited)} including waiting). '
            f"Image size: {info.size} bytes.",
            field_path=path,
        )
        record.pull_backoff, record.pull_error = 0.0, ""
        return True

    def _pull_failed(self, record: Record, failure: RuntimeFailure) -> None:
        kubelet, image, path = self.kubelet, record.spec["image"], self._path(record)
        reason = "InvalidImageName" if failure.code == "InvalidArgument" else "ErrImagePull"
        record.waiting(reason, failure.text)
        if reason == "InvalidImageName":
            kubelet.events.event(
                self.pod,
                "Warning",
                "InspectFailed",
                f'Failed to apply default image tag "{image}": {failure.message}',
                field_path=path,
            )
        else:
            kubelet.events.event(
                self.pod, "Warning", "Failed", f'Failed to pull image "{image}": {failure.text}', field_path=path
            )
        kubelet.events.event(self.pod, "Warning", "Failed", f"Error: {reason}", field_path=path)
        record.pull_backoff = min(record.pull_backoff * 2 or BACKOFF, MAX_BACKOFF)
        record.pull_error = failure.text
        record.next_try = clock.now() + record.pull_backoff

        def back_off() -> None:
            if record.state == "waiting" and record.reason == "ErrImagePull":
                record.waiting(
                    "ImagePullBackOff", f'Back-off pulling image "{image}": ErrImagePull: {record.pull_error}'
                )
                kubelet.events.event(
                    self.pod, "Normal", "BackOff", f'Back-off pulling image "{image}"', field_path=path
                )
                kubelet.events.event(self.pod, "Warning", "Failed", "Error: ImagePullBackOff", field_path=path)
                self.wake()

        clock.call_later(min(kubelet.latency.pick(kubelet.profile.resync) or 0.1, record.pull_backoff / 2), back_off)

    async def _token_files(self, volume: Obj) -> dict[str, bytes]:
        """The ServiceAccount's token, the cluster's CA and the namespace, when a process looks for them."""
        try:
            return await volume_files(self.kubelet.client, self.pod, volume, self.ip, self.kubelet.ip)
        except Missing as missing:
            raise RuntimeFailure(str(missing)) from missing

    async def _config(self, record: Record) -> ContainerConfig:
        spec, kubelet = record.spec, self.kubelet
        env = await variables(kubelet.client, self.pod, spec, self.ip, kubelet.ip)
        mounts = []
        volumes = {volume["name"]: volume for volume in self.pod["spec"].get("volumes") or ()}
        for mount in spec.get("volumeMounts") or ():
            volume = volumes.get(mount["name"])
            if volume is None:
                continue
            if mount["name"].startswith(TOKEN_VOLUME):
                mounts.append(Mount(mount["mountPath"], {}, True, later=partial(self._token_files, volume)))
                continue
            files = await volume_files(kubelet.client, self.pod, volume, self.ip, kubelet.ip)
            mounts.append(Mount(mount["mountPath"], files, bool(mount.get("readOnly")), mount.get("subPath", "")))
        limit = ((spec.get("resources") or {}).get("limits") or {}).get("memory")
        return ContainerConfig(
            spec["name"],
            spec["image"],
            [expand(word, env) for word in spec.get("command") or ()],
            [expand(word, env) for word in spec.get("args") or ()],
            env,
            tuple(port["containerPort"] for port in spec.get("ports") or ()),
            tuple(mounts),
            spec.get("workingDir", ""),
            bool(spec.get("stdin")),
            bool(spec.get("tty")),
            value(limit) if limit else 0,
            record.restarts,
        )

    # -- containers that end ---------------------------------------------------------------------------------------

    def container_exited(self, container: Any) -> None:
        """The runtime says that a process ended."""
        record = next((one for one in self.records if one.container is container), None)
        if record is None or record.state != "running":
            return
        self._stop_probes(record)
        record.state, record.exit_code, record.reason = "terminated", container.exit_code, container.reason
        record.message, record.finished_at = container.message, container.finished_at
        record.ready, record.passed = False, record in self.init and container.exit_code == 0
        if self._terminating:
            return
        self._exited(record)
        delay = self.kubelet.latency.pick(self.kubelet.profile.resync)
        self.wake()
        if delay:
            self._wake_in(delay)

    def _exited(self, record: Record) -> None:
        """Work out when it may start again: at once the first time, then with doubling back-off."""
        if not self._restarts(record):
            return
        if record.finished_at - record.started_at > 2 * MAX_BACKOFF and record.started_at:
            record.backoff = 0.0
        if record.backoff:
            record.next_try = record.finished_at + record.backoff
            record.backoff, waited = min(record.backoff * 2, MAX_BACKOFF), record.backoff
            self._remember(record, waited)
        else:
            record.backoff = BACKOFF
            record.next_try = clock.now() + self.kubelet.latency.pick(self.kubelet.profile.resync)
        self._wake_in(max(record.next_try - clock.now(), 0.0))

    def _remember(self, record: Record, waited: float) -> None:
        """Show the wait at once, with its own length in the message."""
        doubled, record.backoff = record.backoff, waited
        self._show_backoff(record)
        record.backoff = doubled
        self.wake()

    def _stop_probes(self, record: Record) -> None:
        prober = self._probers.pop(record.spec["name"], None)
        if prober is not None:
            prober.stop()

    async def _hook(self, record: Record, hook: Obj, kind: str) -> None:
        """A lifecycle handler."""
        runtime = self.kubelet.runtime
        try:
            if "sleep" in hook:
                await clock.sleep(float(hook["sleep"]["seconds"]))
            elif "exec" in hook:
                result = await runtime.exec_sync(record.container, list(hook["exec"]["command"]), 0.0)
                if result.exit_code != 0:
                    raise RuntimeFailure(
                        f"command '{' '.join(hook['exec']['command'])}' exited with {result.exit_code}: {result.output}"
                    )
            elif "httpGet" in hook:
                port = port_of(record.spec, hook["httpGet"]["port"])
                answer = await runtime.http_get(record.container, port, hook["httpGet"].get("path", "/"), {}, 1.0)
                if answer.status == 0:
                    raise RuntimeFailure(answer.error)
        except RuntimeFailure as failure:
            self.kubelet.events.event(
                self.pod, "Warning", f"Failed{kind}", f"{kind} failed", field_path=self._path(record)
            )
            if kind == "PostStartHook" and record.state == "running":
                runtime.kill(record.container)
            log.debug("%s of %s: %s", kind, self.key, failure)

    # -- the end ---------------------------------------------------------------------------------------------------

    def terminate(self, journey: str) -> None:
        """The pod is being deleted: stop everything gracefully, then let it go."""
        if self._terminating:
            return
        self._terminating = True
        if journey:
            self._causes = (journey,)
        self._cancel_timers()
        if self._task is not None:
            self._task.cancel()
        self._task = asyncio.create_task(self._terminate(), name="pod worker end")

    def _cancel_timers(self) -> None:
        for timer in (self._timer, self._deadline):
            if timer is not None:
                timer.cancel()
        for prober in self._probers.values():
            prober.stop()
        self._probers.clear()

    async def _terminate(self) -> None:
        journey = trace.Journey("sync", f"kubelet/{self.kubelet.name}", self._causes)
        metadata = self.pod["metadata"]
        journey.actor, journey.resource, journey.verb = self.kubelet.client.user, "pods", "terminate"
        journey.namespace, journey.name = metadata["namespace"], metadata["name"]
        recorded = trace.recorder
        recorded.publish(journey)
        with trace.working_on(journey):
            try:
                grace = float(metadata.get("deletionGracePeriodSeconds") or 0)
                running = [record for record in self.main if record.state == "running"]
                await asyncio.gather(*(self._end(record, grace, journey) for record in running))
                for record in reversed(self.init):
                    if record.state == "running":
                        await self._end(record, grace, journey)
                # An admitted pod says how its containers ended before it goes.
                if self.sandbox is not None:
                    await self.write_status()
                with trace.step("remove") as span:
                    span.detail = {"pod": metadata["name"]}
                    await self.kubelet.client.delete(
                        "v1/pods",
                        metadata["name"],
                        metadata["namespace"],
                        grace_period_seconds=0,
                        uid=metadata["uid"],
                    )
                journey.finish("ok")
            except StatusError as error:
                # Gone already, or another pod of this name: nothing left to do.
                journey.finish("ok" if error.code in (404, 409) else "error", reason=error.message)
                if error.code not in (404, 409):
                    log.warning("kubelet %s: ending pod %s: %s", self.kubelet.name, self.key, error.message)
                    self._terminating = False
                    clock.call_later(1.0, lambda: self.terminate(""))

    async def _end(self, record: Record, grace: float, journey: trace.Journey) -> None:
        """One container: preStop, SIGTERM, SIGKILL."""
        kubelet, name = self.kubelet, record.spec["name"]
        kubelet.events.event(self.pod, "Normal", "Killing", f"Stopping container {name}", field_path=self._path(record))
        began = clock.now()
        hook = (record.spec.get("lifecycle") or {}).get("preStop")
        if hook is not None and grace > 0:
            with journey.span("prestop", {"container": name, "handler": next(iter(hook), "")}) as span:
                task = asyncio.create_task(self._hook(record, hook, "PreStopHook"))
                timer = clock.call_later(grace, lambda: _cancel(task))
                try:
                    await task
                except asyncio.CancelledError:
                    if not task.cancelled():
                        task.cancel()
                        raise
                    span.outcome, span.detail = "error", {"container": name, "message": "the grace period ran out"}
                finally:
                    timer.cancel()
        rest = max(grace - (clock.now() - began), LEAST_GRACE) if grace > 0 else 0.0
        with journey.span("sigterm", {"container": name, "grace": rest}) as span:
            how = await kubelet.runtime.stop_container(record.container, rest)
            span.detail = {"container": name, "exit_code": record.container.exit_code, "grace": round(rest, 3)}
        if how == "SIGKILL":
            journey.add("sigkill", trace.wall(), "ok", {"container": name, "exit_code": record.container.exit_code})

    def forget(self) -> None:
        """The pod object is gone: nothing may stay behind."""
        self._cancelled = True
        self._cancel_timers()
        if self._task is not None and self._task is not asyncio.current_task():
            self._task.cancel()
        for record in self.records:
            if record.container is not None:
                self.kubelet.owners.pop(record.container.id, None)
                self.kubelet.runtime.kill(record.container)
                self.kubelet.runtime.drop(record.container)
        for container in self.previous.values():
            self.kubelet.runtime.drop(container)

    # -- status ----------------------------------------------------------------------------------------------------

    def status(self) -> Obj:
        """The pod status as of now."""
        pod, spec = self.pod, self.pod["spec"]
        if self.rejected is not None:
            reason, message = self.rejected
            phase = "Failed"
        else:
            phase, reason, message = phase_of(spec, self.init, self.main), "", ""
        status: Obj = {
            "phase": phase,
            "conditions": conditions_of(pod, phase, self.init, self.main, self.sandbox is not None),
        }
        if reason:
            status["reason"], status["message"] = reason, message
        if self.started_at:
            status["startTime"] = self.started_at
        if pod["metadata"].get("generation"):
            status["observedGeneration"] = pod["metadata"]["generation"]
        if self.rejected is None or self.sandbox is not None:
            status["hostIP"] = self.kubelet.ip
            status["hostIPs"] = [{"ip": self.kubelet.ip}]
            if self.ip and self.sandbox is not None:
                status["podIP"] = self.ip
                status["podIPs"] = [{"ip": self.ip}]
            if self.init:
                status["initContainerStatuses"] = [record.as_status() for record in self.init]
            status["containerStatuses"] = [record.as_status() for record in self.main]
            if self.debug:
                status["ephemeralContainerStatuses"] = [record.as_status() for record in self.debug]
        return status

    async def write_status(self) -> None:
        """Tell the API server, when there is news."""
        status = self.status()
        if status == self._written:
            return
        metadata = self.pod["metadata"]
        written = await self.kubelet.client.patch(
            "v1/pods", metadata["name"], {"status": status}, metadata["namespace"], subresource="status"
        )
        self._written = status
        if written["metadata"]["uid"] == metadata["uid"]:
            self.pod = written
        if status["phase"] in ("Succeeded", "Failed"):
            self.kubelet.release_ip(metadata["uid"])
            self.kubelet.give_back(metadata["uid"])
            self.finished = not any(record.state == "running" for record in self.records)

    def adopt(self) -> None:
        """After a restart of the kubelet: what the status says was running runs on, without a word about it."""
        status = self.pod.get("status") or {}
        self.started_at = status.get("startTime", "")
        self.ip = status.get("podIP", "")
        metadata, spec = self.pod["metadata"], self.pod["spec"]
        if status.get("phase") in ("Succeeded", "Failed"):
            self.finished = True
        known = {
            one["name"]: one
            for field in ("initContainerStatuses", "containerStatuses", "ephemeralContainerStatuses")
            for one in status.get(field) or ()
        }
        if not self.ip:
            return
        if not self.finished:
            self.kubelet.take(self.pod)
        self.kubelet.claim_ip(metadata["uid"], self.ip)
        config = SandboxConfig(
            metadata["namespace"],
            metadata["name"],
            metadata["uid"],
            spec.get("hostname") or metadata["name"],
            self.ip,
            self.kubelet.name,
        )
        self.sandbox = self.kubelet.runtime.adopt_sandbox(config)
        for record in self.records:
            one = known.get(record.spec["name"])
            if one is not None:
                self._adopt_container(record, one)
        self._written = self.status()

    def _adopt_container(self, record: Record, one: Obj) -> None:
        state = one.get("state") or {}
        record.restarts = one.get("restartCount", 0)
        record.last = (one.get("lastState") or {}).get("terminated")
        record.id, record.image_id = one.get("containerID", ""), one.get("imageID", "")
        record.shown_image = one.get("image", record.shown_image)
        if "running" in state:
            started = clock.parse(state["running"]["startedAt"])
            spec = record.spec
            config = ContainerConfig(
                spec["name"],
                spec["image"],
                list(spec.get("command") or ()),
                list(spec.get("args") or ()),
                {variable["name"]: variable.get("value", "") for variable in spec.get("env") or ()},
                tuple(port["containerPort"] for port in spec.get("ports") or ()),
                stdin=bool(spec.get("stdin")),
                tty=bool(spec.get("tty")),
            )
            container = self.kubelet.runtime.adopt_container(
                self.sandbox, config, record.id.rpartition("/")[2], started
            )
            record.container, record.state, record.started_at = container, "running", started
            self.kubelet.owners[container.id] = self
            self._after_start(record)
            record.ready, record.passed = one.get("ready", False), one.get("started", True)
        elif "terminated" in state:
            ended = state["terminated"]
            record.state, record.exit_code, record.reason = "terminated", ended["exitCode"], ended.get("reason", "")
            record.message = ended.get("message", "")
            record.started_at = clock.parse(ended["startedAt"]) if ended.get("startedAt") else 0.0
            record.finished_at = clock.parse(ended["finishedAt"]) if ended.get("finishedAt") else 0.0
            record.passed = record in self.init and record.exit_code == 0


def _duration(seconds: float) -> str:
    """Go's duration: 10s, 1m20s, 350ms, 1.234s."""
    if seconds >= 60:
        minutes, rest = divmod(int(seconds), 60)
        return f"{minutes}m{rest}s"
    if seconds >= 1:
        return f"{seconds:.3f}".rstrip("0").rstrip(".") + "s"
    return f"{int(seconds * 1000)}ms"


def _cancel(task: asyncio.Task[None]) -> None:
    task.cancel()
