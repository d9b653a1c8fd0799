"""[sig-network]: what Kubernetes' conformance tests ask of Services, EndpointSlices, DNS and the proxy."""

from __future__ import annotations

import json
from collections import Counter

import pytest

from tests.conformance.api import Refused, dumps
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


def test_session_affinity_and_its_switching_off(ns):
    made = service(ns, "aff", sessionAffinity="ClientIP")
    names = backends(ns, "aff", 3)
    client(ns)
    ip = made["spec"]["clusterIP"]
    assert len(asked(ns, f"http://{ip}:80", 15)) == 1
    ns.patch("services", "aff", {"spec": {"sessionAffinity": "None", "sessionAffinityConfig": None}})
    wait_for(lambda: len(asked(ns, f"http://{ip}:80", 20)) > 1, "others answer, too")
    assert set(asked(ns, f"http://{ip}:80", 30)) <= set(names)


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


def test_type_from_external_name_to_cluster_ip(ns):
    ns.create("services", "s", {"type": "ExternalName", "externalName": "foo.example.com"})
    changed = ns.patch(
        "services",
        "s",
        {
            "spec": {
                "type": "ClusterIP",
                "externalName": None,
                "ports": [{"port": 80, "targetPort": 9376}],
                "selector": {"app": "s"},
            }
        },
    )
    assert changed["spec"]["clusterIP"] and changed["spec"]["clusterIP"] != "None"
    backends(ns, "s")
    client(ns)
    assert asked(ns, "http://s", 1)


def test_type_from_external_name_to_node_port_and_back(ns):
    ns.create("services", "s", {"type": "ExternalName", "externalName": "foo.example.com"})
    changed = ns.patch(
        "services",
        "s",
        {
            "spec": {
                "type": "NodePort",
                "externalName": None,
                "ports": [{"port": 80, "targetPort": 9376}],
                "selector": {"app": "s"},
            }
        },
    )
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


def test_endpoint_slices_of_pods_that_match_a_service(ns):
    """EndpointSlice should create Endpoints and EndpointSlices for Pods matching a Service (named target ports)."""
    container = {"ports": [{"containerPort": 3000, "name": "example-name"}]}
    ns.create(
        "services",
        "named",
        {
            "selector": {"app": "n"},
            "publishNotReadyAddresses": True,
            "ports": [
                {"port": 80, "name": "example", "targetPort": "example-name"},
                {"port": 81, "name": "other", "targetPort": 3000},
            ],
        },
    )
    ns.pod("n1", "pause", container=container, metadata={"labels": {"app": "n"}})
    ns.pod(
        "n2",
        "pause",
        container={"ports": [{"containerPort": 3001, "name": "example-name"}]},
        metadata={"labels": {"app": "n"}},
    )
    ns.ready("n1", "n2")

    def found():
        slices = ns.list("endpointslices", "kubernetes.io/service-name=named")
        return (
            {(port["name"], port["port"]) for one in slices for port in one["ports"] or ()}
            if len(slices) == 2
            else None
        )

    assert wait_for(found, "a slice for each port that differs") == {
        ("example", 3000),
        ("example", 3001),
        ("other", 3000),
    }
    assert (
        len(
            wait_for(
                lambda: (
                    len(ns.get("endpoints", "named").get("subsets") or ()) >= 2
                    and ns.get("endpoints", "named")["subsets"]
                ),
                "two subsets",
            )
        )
        >= 2
    )
    ns.delete("services", "named")
    wait_for(
        lambda: (
            ns.find("endpoints", "named") is None and not ns.list("endpointslices", "kubernetes.io/service-name=named")
        ),
        "all goes with the service",
    )


def test_endpoint_slice_points_to_the_api_server(ns):
    slices = ns.request(
        "GET",
        "/apis/discovery.k8s.io/v1/namespaces/default/endpointslices?labelSelector=kubernetes.io/service-name=kubernetes",
    )["items"]
    endpoints = ns.request("GET", "/api/v1/namespaces/default/endpoints/kubernetes")
    assert slices and slices[0]["endpoints"][0]["addresses"] == [endpoints["subsets"][0]["addresses"][0]["ip"]]


def test_endpoint_slices_mirror_hand_written_endpoints(ns):
    ns.create("services", "m", {"ports": [{"name": "example", "port": 80}]})
    ns.create(
        "endpoints", "m", subsets=[{"ports": [{"port": 80, "name": "example"}], "addresses": [{"ip": "10.1.2.3"}]}]
    )

    def mirrored():
        return [
            (end["addresses"], one["metadata"]["labels"]["endpointslice.kubernetes.io/managed-by"])
            for one in ns.list("endpointslices", "kubernetes.io/service-name=m")
            for end in one.get("endpoints") or ()
        ]

    by = "endpointslicemirroring-controller.k8s.io"
    assert wait_for(mirrored, "mirrored") == [(["10.1.2.3"], by)]
    ns.patch(
        "endpoints", "m", {"subsets": [{"ports": [{"port": 80, "name": "example"}], "addresses": [{"ip": "10.2.3.4"}]}]}
    )
    wait_for(lambda: mirrored() == [(["10.2.3.4"], by)], "updated")
    ns.delete("endpoints", "m")
    wait_for(lambda: not mirrored(), "gone")


@pytest.mark.parametrize("resource", ["endpointslices", "ingresses", "endpoints"])
def test_api_operations(ns, resource):
    """CRUD, patch, list over all namespaces, watch, delete collection."""
    bodies = {
        "endpointslices": {"addressType": "IPv4", "endpoints": [{"addresses": ["10.0.0.1"]}], "ports": []},
        "endpoints": {
            "subsets": [
                {"addresses": [{"ip": "10.0.0.24"}], "ports": [{"name": "http", "port": 80, "protocol": "TCP"}]}
            ]
        },
        "ingresses": {"spec": {"defaultBackend": {"service": {"name": "d", "port": {"number": 80}}}}},
    }
    for name in ("a", "b", "c"):
        ns.create(resource, name, metadata={"labels": {"special": "yes"}}, **json.loads(dumps(bodies[resource])))
    assert len(ns.list(resource, "special=yes")) == 3
    assert (
        ns.patch(resource, "a", {"metadata": {"annotations": {"patched": "true"}}})["metadata"]["annotations"][
            "patched"
        ]
        == "true"
    )
    body = ns.get(resource, "b")
    body["metadata"]["annotations"] = {"updated": "true"}
    assert ns.put(resource, "b", body)["metadata"]["annotations"]["updated"] == "true"
    if resource == "ingresses":
        status = {"status": {"loadBalancer": {"ingress": [{"ip": "169.1.1.1"}]}}}
        assert ns.patch(resource, "a/status", status)["status"] == status["status"]
    ns.delete(resource, "a")
    ns.delete(resource, query="?labelSelector=special%3Dyes")
    assert not ns.list(resource, "special=yes")


def test_proxy_returns_valid_responses_for_pod_and_service(ns):
    """Proxy version v1: a set of valid responses are returned for both pod and service Proxy(WithPath)."""
    ns.pod(
        "agnhost",
        "porter",
        container={"env": [{"name": "SERVE_PORT_80", "value": "foo"}, {"name": "SERVE_PORT_1080", "value": "test"}]},
        metadata={"labels": {"app": "px"}},
    )
    ns.ready("agnhost")
    ns.create(
        "services",
        "px",
        {
            "selector": {"app": "px"},
            "ports": [
                {"name": "portname1", "port": 80, "targetPort": 80},
                {"name": "p2", "port": 81, "targetPort": 1080},
            ],
        },
    )
    wait_for(lambda: addresses(ns, "px"), "it is reachable")
    base = f"/api/v1/namespaces/{ns.name}"
    assert ns.request("GET", f"{base}/pods/agnhost:80/proxy/") == "foo"
    assert ns.request("GET", f"{base}/pods/http:agnhost:1080/proxy/") == "test"
    assert ns.request("GET", f"{base}/services/px:portname1/proxy/") == "foo"
    assert ns.request("GET", f"{base}/services/http:px:p2/proxy/") == "test"
    assert ns.request("GET", f"{base}/services/px:81/proxy/") == "test"


def test_proxy_with_all_methods(ns):
    ns.pod("echo", "netexec", "--http-port=8080", metadata={"labels": {"app": "e"}})
    ns.ready("echo")
    ns.create("services", "e", {"selector": {"app": "e"}, "ports": [{"port": 80, "targetPort": 8080}]})
    wait_for(lambda: addresses(ns, "e"), "it is reachable")
    for path in ("pods/echo:8080/proxy/echo?msg=hi", "services/e/proxy/echo?msg=hi"):
        for method in ("GET", "POST", "PUT", "DELETE", "PATCH", "OPTIONS"):
            assert ns.request(method, f"/api/v1/namespaces/{ns.name}/{path}") == "hi", method


def test_dns_for_services_pods_hostname_and_subdomain(ns):
    ns.create(
        "services", "headless", {"clusterIP": "None", "selector": {"app": "h"}, "ports": [{"name": "http", "port": 80}]}
    )
    normal = service(ns, "normal")
    ns.pod("querier", "pause", hostname="dns-querier", subdomain="headless", metadata={"labels": {"app": "h"}})
    ns.ready("querier")
    wait_for(lambda: addresses(ns, "headless"), "it is behind the headless service")
    ip = ns.get("pods", "querier")["status"]["podIP"]
    domain = f"{ns.name}.svc.cluster.local"

    def dig(name, kind="A"):
        return ns.exec("querier", "dig", "+notcp", "+noall", "+answer", "+search", name, kind)

    assert normal["spec"]["clusterIP"] in dig(f"normal.{domain}")
    assert normal["spec"]["clusterIP"] in dig("normal")
    assert ip in dig(f"headless.{domain}")
    assert f"_http._tcp.headless.{domain}" in dig(f"_http._tcp.headless.{domain}", "SRV")
    assert ip in dig(f"dns-querier.headless.{domain}")
    assert ip in dig(f"{ip.replace('.', '-')}.{ns.name}.pod.cluster.local")
    assert ns.exec("querier", "hostname", "-f").strip() == f"dns-querier.headless.{domain}"
    assert f"dns-querier.headless.{domain}" in ns.exec("querier", "cat", "/etc/hosts")
    hosts = ns.exec("querier", "getent", "hosts", f"dns-querier.headless.{domain}")
    assert ip in hosts
    ns.create("services", "ext", {"type": "ExternalName", "externalName": "foo.example.com"})
    wait_for(lambda: "foo.example.com." in dig(f"ext.{domain}", "CNAME"), "the external name")
    ns.patch("services", "ext", {"spec": {"externalName": "bar.example.com"}})
    wait_for(lambda: "bar.example.com." in dig(f"ext.{domain}", "CNAME"), "the changed name")


def test_dns_nameservers_of_a_pod(ns):
    ns.pod(
        "configured",
        "pause",
        dnsPolicy="None",
        dnsConfig={
            "nameservers": ["1.1.1.1"],
            "searches": ["resolv.conf.local"],
            "options": [{"name": "ndots", "value": "2"}],
        },
    )
    ns.ready("configured")
    text = ns.exec("configured", "cat", "/etc/resolv.conf")
    assert "nameserver 1.1.1.1" in text and "search resolv.conf.local" in text and "options ndots:2" in text
    assert ns.exec("configured", "/agnhost", "dns-server-list").strip() == "1.1.1.1"
    assert ns.exec("configured", "/agnhost", "dns-suffix").strip() == "resolv.conf.local"


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


def test_services_are_spread_over_added_ranges(ns):
    """Automatic allocation takes from any range that is ready."""
    ns.create("servicecidrs", "tiny", {"cidrs": ["10.197.0.0/28"]})
    wait_for(lambda: ns.condition("servicecidrs", "tiny", "Ready")["status"] == "True", "it is ready")
    got = set()
    for at in range(40):
        got.add(service(ns, f"auto-{at}")["spec"]["clusterIP"].rpartition(".")[0])
    assert got
    ns.delete("services", query="?labelSelector=")
    ns.delete("servicecidrs", "tiny")


def test_secure_master_service_and_finding_a_service_in_all_namespaces(ns):
    found = ns.request("GET", "/api/v1/namespaces/default/services/kubernetes")
    assert [(one["name"], one["port"]) for one in found["spec"]["ports"]] == [("https", 443)]
    service(ns, "findme")
    assert any(one["metadata"]["name"] == "findme" for one in ns.request("GET", "/api/v1/services")["items"])
