"""What goes wrong on purpose: registries, probes and nodes' resources, as Faults say. Shared by all machines, empty most of the time."""

from __future__ import annotations

from dataclasses import dataclass, field

from cluster.kubelet.runtime.cri import RuntimeFailure
from cluster.kubelet.runtime.references import Reference, parse


@dataclass(frozen=True, slots=True)
class Registry:
    """A registry (empty: all) that fails, or is `delay` seconds slower than usual."""

    domain: str
    fails: bool
    delay: float


@dataclass(frozen=True, slots=True)
class SickProbe:
    """A probe that fails whatever the container says. Empty fields match everything."""

    namespace: str
    pod: str
    container: str
    kind: str  # Liveness, Readiness or Startup


@dataclass(slots=True)
class Troubles:
    """By the key of who asked for it."""

    registries: dict[str, Registry] = field(default_factory=dict)
    probes: dict[str, SickProbe] = field(default_factory=dict)

    def of_registry(self, image: str) -> float:
        """Seconds that a pull takes longer; RuntimeFailure in containerd's words when it cannot be."""
        if not self.registries:
            return 0.0
        reference = parse(image)
        delay = 0.0
        for one in self.registries.values():
            if one.domain in ("", reference.domain):
                if one.fails:
                    raise RuntimeFailure(_unreachable(reference))
                delay += one.delay
        return delay

    def probe_fails(self, namespace: str, pod: str, container: str, kind: str) -> bool:
        return any(
            one.namespace == namespace
            and one.pod == pod
            and one.container in ("", container)
            and one.kind.lower() == kind.lower()
            for one in self.probes.values()
        )


def _unreachable(reference: Reference) -> str:
    host = "registry-1.docker.io" if reference.domain == "docker.io" else reference.domain
    path = reference.repository.partition("/")[2]
    return (
        f'failed to pull and unpack image "{reference}": failed to resolve reference "{reference}": failed to do request: '
        f'Head "https://{host}/v2/{path}/manifests/{reference.tag or reference.digest}": dial tcp: lookup {host}: i/o timeout'
    )
