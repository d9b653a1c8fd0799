"""[sig-network] By proxy through the API server, and by name through the cluster's DNS."""

from __future__ import annotations

from tests.conformance.services import addresses, service
from tests.support.server import wait_for

PAGE = '<a href="/rewriteme">test</a>'


def test_proxy_returns_valid_responses_for_pod_and_service(ns):
    """Proxy version v1: a set of valid responses are returned for both pod and service Proxy(WithPath)."""
    ns.pod(
        "agnhost",
        "porter",
        container={"env": [{"name": "SERVE_PORT_80", "value": "foo"}, {"name": "SERVE_PORT_1080", "value": PAGE}]},
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
    for place in (
        f"{base}/pods/http:agnhost:1080/proxy",
        f"{base}/services/http:px:p2/proxy",
        f"{base}/services/px:81/proxy",
    ):
        assert ns.request("GET", f"{place}/") == f'<a href="{place}/rewriteme">test</a>'
    assert ns.request("GET", f"{base}/services/px:portname1/proxy/") == "foo"


def test_proxy_with_all_methods(ns):
    ns.pod("echo", "netexec", "--http-port=8080", metadata={"labels": {"app": "e"}})
    ns.ready("echo")
    ns.create("services", "e", {"selector": {"app": "e"}, "ports": [{"port": 80, "targetPort": 8080}]})
    wait_for(lambda: addresses(ns, "e"), "it is reachable")
    for path in ("pods/echo:8080/proxy/echo?msg=hi", "services/e/proxy/echo?msg=hi"):
        for method in ("GET", "POST", "PUT", "DELETE", "PATCH", "OPTIONS"):
            assert ns.request(method, f"/api/v1/namespaces/{ns.name}/{path}") == "hi", method


def test_a_proxied_root_is_redirected_to_where_relative_links_lead_back(ns, cluster):
    ns.pod("proxy-me", "netexec", metadata={"labels": {"app": "e"}})
    ns.ready("proxy-me")
    base = f"/api/v1/namespaces/{ns.name}/pods/proxy-me:8080/proxy"
    assert cluster.request("GET", f"{base}?method=GET")[0] == 301
    assert cluster.request("POST", base)[0] == 200
    # The pod's name begins like the subresource: what is passed on is what comes after.
    assert ns.request("GET", f"{base}/echo?msg=hi") == "hi"


def test_proxy_logs_on_node(ns):
    for name in (ns.list("nodes")[0]["metadata"]["name"], ns.list("nodes")[0]["metadata"]["name"] + ":10250"):
        place = f"/api/v1/nodes/{name}/proxy/logs/"
        assert '<a href="pods/">pods/</a>' in ns.request("GET", place)


def test_hosts_entries_of_a_pod_need_no_service(ns):
    ns.pod("querier", "pause", hostname="dns-querier-2", subdomain="dns-test-service")
    ns.ready("querier")
    full = f"dns-querier-2.dns-test-service.{ns.name}.svc.cluster.local"
    line = ns.exec("querier", "getent", "hosts", full)
    assert line.split()[1:] == [full, "dns-querier-2"]
    assert ns.exec("querier", "getent", "hosts", "dns-querier-2") == line


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
