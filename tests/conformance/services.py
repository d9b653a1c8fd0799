"""What the checks of Services share: pods that say who they are, and one that asks them."""

from __future__ import annotations

from collections import Counter

from tests.support.server import wait_for


def service(ns, name, kind="ClusterIP", **more):
    spec = {
        "selector": {"app": name},
        "ports": [{"name": "http", "port": 80, "targetPort": 9376}],
        "type": kind,
        **more,
    }
    return ns.create("services", name, spec)


def backends(ns, app, count=2):
    names = [f"{app}-{at}" for at in range(count)]
    for name in names:
        ns.pod(name, "serve-hostname", "--http=true", "--port=9376", metadata={"labels": {"app": app}})
    ns.ready(*names)
    wait_for(lambda: len(addresses(ns, app)) == count, "all are behind the service")
    return names


def addresses(ns, name):
    slices = ns.list("endpointslices", f"kubernetes.io/service-name={name}")
    return {
        ip
        for one in slices
        for end in one.get("endpoints") or ()
        if end["conditions"]["ready"]
        for ip in end["addresses"]
    }


def client(ns):
    ns.pod("client", "pause", metadata={"labels": {"role": "client"}})
    ns.ready("client")
    return "client"


def asked(ns, url, times=1):
    """Who answered, of so many requests from the pod `client`."""
    script = f"for i in $(seq 1 {times}); do curl -q -s --connect-timeout 2 {url}; echo; done"
    return Counter(ns.exec("client", "/bin/sh", "-c", script, check=False).split())
