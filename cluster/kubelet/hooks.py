"""Lifecycle handlers: postStart and preStop, by exec, HTTP or sleep (pkg/kubelet/lifecycle)."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from cluster import clock
from cluster.client.client import Obj
from cluster.kubelet.podstatus import Record
from cluster.kubelet.probes import port_of
from cluster.kubelet.runtime.cri import HTTPRequest, RuntimeFailure

if TYPE_CHECKING:
    from cluster.kubelet.worker import Worker

log = logging.getLogger(__name__)
HOOK_TIMEOUT = 30.0


async def run_hook(worker: Worker, record: Record, hook: Obj, kind: str) -> bool:
    """A lifecycle handler, PostStartHook or PreStopHook; whether it succeeded."""
    runtime = worker.kubelet.runtime
    try:
        if "sleep" in hook:
            await clock.sleep(float(hook["sleep"]["seconds"]))
        elif "exec" in hook:
            command = list(hook["exec"]["command"])
            result = await runtime.exec_sync(record.container, command, 0.0)
            if result.exit_code != 0:
                raise RuntimeFailure(
                    f"command '{' '.join(command)}' exited with {result.exit_code}: {result.output.rstrip()}"
                )
        elif "httpGet" in hook:
            action = hook["httpGet"]
            headers = {one["name"]: one["value"] for one in action.get("httpHeaders") or ()}
            request = HTTPRequest(action.get("path", "/"), headers=headers, client=worker.kubelet.ip)
            port, host = port_of(record.spec, action["port"]), action.get("host")
            if host and host != worker.ip:
                answer = await worker.kubelet.request(host, port, request, HOOK_TIMEOUT)
            else:
                answer = await runtime.http(record.container, port, request, HOOK_TIMEOUT)
            if answer.status == 0:
                raise RuntimeFailure(answer.error)
    except RuntimeFailure as failure:
        worker.tell(record, "Warning", f"Failed{kind}", f"{kind} failed")
        log.debug("%s of %s: %s", kind, worker.key, failure)
        return False
    return True
