"""What a diagnosis proposes is applied as it stands, with kubectl, and the workload becomes healthy by it."""

from __future__ import annotations

import pytest

from tests.e2e.test_diagnosis import apply, findings, got, workload
from tests.support.server import tool, wait_for


@pytest.fixture(scope="module")
def namespace(cluster):
    """Makes a namespace for one test."""

    def make(name):
        cluster.kubectl("delete", "namespace", name, "--ignore-not-found")
        cluster.kubectl("create", "namespace", name)
        return name

    return make


def proposed(cluster, name, reason, namespace):
    """The mend of a finding, once it is proposed."""

    def look():
        return findings(got(cluster, "diagnosis", name, "-n", namespace)).get(reason, {}).get("mend")

    return wait_for(look, f"{reason} of {name} can be mended", 90)


def shell(cluster, command):
    """Runs what is proposed as a person would who copies it."""
    done = cluster.run("bash", "-c", f'kubectl() {{ "{tool("kubectl")}" "$@"; }}; {command}')
    assert done.returncode == 0, done.stdout + done.stderr


def mended(cluster, name, reason, namespace):
    """Applies what is proposed and waits until all is well; the sentence that was said."""
    found = proposed(cluster, name, reason, namespace)
    shell(cluster, found["command"])

    def well():
        return got(cluster, "diagnosis", name, "-n", namespace)["verdict"] == "Healthy"

    wait_for(well, f"{name} is healthy after: {found['sentence']}", 120)
    return found["sentence"]


def probed(path="/", port=80, kind="readinessProbe", **more):
    return {kind: {"httpGet": {"path": path, "port": port}, "periodSeconds": 1, "failureThreshold": 1, **more}}


@pytest.mark.parametrize(
    ("name", "reason", "container", "sentence"),
    [
        ("port", "Unhealthy", probed(port=81), "Let the readiness probe ask at port 80: there container c answers."),
        (
            "path",
            "Unhealthy",
            probed(path="/nope"),
            "Let the readiness probe ask at path /: there container c answers.",
        ),
        ("live", "Unhealthy", probed(port=8080, kind="livenessProbe"), "Let the liveness probe ask at port 80"),
        (
            "begin",
            "Unhealthy",
            probed(path="/x", port=1, kind="startupProbe"),
            "Let the startup probe ask at port 80 and path /",
        ),
        (
            "tcp",
            "Unhealthy",
            {"readinessProbe": {"tcpSocket": {"port": 8080}, "periodSeconds": 1}},
            "Let the readiness probe ask at port 80",
        ),
        ("named", "Unhealthy", probed(port="http"), "Let the readiness probe ask at port 80"),
        ("tagless", "ImagePullBackOff", {"image": "ngnix"}, "Use nginx, which nodes know."),
    ],
)
def test_of_one_container(cluster, namespace, name, reason, container, sentence):
    if name == "tagless":
        apply(cluster, workload("known", image="nginx"))
        cluster.kubectl("rollout", "status", "deployment/known", "--timeout=60s")
    where = namespace(f"mend-{name}")
    apply(cluster, workload(name, **container), namespace=where)
    assert mended(cluster, f"deployment.{name}", reason, where).startswith(sentence)


def test_memory_that_is_enough_for_what_was_held(cluster, namespace):
    where = namespace("mend-memory")
    # It holds 380Mi before it does anything: twice 64Mi would kill it again.
    hungry = workload(
        "db",
        image="mysql:8",
        env=[{"name": "MYSQL_ALLOW_EMPTY_PASSWORD", "value": "1"}],
        resources={"limits": {"memory": "64Mi"}},
    )
    apply(cluster, hungry, namespace=where)
    sentence = mended(cluster, "deployment.db", "OOMKilled", where)
    assert sentence == "8 times the memory: 512Mi for container c, of which it held 380Mi."


def test_back_to_the_process_that_ran_before(cluster, namespace):
    where = namespace("mend-before")
    apply(cluster, workload("web", replicas=2), namespace=where)
    cluster.kubectl("rollout", "status", "deployment/web", "-n", where, "--timeout=60s")
    apply(cluster, workload("web", replicas=2, command=["sh", "-c", "exit 3"]), namespace=where)
    assert mended(cluster, "deployment.web", "CrashLoopBackOff", where) == "Go back to the command that ran before."
    apply(cluster, workload("web", replicas=2, image="busybox:1.36", command=["sh", "-c", "exit 4"]), namespace=where)
    sentence = mended(cluster, "deployment.web", "CrashLoopBackOff", where)
    assert sentence == "Go back to the command and image that ran before."


@pytest.mark.parametrize("kind", ["Deployment", "DaemonSet", "StatefulSet"])
def test_a_quota_that_is_large_enough(cluster, namespace, kind):
    where = namespace(f"mend-quota-{kind.lower()}")
    cluster.kubectl("create", "quota", "few", "-n", where, "--hard=pods=1,requests.cpu=150m")
    asks = {"resources": {"requests": {"cpu": "100m"}}}
    apply(cluster, workload("many", kind=kind, replicas=3, **asks), namespace=where)
    sentence = mended(cluster, f"{kind.lower()}.many", "QuotaExceeded", where)
    assert sentence == "Raise quota few: pods from 1 to 3, requests.cpu from 150m to 300m."


def test_what_a_quota_counts_is_named(cluster, namespace):
    where = namespace("mend-counts")
    cluster.kubectl("create", "quota", "counts", "-n", where, "--hard=requests.cpu=1,limits.memory=200Mi")
    apply(cluster, workload("web", replicas=2), namespace=where)
    sentence = mended(cluster, "deployment.web", "QuotaNeedsRequests", where)
    assert sentence == "Name what quota counts counts: modest requests and limits for c."
    used = got(cluster, "quota", "counts", "-n", where)["status"]["used"]
    assert used == {"limits.memory": "200Mi", "requests.cpu": "200m"}


def test_within_a_limit_range(cluster, namespace):
    where = namespace("mend-limits")
    limit = {"type": "Container", "max": {"memory": "256Mi"}, "min": {"cpu": "50m"}}
    apply(
        cluster,
        {"apiVersion": "v1", "kind": "LimitRange", "metadata": {"name": "l"}, "spec": {"limits": [limit]}},
        namespace=where,
    )
    greedy = {"requests": {"cpu": "10m", "memory": "128Mi"}, "limits": {"memory": "1Gi"}}
    apply(cluster, workload("web", resources=greedy), namespace=where)
    assert mended(cluster, "deployment.web", "LimitRange", where) == "Keep c within the namespace's LimitRange."


def test_a_right_that_is_missing(cluster, namespace):
    where = namespace("mend-rights")
    # It comes up once it may read.
    probe = {"readinessProbe": {"exec": {"command": ["test", "-e", "/tmp/may"]}, "periodSeconds": 1}}
    apply(cluster, workload("reader", image="busybox", command=["sleep", "3600"], **probe), namespace=where)
    token = cluster.kubectl("create", "token", "default", "-n", where).strip()
    ask = ("--token", token, "get", "configmaps", "-n", where)
    assert "forbidden" in cluster.kubectl(*ask, check=False)
    found = proposed(cluster, "deployment.reader", "AccessDenied", where)
    assert found["sentence"] == f"Let ServiceAccount default list configmaps in {where}."
    shell(cluster, found["command"])
    assert "kube-root-ca.crt" in cluster.kubectl(*ask)
    assert "forbidden" in cluster.kubectl("--token", token, "get", "secrets", "-n", where, check=False), (
        "and nothing more"
    )


def test_what_nobody_can_know_is_left_to_a_person(cluster, namespace):
    where = namespace("mend-none")
    apply(cluster, workload("crash", image="busybox", command=["sh", "-c", "exit 3"]), namespace=where)
    wait_for(
        lambda: "CrashLoopBackOff" in findings(got(cluster, "diagnosis", "deployment.crash", "-n", where)),
        "it is seen to crash",
        60,
    )
    finding = findings(got(cluster, "diagnosis", "deployment.crash", "-n", where))["CrashLoopBackOff"]
    assert "mend" not in finding


def test_who_may_not_look_into_pods_is_told_nothing_from_within(cluster):
    cluster.kubectl("create", "clusterrolebinding", "only-view", "--clusterrole=view", "--user=bob")
    apply(cluster, workload("shy", **probed(port=81)))
    assert proposed(cluster, "deployment.shy", "Unhealthy", "default")
    theirs = findings(got(cluster, "diagnosis", "deployment.shy", "--as=bob"))
    assert "Unhealthy" in theirs and "mend" not in theirs["Unhealthy"]


def service(name, selector, port=80, target=None):
    ports = [{"port": port, **({"targetPort": target} if target else {})}]
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": name},
        "spec": {"selector": selector, "ports": ports},
    }


def test_a_service_that_leads_nowhere(cluster, namespace):
    where = namespace("mend-service")
    ports = [{"name": "http", "containerPort": 80}]
    apply(cluster, workload("web", ports=ports), workload("other"), namespace=where)
    for name in ("web", "other"):
        cluster.kubectl("rollout", "status", f"deployment/{name}", "-n", where, "--timeout=60s")
    apply(
        cluster,
        service("typo", {"app": "wbe"}),
        service("other", {"name": "something-else"}),
        service("named", {"app": "web"}, target="htpp"),
        service("number", {"app": "web"}, target=8080),
        namespace=where,
    )
    # The list sees all of it, too.
    verdicts = {one["metadata"]["name"]: one["verdict"] for one in got(cluster, "diagnoses", "-n", where)["items"]}
    assert {verdicts[f"service.{name}"] for name in ("typo", "other", "named", "number")} == {"Unhealthy"}
    assert mended(cluster, "service.typo", "SelectorMatchesNothing", where) == "Select app=web."
    assert mended(cluster, "service.other", "SelectorMatchesNothing", where) == "Select app=other."
    sentence = "Send port 80 to port 80, where its pods listen."
    assert mended(cluster, "service.named", "TargetPortNotFound", where) == sentence
    assert mended(cluster, "service.number", "TargetPortNotListening", where) == sentence
    # Each is reached now, by its name, from within.
    client = cluster.kubectl("get", "pods", "-n", where, "-l", "app=web", "-o", "name").strip()
    for name in ("typo", "other", "named", "number"):
        answer = cluster.kubectl("exec", "-n", where, client, "--", "curl", "-s", f"http://{name}/")
        assert "Welcome to nginx" in answer


def test_a_claim_that_gets_no_volume(cluster, namespace):
    where = namespace("mend-claim")

    def claim(name, class_name):
        spec = {
            "accessModes": ["ReadWriteOnce"],
            "resources": {"requests": {"storage": "1Gi"}},
            "storageClassName": class_name,
        }
        return {"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": {"name": name}, "spec": spec}

    def storage_class(name, provisioner, mode="Immediate"):
        return {
            "apiVersion": "storage.k8s.io/v1",
            "kind": "StorageClass",
            "metadata": {"name": name},
            "provisioner": provisioner,
            "volumeBindingMode": mode,
        }

    apply(
        cluster,
        storage_class("by-hand", "kubernetes.io/no-provisioner"),
        storage_class("elsewhere", "example.com/disk"),
    )
    names = {"none": "", "unknown": "mend-fast", "hand": "by-hand", "away": "elsewhere"}
    apply(cluster, *(claim(name, class_name) for name, class_name in names.items()), namespace=where)
    expected = {
        "none": ("NoStorageClass", f"Create volume {where}-none of 1Gi for it, in a directory of the node."),
        "unknown": ("StorageClassNotFound", "Create StorageClass mend-fast, which works as standard does."),
        "hand": ("NoVolume", f"Create volume {where}-hand of 1Gi for it, in a directory of the node."),
        "away": ("ExternalProvisioning", f"Create volume {where}-away of 1Gi for it, in a directory of the node."),
    }
    for name, (reason, sentence) in expected.items():
        assert mended(cluster, f"persistentvolumeclaim.{name}", reason, where) == sentence


def test_a_quota_that_lets_a_stateful_set_have_its_claims(cluster, namespace):
    where = namespace("mend-storage")
    cluster.kubectl("create", "quota", "disk", "-n", where, "--hard=requests.storage=1Gi")
    wanted = workload("db", kind="StatefulSet", replicas=2)
    request = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}
    wanted["spec"]["volumeClaimTemplates"] = [{"metadata": {"name": "data"}, "spec": request}]
    apply(cluster, wanted, namespace=where)
    sentence = mended(cluster, "statefulset.db", "QuotaExceeded", where)
    assert sentence == "Raise quota disk: requests.storage from 1Gi to 2Gi."
