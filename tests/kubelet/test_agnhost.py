"""Applications that Kubernetes' own tests build out of agnhost: the guestbook, and a server that is told of a preStop hook."""

from __future__ import annotations

from typing import Any

from cluster import clock
from tests.support.stage import AGNHOST, BUSYBOX, Stage, play

Obj = dict[str, Any]


async def app(stage: Stage, name: str, *args: str, port: int) -> None:
    await stage.pod(name, {"image": AGNHOST, "args": ["guestbook", *args]}, labels={"app": name})
    spec = {"selector": {"app": name}, "ports": [{"port": port}]}
    await stage.create("v1/services", {"apiVersion": "v1", "kind": "Service", "metadata": {"name": name}, "spec": spec})


def test_the_guestbook() -> None:
    async def scenario(stage: Stage) -> None:
        await app(stage, "agnhost-primary", "--http-port", "6379", port=6379)
        await app(stage, "agnhost-replica", "--replicaof", "agnhost-primary", "--http-port", "6379", port=6379)
        await app(stage, "frontend", "--backend-port", "6379", port=80)
        await stage.pod("box", {"image": BUSYBOX, "command": ["sleep", "100000"]})
        for name in ("agnhost-primary", "agnhost-replica", "frontend", "box"):
            await stage.ready(name)
        await clock.sleep(10)
        for query, said in (
            ("cmd=get&key=messages", '{"data":""}'),
            ("cmd=set&key=messages&value=TestEntry", '{"message":"Updated"}'),
            ("cmd=get&key=messages", '{"data":"TestEntry"}'),
        ):
            code, out = await stage.run("box", "wget", "-q", "-O-", f"http://frontend/guestbook?{query}")
            assert (code, out) == (0, said), query
        assert "Registered to node: agnhost-primary" in await stage.log("agnhost-replica")

    play(scenario)


def test_a_pre_stop_hook_is_heard_of() -> None:
    async def scenario(stage: Stage) -> None:
        await stage.pod("server", {"image": AGNHOST, "args": ["nettest"]})
        ip = (await stage.ready("server"))["status"]["podIP"]
        command = ["wget", "-O-", '--post-data={"Source": "prestop"}', f"http://{ip}:8080/write"]
        hook = {"lifecycle": {"preStop": {"exec": {"command": command}}}}
        await stage.pod(
            "tester", {"image": BUSYBOX, "command": ["sleep", "600"], **hook}, terminationGracePeriodSeconds=3
        )
        await stage.ready("tester")
        await stage.admin.delete("v1/pods", "tester", "default")
        await stage.gone("tester")
        code, out = await stage.run("server", "curl", "-s", "http://localhost:8080/read")
        assert code == 0 and '"prestop": 1' in out

    play(scenario)


def test_a_shell_speaks_of_itself_by_the_name_it_was_called() -> None:
    async def scenario(stage: Stage) -> None:
        security = {"readOnlyRootFilesystem": True}
        script = "echo test > /file; sleep 240"
        await stage.pod("ro", {"image": BUSYBOX, "command": ["/bin/sh", "-c", script], "securityContext": security})
        await stage.ready("ro")
        assert await stage.log("ro") == "/bin/sh: can't create /file: Read-only file system\n"

    play(scenario)


def test_images_under_their_older_names() -> None:
    async def scenario(stage: Stage) -> None:
        await stage.pod(
            "tester", {"image": "k8s.gcr.io/e2e-test-images/agnhost:2.21", "args": ["entrypoint-tester", "a"]}
        )
        await stage.pod("picture", {"image": "gcr.io/kubernetes-e2e-test-images/nautilus:1.0"})
        await stage.pod("box", {"image": BUSYBOX, "command": ["sleep", "100000"]})
        ip = (await stage.ready("picture"))["status"]["podIP"]
        await stage.ready("box")
        await clock.sleep(1)
        code, out = await stage.run("box", "wget", "-q", "-O-", f"http://{ip}/data.json")
        assert (code, out) == (0, '{\n  "image": "nautilus.jpg"\n}\n')
        # A file server: of a directory it shows what is in it.
        code, out = await stage.run("box", "wget", "-q", "-O-", f"http://{ip}/")
        assert code == 0 and '<a href="data.json">data.json</a>\n<a href="dev/">dev/</a>\n' in out
        assert (await stage.run("box", "wget", "-q", "-O-", f"http://{ip}/nosuch"))[0] == 1
        assert await stage.log("tester") == "[/agnhost entrypoint-tester a]\n"

    play(scenario)


def test_a_node_port_is_reached_from_the_machine_itself() -> None:
    async def scenario(stage: Stage) -> None:
        await stage.pod("web", {"image": AGNHOST, "args": ["netexec"]})
        ports = [
            {"name": "http", "port": 80, "targetPort": 8080, "nodePort": 30080},
            {"name": "udp", "port": 90, "targetPort": 8081, "nodePort": 30090, "protocol": "UDP"},
        ]
        spec = {"type": "NodePort", "selector": {"app": "web"}, "ports": ports}
        await stage.create(
            "v1/services", {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "web"}, "spec": spec}
        )
        await stage.pod("here", {"image": AGNHOST, "args": ["pause"]}, hostNetwork=True)
        await stage.ready("web")
        host = (await stage.ready("here"))["status"]["hostIP"]
        await clock.sleep(10)
        for address in (host, "127.0.0.1"):
            assert await stage.run("here", "curl", "-s", f"http://{address}:30080/hostname") == (0, "web")
            script = f"echo hostName | nc -w 1 -u {address} 30090"
            assert await stage.run("here", "sh", "-c", script) == (0, "web")

    play(scenario)


def test_a_service_that_is_not_for_the_proxy_is_not_routed() -> None:
    async def scenario(stage: Stage) -> None:
        await stage.pod("web", {"image": AGNHOST, "args": ["netexec"]})
        await stage.pod("box", {"image": BUSYBOX, "command": ["sleep", "100000"]})
        spec = {"selector": {"app": "web"}, "ports": [{"port": 80, "targetPort": 8080}]}
        label = {"service.kubernetes.io/service-proxy-name": "other"}
        metadata = {"name": "web", "labels": label}
        made = await stage.create(
            "v1/services", {"apiVersion": "v1", "kind": "Service", "metadata": metadata, "spec": spec}
        )
        for name in ("web", "box"):
            await stage.ready(name)
        await clock.sleep(10)
        look = ("wget", "-q", "-T", "1", "-O-", f"http://{made['spec']['clusterIP']}/hostname")
        assert (await stage.run("box", *look))[0] == 1
        await stage.admin.patch("v1/services", "web", {"metadata": {"labels": None}}, "default")
        await clock.sleep(10)
        assert await stage.run("box", *look) == (0, "web")

    play(scenario)
