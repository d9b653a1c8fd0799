"""Each example, pasted into a cluster: it does what its title says. Ten times as fast as a person would see it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.support.kubectl import got
from tests.support.server import ROOT, Cluster, wait_for

EXAMPLES = {path.stem.partition("-")[2]: path for path in sorted((ROOT / "examples").glob("*.yaml"))}


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    running = Cluster("--profile=instant", "--speed=10", prepared=True).start()
    yield running
    running.close()


def diagnosed(name: str, *reasons: str) -> Callable[[Cluster], bool]:
    """The checklist of a workload names one of these reasons."""

    def check(cluster: Cluster) -> bool:
        found = got(cluster, "diagnosis", name)
        named = {one["reason"] for step in found["checklist"] for one in step.get("findings") or ()}
        return found["verdict"] != "Healthy" and not named.isdisjoint(reasons)

    return check


def healthy(*names: str) -> Callable[[Cluster], bool]:
    return lambda cluster: all(got(cluster, "diagnosis", *name.split())["verdict"] == "Healthy" for name in names)


def bound(cluster):
    volume = got(cluster, "pvc", "notes")["status"]
    return volume["phase"] == "Bound" and cluster.kubectl("logs", "writer", check=False) == "kept\n"


def one_waits(cluster):
    pods = got(cluster, "pods", "-l", "app=apart")["items"]
    phases = sorted(pod["status"]["phase"] for pod in pods)
    return phases == ["Pending", "Running", "Running", "Running"]


def many(cluster):
    return got(cluster, "hpa", "busy")["status"].get("currentReplicas", 0) > 3


def short_of_one(cluster):
    status = got(cluster, "ds", "everywhere", "-n", "small")["status"]
    counted = got(cluster, "quota", "few", "-n", "small")["status"]["used"]
    return (status["desiredNumberScheduled"], status.get("numberReady")) == (3, 2) and counted["pods"] == "2"


def five_ways(cluster):
    services = {one["metadata"]["name"]: one for one in got(cluster, "services")["items"]}
    return (
        services["hello-node"]["spec"]["ports"][0]["nodePort"] >= 30000
        and services["hello-balanced"]["status"]["loadBalancer"].get("ingress")
        and services["hello-pods"]["spec"]["clusterIP"] == "None"
        and "hello.example.com" in cluster.kubectl("get", "ingress", "hello")
        and all(
            len(one.get("endpoints") or ()) == 2
            for one in got(cluster, "endpointslices", "-l", "kubernetes.io/service-name in (hello,hello-pods)")["items"]
        )
    )


def fed(cluster):
    status = got(cluster, "traffic", "shopfront").get("status", {})
    return status.get("succeeded", 0) > 20 and len(status.get("pods", {})) == 3


def mirrored(cluster):
    slices = got(cluster, "endpointslices", "-l", "kubernetes.io/service-name=outside")["items"]
    rc = got(cluster, "rc", "ancestor")["status"]
    return slices and slices[0]["endpoints"][0]["addresses"] == ["192.0.2.200"] and rc.get("readyReplicas") == 1


def budgeted(cluster):
    return got(cluster, "pdb", "steady")["status"]["disruptionsAllowed"] == 1


def complete(cluster):
    return "Complete" in cluster.kubectl("get", "job", "indexed") and "indexed" in cluster.kubectl("get", "jobs")


def faster(cluster):
    return got(cluster, "clock", "cluster")["status"]["speed"] == 10


def bites_and_heals(*names: str) -> Callable[[Cluster], bool]:
    return lambda cluster: all(got(cluster, "fault", name).get("status", {}).get("phase") == "Ended" for name in names)


DOES: dict[str, Callable[[Cluster], object]] = {
    "web": healthy("deployment.web"),
    "shop": healthy("deployment.api -n shop"),
    "typo": diagnosed("deployment.typo", "ErrImagePull", "ImagePullBackOff"),
    "crash": diagnosed("pod.crash", "CrashLoopBackOff"),
    "too-big": diagnosed("pod.too-big", "InsufficientResources"),
    "slow-stop": healthy("pod.slow-stop"),
    "jobs": complete,
    "database": healthy("statefulset.db"),
    "apart": one_waits,
    "priority": healthy("deployment.vital"),
    "daemonset": healthy("daemonset.agent"),
    "autoscale": many,
    "quota": short_of_one,
    "storage": bound,
    "services": five_ways,
    "budget": budgeted,
    "faults": bites_and_heals("power-cut"),
    "partition": bites_and_heals("cut-off"),
    "pressure": bites_and_heals("no-memory", "no-disk", "no-pids"),
    "registry": healthy("pod.impatient"),
    "container-faults": healthy("pod.hangs", "pod.sick"),
    "control-plane": bites_and_heals("slow-etcd", "overload", "no-replacements", "wrong-clock"),
    "clock": faster,
    "traffic": fed,
    "no-selector": mirrored,
}


@pytest.mark.parametrize("name", DOES)
def test_an_example_does_what_it_says(cluster: Cluster, name: str) -> None:
    path: Path = EXAMPLES[name]
    assert path.read_text().startswith("# "), "the first comment is the title"
    cluster.kubectl("apply", "-f", str(path))
    wait_for(lambda: DOES[name](cluster), path.name, 60)
    cluster.kubectl("delete", "--ignore-not-found", "--wait=false", "-f", str(path))


def test_the_one_that_is_wrong_is_refused(cluster: Cluster) -> None:
    assert "is invalid" in cluster.kubectl("apply", "-f", str(EXAMPLES["invalid"]), check=False)


def test_every_example_is_tried_here() -> None:
    assert set(EXAMPLES) - {"invalid"} == set(DOES)
