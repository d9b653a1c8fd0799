"""The image catalogue: what can be pulled, how big it is, what its process does (stands for the registries of the world).

A table of images that people use. Docker Hub's official library is taken as known: a name in it that is not in the table does not
exist (that is how a misspelt `ngnix` fails). Any other repository answers with a plain server.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Any

from cluster.apimachinery.quantity import milli, value
from cluster.kubelet.runtime.cri import ImageInfo, RuntimeFailure
from cluster.kubelet.runtime.references import InvalidReference, Reference, parse

Obj = dict[str, Any]
MIB = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Image:
    """What the runtime needs to know of an image.

    `kind`: server (runs until signalled), shell (its default command is an interactive shell, which ends at once
    without a terminal), once (prints and exits). `ports`: what it listens on. `warm_up`: seconds until it listens.
    `exit_on_term`: the exit code after SIGTERM (143 where the process does not handle it). `banner`: its first lines.
    `user`: whom the image runs as. `program`: how it answers HTTP (runtime.servers). `cpu` cores and `memory` bytes while nothing happens; `work` seconds of a core
    for one request.
    """

    size: int
    kind: str = "server"
    ports: tuple[int, ...] = ()
    warm_up: float = 0.2
    exit_on_term: int = 0
    banner: tuple[str, ...] = ()
    needs_env: tuple[str, ...] = ()
    has_shell: bool = True
    program: str = ""
    cpu: float = 0.001
    memory: int = 8 * MIB
    work: float = 0.0005
    ignores_term: bool = False
    answers: tuple[tuple[str, str], ...] = ()
    missing_tags: tuple[str, ...] = ()
    user: int = 0
    # What the program is told where the pod says nothing (CMD), and the files that come with the image.
    args: tuple[str, ...] = ()
    files: tuple[tuple[str, str], ...] = ()


_NGINX = (
    "/docker-entrypoint.sh: /docker-entrypoint.d/ is not empty, will attempt to perform configuration",
    "/docker-entrypoint.sh: Configuration complete; ready for start up",
    '[notice] 1#1: using the "epoll" event method',
    "[notice] 1#1: start worker processes",
)


def _picture(name: str) -> Image:
    """The web pages of the update demo: agnhost's file server with a picture."""
    page = f'{{\n  "image": "{name}.jpg"\n}}\n'
    files = (("data.json", page), (f"{name}.jpg", name))
    return Image(52 * MIB, program="agnhost", exit_on_term=2, args=("test-webserver",), files=files)


CATALOGUE: dict[str, Image] = {
    "nginx": Image(69 * MIB, ports=(80,), banner=_NGINX, program="nginx"),
    "httpd": Image(
        58 * MIB,
        ports=(80,),
        banner=("AH00094: Command line: 'httpd -D FOREGROUND'",),
        program="httpd",
        memory=12 * MIB,
    ),
    "caddy": Image(20 * MIB, ports=(80, 443), banner=('{"level":"info","msg":"serving initial configuration"}',)),
    "traefik": Image(50 * MIB, ports=(80, 8080), banner=("Configuration loaded from flags.",)),
    "haproxy": Image(42 * MIB, ports=(80,), exit_on_term=143),
    "redis": Image(46 * MIB, ports=(6379,), banner=("* Ready to accept connections tcp",), program="redis"),
    "valkey/valkey": Image(45 * MIB, ports=(6379,), banner=("* Ready to accept connections tcp",)),
    "memcached": Image(36 * MIB, ports=(11211,)),
    "postgres": Image(
        156 * MIB,
        memory=48 * MIB,
        ports=(5432,),
        warm_up=1.5,
        banner=("LOG:  database system is ready to accept connections",),
        needs_env=("POSTGRES_PASSWORD", "POSTGRES_HOST_AUTH_METHOD"),
    ),
    "mysql": Image(
        160 * MIB,
        memory=380 * MIB,
        ports=(3306,),
        warm_up=4.0,
        banner=("[Server] /usr/sbin/mysqld: ready for connections.",),
        needs_env=("MYSQL_ROOT_PASSWORD", "MYSQL_ALLOW_EMPTY_PASSWORD", "MYSQL_RANDOM_ROOT_PASSWORD"),
    ),
    "mariadb": Image(
        118 * MIB,
        memory=110 * MIB,
        ports=(3306,),
        warm_up=3.0,
        banner=("mariadbd: ready for connections.",),
        needs_env=("MARIADB_ROOT_PASSWORD", "MARIADB_ALLOW_EMPTY_ROOT_PASSWORD", "MARIADB_RANDOM_ROOT_PASSWORD"),
    ),
    "mongo": Image(270 * MIB, memory=160 * MIB, ports=(27017,), warm_up=2.0, banner=("Waiting for connections",)),
    "rabbitmq": Image(
        104 * MIB, memory=120 * MIB, ports=(5672,), warm_up=5.0, banner=("Server startup complete; 4 plugins started.",)
    ),
    "nats": Image(7 * MIB, ports=(4222, 8222), banner=("[INF] Server is ready",), has_shell=False),
    "elasticsearch": Image(620 * MIB, memory=900 * MIB, ports=(9200, 9300), warm_up=8.0, exit_on_term=143),
    "consul": Image(58 * MIB, ports=(8500,)),
    "vault": Image(75 * MIB, ports=(8200,)),
    "registry": Image(10 * MIB, ports=(5000,)),
    "wordpress": Image(226 * MIB, memory=40 * MIB, ports=(80,), warm_up=1.0),
    "ghost": Image(180 * MIB, memory=120 * MIB, ports=(2368,), warm_up=2.0),
    "tomcat": Image(155 * MIB, memory=180 * MIB, ports=(8080,), warm_up=2.0, exit_on_term=143),
    "drupal": Image(170 * MIB, ports=(80,)),
    "nextcloud": Image(380 * MIB, ports=(80,), warm_up=2.0),
    "busybox": Image(2 * MIB, kind="shell"),
    "alpine": Image(4 * MIB, kind="shell"),
    "ubuntu": Image(29 * MIB, kind="shell"),
    "debian": Image(48 * MIB, kind="shell"),
    "fedora": Image(60 * MIB, kind="shell"),
    "bash": Image(6 * MIB, kind="shell"),
    "centos": Image(80 * MIB, kind="shell"),
    "amazonlinux": Image(52 * MIB, kind="shell"),
    "rockylinux": Image(60 * MIB, kind="shell"),
    "python": Image(360 * MIB, kind="shell"),
    "node": Image(390 * MIB, kind="shell"),
    "golang": Image(300 * MIB, kind="shell"),
    "ruby": Image(340 * MIB, kind="shell"),
    "perl": Image(340 * MIB, kind="shell"),
    "php": Image(180 * MIB, kind="shell"),
    "rust": Image(540 * MIB, kind="shell"),
    "openjdk": Image(240 * MIB, kind="shell"),
    "eclipse-temurin": Image(200 * MIB, kind="shell"),
    "docker": Image(120 * MIB, kind="shell"),
    "hello-world": Image(10 * 1024, kind="once", banner=("Hello from Docker!",), has_shell=False),
    "curlimages/curl": Image(9 * MIB, kind="shell"),
    "bitnami/kubectl": Image(60 * MIB, kind="shell"),
    "registry.k8s.io/pause": Image(320 * 1024, has_shell=False, program="pause", memory=256 * 1024, cpu=0.0),
    "registry.k8s.io/hpa-example": Image(120 * MIB, ports=(80,), program="hpa", work=0.0065, memory=14 * MIB),
    "polinux/stress": Image(4 * MIB, kind="shell"),
    "vish/stress": Image(3 * MIB, program="stress"),
    "registry.k8s.io/echoserver": Image(44 * MIB, ports=(8080,), program="echo"),
    "registry.k8s.io/e2e-test-images/agnhost": Image(52 * MIB, program="agnhost", exit_on_term=2, args=("pause",)),
    "registry.k8s.io/e2e-test-images/sample-apiserver": Image(
        60 * MIB, ports=(443,), has_shell=False, program="sample-apiserver", memory=24 * MIB
    ),
    "registry.k8s.io/etcd": Image(100 * MIB, ports=(2379, 2380), has_shell=False, memory=20 * MIB),
    "registry.k8s.io/e2e-test-images/nautilus": _picture("nautilus"),
    "registry.k8s.io/e2e-test-images/kitten": _picture("kitten"),
    "registry.k8s.io/e2e-test-images/echoserver": Image(44 * MIB, ports=(8080,), program="echo"),
    "gcr.io/authenticated-image-pulling/alpine": Image(4 * MIB, kind="shell"),
    "gcr.io/k8s-authenticated-test/agnhost": Image(52 * MIB, program="agnhost", exit_on_term=2, args=("pause",)),
    "registry.k8s.io/e2e-test-images/busybox": Image(2 * MIB, kind="shell"),
    "registry.k8s.io/e2e-test-images/nonroot": Image(3 * MIB, kind="shell", user=1234),
    "registry.k8s.io/e2e-test-images/nonewprivs": Image(3 * MIB, kind="shell", args=("nnp",)),
    "registry.k8s.io/e2e-test-images/jessie-dnsutils": Image(80 * MIB, kind="shell"),
    "registry.k8s.io/e2e-test-images/ipc-utils": Image(3 * MIB, kind="shell"),
    "registry.k8s.io/e2e-test-images/perl": Image(340 * MIB, kind="shell"),
    "registry.k8s.io/e2e-test-images/nginx": Image(52 * MIB, ports=(80,), banner=_NGINX, program="nginx"),
    "registry.k8s.io/e2e-test-images/httpd": Image(40 * MIB, ports=(80,), program="httpd"),
    "gcr.io/google-samples/hello-app": Image(12 * MIB, ports=(8080,), has_shell=False, program="hello-app"),
    "hashicorp/http-echo": Image(5 * MIB, ports=(5678,), has_shell=False, program="http-echo"),
    "traefik/whoami": Image(3 * MIB, ports=(80,), has_shell=False, program="whoami"),
    "stefanprodan/podinfo": Image(30 * MIB, ports=(9898, 9999), program="podinfo"),
    "nginxinc/nginx-unprivileged": Image(69 * MIB, ports=(8080,), banner=_NGINX, program="nginx", user=101),
    "prom/prometheus": Image(110 * MIB, ports=(9090,), has_shell=True),
    "grafana/grafana": Image(130 * MIB, ports=(3000,), warm_up=1.0),
    "kennethreitz/httpbin": Image(180 * MIB, ports=(80,)),
    "mcr.microsoft.com/dotnet/samples": Image(90 * MIB, ports=(8080,)),
}
# Official images that exist, though the table says nothing more of them.
OFFICIAL = frozenset(
    [
        "aerospike",
        "almalinux",
        "api-firewall",
        "archlinux",
        "backdrop",
        "bonita",
        "buildpack-deps",
        "cassandra",
        "chronograf",
        "cirros",
        "clojure",
        "convertigo",
        "couchbase",
        "couchdb",
        "crate",
        "dart",
        "eggdrop",
        "elixir",
        "erlang",
        "flink",
        "fluentd",
        "friendica",
        "gcc",
        "geonetwork",
        "gradle",
        "groovy",
        "haskell",
        "haxe",
        "hitch",
        "hylang",
        "ibmjava",
        "influxdb",
        "irssi",
        "jetty",
        "joomla",
        "jruby",
        "julia",
        "kapacitor",
        "kibana",
        "kong",
        "krakend",
        "lightstreamer",
        "liquibase",
        "logstash",
        "mageia",
        "matomo",
        "maven",
        "mediawiki",
        "mongo-express",
        "monica",
        "neo4j",
        "neurodebian",
        "odoo",
        "open-liberty",
        "oraclelinux",
        "orientdb",
        "percona",
        "photon",
        "phpmyadmin",
        "plone",
        "postfixadmin",
        "pypy",
        "r-base",
        "rakudo-star",
        "redmine",
        "rethinkdb",
        "rocket.chat",
        "sapmachine",
        "satosa",
        "scratch",
        "silverpeas",
        "solr",
        "sonarqube",
        "spark",
        "spiped",
        "storm",
        "swift",
        "swipl",
        "telegraf",
        "tomee",
        "unit",
        "varnish",
        "websphere-liberty",
        "xwiki",
        "yourls",
        "zookeeper",
    ]
)
PLAIN = Image(48 * MIB)
# Where repositories stood before they moved; the old addresses still answer.
FORMERLY = {
    "k8s.gcr.io/": "registry.k8s.io/",
    "gcr.io/kubernetes-e2e-test-images/": "registry.k8s.io/e2e-test-images/",
}


# Repositories that ask who pulls.
PRIVATE = ("gcr.io/authenticated-image-pulling/", "gcr.io/k8s-authenticated-test/")


def _present(name: str) -> str:
    """The address under which the catalogue knows a repository."""
    for old, new in FORMERLY.items():
        if name.startswith(old):
            return new + name.removeprefix(old)
    return name


def _has_tag(reference: Reference, image: Image) -> bool:
    """Tags that announce themselves as missing, or are said to be; everything else exists."""
    tag = reference.tag.lower()
    return reference.tag not in image.missing_tags and not any(
        word in tag for word in ("nonexist", "does-not-exist", "doesnotexist", "not-found", "notfound", "no-such")
    )


def _image_of(spec: Obj) -> Image:
    """A ContainerImage's spec as the runtime needs it."""
    kind = {"Server": "server", "Shell": "shell", "Once": "once"}[spec.get("type") or "Server"]
    return Image(
        value(spec["size"]) if spec.get("size") else 48 * MIB,
        kind,
        tuple(spec.get("ports") or ()),
        float(spec.get("startSeconds", 0.2)),
        int(spec.get("exitCodeOnTerm") or 0),
        tuple(spec.get("log") or ()),
        tuple(spec.get("requiredEnv") or ()),
        cpu=milli(spec["cpu"]) / 1000 if spec.get("cpu") else 0.001,
        memory=value(spec["memory"]) if spec.get("memory") else 8 * MIB,
        work=float(spec.get("cpuSecondsPerRequest") or 0.0005),
        ignores_term=bool(spec.get("ignoresTerm")),
        answers=tuple(sorted((spec.get("answers") or {}).items())),
        missing_tags=tuple(spec.get("missingTags") or ()),
    )


class Catalogue:
    """What can be pulled: the built-in table, and before it what ContainerImage objects say."""

    def __init__(self) -> None:
        # By the familiar name, then by the object's: two objects may speak of one image, the first by name wins.
        self._own: dict[str, dict[str, Image]] = {}
        self._resolved: dict[str, tuple[ImageInfo, Image]] = {}

    def learn(self, obj: Obj) -> None:
        """A ContainerImage that is there. One whose name is no image's says nothing."""
        name = self._name(obj)
        if name:
            self._own.setdefault(name, {})[obj["metadata"]["name"]] = _image_of(obj["spec"])
            self._resolved.clear()

    def forget(self, obj: Obj) -> None:
        """One that is gone."""
        name = self._name(obj)
        if name in self._own:
            self._own[name].pop(obj["metadata"]["name"], None)
            if not self._own[name]:
                del self._own[name]
            self._resolved.clear()

    @staticmethod
    def _name(obj: Obj) -> str:
        try:
            return parse(obj["spec"]["image"]).familiar
        except InvalidReference:
            return ""

    def _lookup(self, reference: Reference) -> Image | None:
        name = reference.familiar
        own = self._own.get(name)
        if own:
            return own[min(own)]
        found = CATALOGUE.get(_present(name))
        if found is not None:
            return found
        if reference.domain == "docker.io" and "/" not in name:
            return PLAIN if name in OFFICIAL else None
        return PLAIN

    def resolve(self, name: str) -> tuple[ImageInfo, Image]:
        """The image behind a name as a registry would answer; RuntimeFailure in containerd's words when there is none."""
        known = self._resolved.get(name)
        if known is None:
            if len(self._resolved) > 4096:
                self._resolved.clear()
            known = self._resolved[name] = self._resolve(name)
        return known

    def check_access(self, name: str, credentials: frozenset[str]) -> None:
        """RuntimeFailure for a private repository without credentials for its registry."""
        reference = parse(name)
        if reference.repository.startswith(PRIVATE) and reference.domain not in credentials:
            shown = str(reference)
            raise RuntimeFailure(
                f'failed to pull and unpack image "{shown}": failed to resolve reference "{shown}": failed to authorize: failed to '
                f"fetch anonymous token: unexpected status from GET request to https://{reference.domain}/v2/token: 403 Forbidden"
            )

    def _resolve(self, name: str) -> tuple[ImageInfo, Image]:
        try:
            reference = parse(name)
        except InvalidReference as error:
            raise RuntimeFailure(f'failed to parse image name "{name}": {error}', "InvalidArgument") from error
        image = self._lookup(reference)
        shown = str(reference)
        if image is None:
            raise RuntimeFailure(
                f'failed to pull and unpack image "{shown}": failed to resolve reference "{shown}": pull access denied, '
                "repository does not exist or may require authorization: server message: insufficient_scope: "
                "authorization failed",
            )
        if not _has_tag(reference, image):
            raise RuntimeFailure(
                f'failed to pull and unpack image "{shown}": failed to resolve reference "{shown}": {shown}: not found',
                "NotFound",
            )
        digest = hashlib.sha256(shown.encode()).hexdigest()
        tagged = f"{reference.repository}:{reference.tag}" if reference.tag else shown
        return ImageInfo(tagged, f"{reference.repository}@{reference.digest or 'sha256:' + digest}", image.size), image
