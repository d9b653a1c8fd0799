"""[sig-network] Services: affinity, changes of type, status, host ports, ranges of addresses."""

from __future__ import annotations

import ipaddress
from collections import Counter

import pytest

from tests.conformance.api import Refused
from tests.conformance.services import addresses, asked, backends, client, service
from tests.support.server import wait_for


def test_session_affinity_and_its_switching_off(ns):
    made = service(ns, "aff", sessionAffinity="ClientIP")
    names = backends(ns, "aff", 3)
    client(ns)
    ip = made["spec"]["clusterIP"]
    assert len(asked(ns, f"http://{ip}:80", 15)) == 1
    ns.patch("services", "aff", {"spec": {"sessionAffinity": "None", "sessionAffinityConfig": None}})
    wait_for(lambda: len(asked(ns, f"http://{ip}:80", 20)) > 1, "others answer, too")
    answers = asked(ns, f"http://{ip}:80", 30)
    assert answers.total() == 30 and set(answers) <= set(names)


def test_session_affinity_timeout_and_node_port(ns):
    config = {"clientIP": {"timeoutSeconds": 5}}
    made = service(ns, "affn", "NodePort", sessionAffinity="ClientIP", sessionAffinityConfig=config)
    backends(ns, "affn", 3)
    client(ns)
    node = next(
        one["address"] for one in ns.get("nodes", "node-1")["status"]["addresses"] if one["type"] == "InternalIP"
    )
    url = f"http://{node}:{made['spec']['ports'][0]['nodePort']}"
    assert len(asked(ns, url, 15)) == 1
    seen = Counter()

    def moved():
        seen.update(asked(ns, f"http://{made['spec']['clusterIP']}", 1))
        if len(seen) == 1:
            ns.exec("client", "sleep", "6")
        return len(seen) > 1

    wait_for(moved, "after the timeout another may answer", 60)


def no_longer_external(ns, kind):
    ns.create("services", "s", {"type": "ExternalName", "externalName": "foo.example.com"})
    ports, selector = [{"port": 80, "targetPort": 9376}], {"app": "s"}
    spec = {"type": kind, "externalName": None, "ports": ports, "selector": selector}
    return ns.patch("services", "s", {"spec": spec})


def test_type_from_external_name_to_cluster_ip(ns):
    changed = no_longer_external(ns, "ClusterIP")
    assert changed["spec"]["clusterIP"] and changed["spec"]["clusterIP"] != "None"
    backends(ns, "s")
    client(ns)
    assert asked(ns, "http://s", 1)


def test_type_from_external_name_to_node_port_and_back(ns):
    changed = no_longer_external(ns, "NodePort")
    assert changed["spec"]["ports"][0]["nodePort"]
    body = ns.get("services", "s")
    body["spec"] = {
        "type": "ExternalName",
        "externalName": "kubernetes.default.svc.cluster.local",
        "selector": {"app": "s"},
        "ports": [{"port": 80}],
    }
    changed = ns.put("services", "s", body)
    assert not changed["spec"].get("clusterIP") and "nodePort" not in changed["spec"]["ports"][0]


def test_type_from_cluster_ip_to_external_name(ns):
    service(ns, "s")
    body = ns.get("services", "s")
    body["spec"].update({"type": "ExternalName", "externalName": "foo.example.com"})
    for field in ("clusterIP", "clusterIPs", "ipFamilies", "ipFamilyPolicy", "internalTrafficPolicy"):
        body["spec"].pop(field, None)
    changed = ns.put("services", "s", body)
    assert changed["spec"]["externalName"] == "foo.example.com" and "clusterIP" not in changed["spec"]


def test_service_status_lifecycle(ns):
    service(ns, "s", "LoadBalancer")
    status = {"loadBalancer": {"ingress": [{"ip": "203.0.113.1"}]}}
    ns.patch("services", "s/status", {"metadata": {"annotations": {"patchedstatus": "true"}}, "status": status})
    found = ns.get("services", "s/status")
    assert found["metadata"]["annotations"]["patchedstatus"] == "true"
    condition = {
        "type": "StatusUpdate",
        "status": "True",
        "reason": "E2E",
        "message": "Set from e2e test",
        "lastTransitionTime": "2024-01-01T00:00:00Z",
    }

    def updated():
        obj = ns.get("services", "s")
        obj["status"]["conditions"] = [condition]
        try:
            return ns.put("services", "s/status", obj)
        except Refused as refused:
            assert refused.code == 409
            return None

    assert wait_for(updated, "the status is updated")["status"]["conditions"] == [condition]
    ns.delete("services", query="?labelSelector=")
    # What a load balancer has is given back first.
    wait_for(lambda: not ns.list("services"), "the services are gone")


def test_multiport_endpoints_and_same_port_with_different_protocols(ns):
    ports = [
        {"name": "portname1", "port": 80, "targetPort": 100, "protocol": "TCP"},
        {"name": "portname2", "port": 81, "targetPort": 101, "protocol": "TCP"},
        {"name": "udp", "port": 80, "targetPort": 100, "protocol": "UDP"},
    ]
    ns.create("services", "multi", {"selector": {"app": "multi"}, "ports": ports})
    ns.pod("one", "netexec", "--http-port=100", "--udp-port=100", metadata={"labels": {"app": "multi"}})
    ns.pod("two", "netexec", "--http-port=101", metadata={"labels": {"app": "multi"}})
    ns.ready("one", "two")
    wait_for(lambda: len(addresses(ns, "multi")) == 2, "both are there")
    slices = ns.list("endpointslices", "kubernetes.io/service-name=multi")
    shown = {(port["name"], port["protocol"], port["port"]) for one in slices for port in one["ports"]}
    assert shown == {("portname1", "TCP", 100), ("portname2", "TCP", 101), ("udp", "UDP", 100)}
    endpoints = ns.get("endpoints", "multi")
    assert len(endpoints["subsets"][0]["addresses"]) == 2


def test_host_port_validates_no_conflict_between_pods_with_same_host_port_but_different_ip_and_protocol(ns):
    def holder(name, ip, protocol):
        port = {"containerPort": 8080, "hostPort": 54323, "protocol": protocol, "hostIP": ip}
        return ns.pod(
            name, "netexec", "--http-port=8080", "--udp-port=8080", container={"ports": [port]}, nodeName="node-2"
        )

    holder("pod1", "127.0.0.1", "TCP")
    node = next(
        one["address"] for one in ns.get("nodes", "node-2")["status"]["addresses"] if one["type"] == "InternalIP"
    )
    holder("pod2", node, "TCP")
    holder("pod3", node, "UDP")
    ns.ready("pod1", "pod2", "pod3")
    ns.pod("e2e-host-exec", "pause", hostNetwork=True, nodeName="node-2")
    ns.ready("e2e-host-exec")
    for ip, expected in (("127.0.0.1", "pod1"), (node, "pod2")):
        command = f"curl -g --connect-timeout 5 --interface {node} http://{ip}:54323/hostname"
        assert (
            ns.exec("e2e-host-exec", "/bin/sh", "-c", command.replace(f"--interface {node} ", ""))
            .strip()
            .splitlines()[-1]
            == expected
        )
    udp = ns.exec("e2e-host-exec", "/bin/sh", "-c", f"echo hostname | nc -u -w 5 {node} 54323")
    assert "pod3" in udp


def test_service_cidr_and_ip_address(ns):
    found = ns.get("servicecidrs", "kubernetes")
    assert next(one for one in found["status"]["conditions"] if one["type"] == "Ready")["status"] == "True"
    ns.create("servicecidrs", "more", {"cidrs": ["10.196.196.0/24"]})
    wait_for(lambda: ns.condition("servicecidrs", "more", "Ready")["status"] == "True", "it is ready")
    made = ns.create("services", "fixed", {"clusterIP": "10.196.196.77", "ports": [{"port": 80}]})
    assert made["spec"]["clusterIP"] == "10.196.196.77"
    address = ns.get("ipaddresses", "10.196.196.77")
    assert address["spec"]["parentRef"] == {"group": "", "resource": "services", "namespace": ns.name, "name": "fixed"}
    ns.delete("servicecidrs", "more")
    wait_for(lambda: ns.condition("servicecidrs", "more", "Ready")["status"] == "False", "it waits for its addresses")
    ns.delete("services", "fixed")
    wait_for(lambda: ns.find("servicecidrs", "more") is None, "and goes with the last")


def test_a_range_that_is_full_is_passed_over_and_each_address_is_given_once(ns):
    """Its addresses are chosen one by one, until it has none left; each has an IPAddress that names its Service."""
    tiny = ipaddress.ip_network("10.197.0.0/29")
    ns.create("servicecidrs", "tiny", {"cidrs": [str(tiny)]})
    wait_for(lambda: ns.condition("servicecidrs", "tiny", "Ready")["status"] == "True", "it is ready")
    chosen = {f"chosen-{at}": str(ip) for at, ip in enumerate(tiny.hosts())}
    for name, ip in chosen.items():
        assert service(ns, name, clusterIP=ip)["spec"]["clusterIP"] == ip
    with pytest.raises(Refused, match="provided IP is already allocated"):
        service(ns, "late", clusterIP=chosen["chosen-0"])
    given = {name: service(ns, name)["spec"]["clusterIP"] for name in (f"given-{at}" for at in range(10))}
    assert len(set(given.values())) == len(given)
    assert not any(ipaddress.ip_address(ip) in tiny for ip in given.values())
    for name, ip in {**chosen, **given}.items():
        assert ns.get("ipaddresses", ip)["spec"]["parentRef"]["name"] == name
    ns.delete("servicecidrs", "tiny")
    for name in chosen:
        assert ns.get("servicecidrs", "tiny")["metadata"]["deletionTimestamp"], "it stays while it is used"
        ns.delete("services", name)
    wait_for(lambda: ns.find("servicecidrs", "tiny") is None, "the range goes with its last address")
    assert all(ns.find("ipaddresses", ip) is None for ip in chosen.values())


def test_secure_master_service_and_finding_a_service_in_all_namespaces(ns):
    found = ns.request("GET", "/api/v1/namespaces/default/services/kubernetes")
    assert [(one["name"], one["port"]) for one in found["spec"]["ports"]] == [("https", 443)]
    service(ns, "findme")
    assert any(one["metadata"]["name"] == "findme" for one in ns.request("GET", "/api/v1/services")["items"])
