"""The cluster's DNS as processes in pods ask it, by the rows of the DNS specification that Kubernetes' own tests ask for."""

from __future__ import annotations

from typing import Any

from cluster import clock
from tests.support.stage import AGNHOST, BUSYBOX, Stage, play

Obj = dict[str, Any]


def service(name: str, **spec: Any) -> Obj:
    return {"apiVersion": "v1", "kind": "Service", "metadata": {"name": name}, "spec": spec}


def test_records() -> None:
    async def scenario(stage: Stage) -> None:
        ports = [
            {"name": "http", "port": 80, "targetPort": 8080},
            {"name": "dns", "port": 53, "protocol": "UDP", "targetPort": 8081},
        ]
        plain = await stage.create("v1/services", service("plain", selector={"app": "web"}, ports=ports))
        await stage.create("v1/services", service("bare", clusterIP="None", selector={"app": "web"}, ports=ports[:1]))
        await stage.create(
            "v1/services", service("alias", type="ExternalName", externalName="plain.default.svc.cluster.local")
        )
        await stage.create("v1/services", service("away", type="ExternalName", externalName="example.com"))
        await stage.pod(
            "web", {"image": AGNHOST, "args": ["netexec"]}, hostname="one", subdomain="bare", labels={"app": "web"}
        )
        await stage.pod("box", {"image": BUSYBOX, "command": ["sleep", "100000"]})
        ip = (await stage.ready("web"))["status"]["podIP"]
        await stage.ready("box")
        await clock.sleep(5)
        virtual, zone = plain["spec"]["clusterIP"], "default.svc.cluster.local."
        dashed, back = ip.replace(".", "-"), ".".join(reversed(virtual.split(".")))
        rows = [
            ("dig +short +search plain", f"{virtual}\n"),
            ("dig +short plain", ""),
            ("dig +notcp +noall +answer +search plain.default A", f"plain.{zone}\t30\tIN\tA\t{virtual}\n"),
            ("dig +noall +answer none.default.svc.cluster.local A", ""),
            (f"dig +short bare.{zone}", f"{ip}\n"),
            (f"dig +short one.bare.{zone}", f"{ip}\n"),
            (f"dig +short {dashed}.bare.{zone}", f"{ip}\n"),
            (f"dig +short {dashed}.default.pod.cluster.local", f"{ip}\n"),
            (f"dig +short _http._tcp.plain.{zone} SRV", f"0 100 80 plain.{zone}\n"),
            (f"dig +short _dns._udp.plain.{zone} SRV", f"0 100 53 plain.{zone}\n"),
            (f"dig +short _http._tcp.bare.{zone} SRV", f"0 100 8080 one.bare.{zone}\n"),
            (f"dig +short away.{zone} CNAME", "example.com.\n"),
            (f"dig +short alias.{zone}", f"plain.{zone}\n{virtual}\n"),
            (f"dig +short {back}.in-addr.arpa. PTR", f"plain.{zone}\n"),
            (f"dig +short -x {ip}", f"one.bare.{zone}\n"),
            ("getent hosts one.bare", f"{ip:<15} one.bare.{zone[:-1]}\n"),
            (
                "nslookup plain",
                f"Server:\t\t10.96.0.10\nAddress:\t10.96.0.10:53\n\nName:\tplain.{zone[:-1]}\nAddress: {virtual}\n\n",
            ),
            ("wget -q -O- http://plain/hostname", "one"),
            ("wget -q -O- http://one.bare:8080/hostname", "one"),
            ("sh -c 'echo hostname | nc -w 1 -u plain 53'", "one"),
            (
                f"curl -g -q -s 'http://{ip}:8080/dial?request=hostname&protocol=udp&host={virtual}&port=53&tries=1'",
                '{"responses":["one"]}',
            ),
        ]
        for command, said in rows:
            code, out = await stage.run("box", "sh", "-c", command)
            assert (code, out) == (0, said), command
        code, out = await stage.run("box", "nslookup", "none")
        assert (code, out.splitlines()[-1] if out.splitlines()[-1] else out.splitlines()[-2]) == (
            1,
            "** server can't find none: NXDOMAIN",
        )

    play(scenario)
