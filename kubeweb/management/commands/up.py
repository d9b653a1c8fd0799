"""`manage.py up`: the whole cluster in one process, for browsers on HTTP and for kubectl on HTTPS."""

from __future__ import annotations

import asyncio
import gc
import socket
import time
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError


def _address(text: str) -> tuple[str, int]:
    host, _, port = text.rpartition(":")
    if not port.isdigit():
        raise CommandError(f"not an address: {text} (use HOST:PORT)")
    return host.strip("[]") or "127.0.0.1", int(port)


def _refuse_taken(option: str, address: tuple[str, int]) -> None:
    """Say it before anything is made when somebody else listens there, or when the address is not this machine's."""
    try:
        (family, kind, protocol, _, where), *_ = socket.getaddrinfo(*address, type=socket.SOCK_STREAM)
        with socket.socket(family, kind, protocol) as probe:
            # As the server does: what the last run left in TIME_WAIT is not in the way.
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(where)
    except OSError as error:
        shown = f"{address[0]}:{address[1]}"
        raise CommandError(
            f"cannot listen on {shown}: {error.strerror}; choose another address with {option} HOST:PORT"
        ) from error


class Command(BaseCommand):
    """See `--help`."""

    help = "Run the cluster: API server, etcd, controllers, scheduler, kubelets and the page, in one process."
    requires_migrations_checks = False
    # `manage.py check` is for developers; at every start it would load all pages, 18 MB of them, before anybody opens one.
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--http", default="127.0.0.1:8000", help="HOST:PORT for browsers")
        parser.add_argument("--https", default="127.0.0.1:6443", help="HOST:PORT for kubectl")
        parser.add_argument("--data-dir", default="", help="where the cluster keeps its data (default: ./data)")
        parser.add_argument("--nodes", type=int, default=3, help="how many machines register themselves")
        parser.add_argument(
            "--speed",
            type=float,
            help="how fast the cluster's clock runs, 0.1 to 100 (default: as its Clock object says)",
        )
        parser.add_argument(
            "--profile", choices=("realistic", "instant"), default="realistic", help="how long pulls and starts take"
        )
        parser.add_argument(
            "--no-journeys", action="store_true", help="record no journeys (for measuring what they cost)"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        started = time.monotonic()
        # Looking for garbage in what a start loads, again and again, took half the time of a large cluster's start.
        gc.disable()
        if options["nodes"] < 0:
            raise CommandError("--nodes must not be negative")
        if options["speed"] is not None and not 0.1 <= options["speed"] <= 100:
            raise CommandError("--speed must be between 0.1 and 100")
        http, https = _address(options["http"]), _address(options["https"])
        if http == https:
            raise CommandError("--http and --https must not be the same address")
        _refuse_taken("--http", http)
        _refuse_taken("--https", https)
        settings.DATA_DIR.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._migrate()
        server_url = f"https://{'[' + https[0] + ']' if ':' in https[0] else https[0]}:{https[1]}"

        from cluster.accounts import pki
        from cluster.accounts.bootstrap import ensure_admin, ensure_admin_kubeconfig

        password = ensure_admin()
        kubeconfig = ensure_admin_kubeconfig(settings.DATA_DIR, server_url)
        certificates = pki.CertificateAuthority(settings.DATA_DIR / "pki").serving_files([http[0], https[0]])

        self._run(options, http, https, certificates, password, kubeconfig, server_url, started)

    def _migrate(self) -> None:
        """Create or update the tables, when there is something to do."""
        from django.db import connections
        from django.db.migrations.executor import MigrationExecutor

        for alias in ("default", "etcd"):
            executor = MigrationExecutor(connections[alias])
            if executor.migration_plan(executor.loader.graph.leaf_nodes()):
                call_command("migrate", database=alias, verbosity=0, interactive=False)

    def _run(
        self,
        options: dict[str, Any],
        http: tuple[str, int],
        https: tuple[str, int],
        certificates: Any,
        password: str | None,
        kubeconfig: Path | None,
        server_url: str,
        started: float,
    ) -> None:
        import uvloop

        asyncio.set_event_loop_policy(uvloop.EventLoopPolicy())

        from cluster.apiserver.wire import WireAPI
        from cluster.clock import clock
        from kubeweb.asgi import application
        from kubeweb.httpd import ClusterServer, finish_loop, reactor
        from kubeweb.wiring import Cluster, Options

        if options["speed"] is not None:
            clock.set_speed(options["speed"])
        cluster = Cluster(Options(options["nodes"], options["profile"], options["speed"], not options["no_journeys"]))
        server = ClusterServer(
            application,
            endpoints=[f"tcp:port={http[1]}:interface={http[0].replace(':', chr(92) + ':')}"],
            https=(*https, certificates.certificate, certificates.key, certificates.ca),
            server_name="kubeweb",
            verbosity=1,
            request_buffer_size=4 * 1024 * 1024,
            websocket_handshake_timeout=20,
        )
        failed: list[BaseException] = []

        async def start() -> None:
            # What importing left behind; what is loaded from now on stays.
            gc.collect()
            try:
                await cluster.start()
                application.wire = WireAPI(cluster.server)
            except Exception as error:
                failed.append(error)
                reactor.callLater(0, reactor.stop)
                raise
            # What lives now lives long: let the collector look at newcomers only, rarely, and at few at a time (each look is a pause).
            gc.freeze()
            gc.set_threshold(20_000, 10, 1000)
            gc.enable()
            self._welcome(http, server_url, password, kubeconfig, time.monotonic() - started)

        def ready() -> None:
            loop = asyncio.get_event_loop()
            task = loop.create_task(start(), name="start")
            server.starting = task

        server.ready_callable = ready
        reactor.addSystemEventTrigger("before", "shutdown", _stopping(cluster))
        server.run()
        finish_loop(reactor._asyncioEventloop)
        if failed:
            raise CommandError(f"the cluster could not start: {failed[0]}")
        if server.unheard:
            raise CommandError(server.unheard)

    def _welcome(
        self, http: tuple[str, int], server_url: str, password: str | None, kubeconfig: Path | None, seconds: float
    ) -> None:
        lines = [f"KubeWeb is ready after {seconds:.1f} s", f"  page     http://{http[0]}:{http[1]}/"]
        if password:
            lines.append(f"  sign in  admin / {password}   (shown this once, kept nowhere in clear)")
        else:
            lines.append("  sign in  admin, with the password of the first start")
        if kubeconfig is not None:
            lines.append(f"  kubectl  export KUBECONFIG={kubeconfig}")
        lines.append(f"  API      {server_url}")
        self.stdout.write("\n".join(lines))
        self.stdout.flush()


def _stopping(cluster: Any) -> Any:
    """The reactor's shutdown waits for the cluster's."""
    from twisted.internet.defer import Deferred

    def stop() -> Any:
        return Deferred.fromFuture(asyncio.ensure_future(cluster.stop()))

    return stop
