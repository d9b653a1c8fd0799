"""A real cluster for end-to-end tests: `manage.py up` as a process of its own, on free loopback ports, with its own data."""

from __future__ import annotations

import http.client
import json
import os
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import yaml

from tests.support.tables import tables

ROOT = Path(__file__).resolve().parent.parent.parent
TOOLS = ROOT / ".tools"
PASSWORD = "correct-horse-battery"


_given: set[int] = set()


def free_port() -> int:
    """A port that nobody listens on, and that nobody else was given in this run: the kernel may name one twice."""
    while True:
        with socket.socket() as sock:
            sock.bind(("127.0.0.1", 0))
            port = int(sock.getsockname()[1])
        if port not in _given:
            _given.add(port)
            return port


def tool(name: str) -> str:
    """kubectl or helm, as `make test` put it into .tools (or from the PATH)."""
    found = TOOLS / name
    path = str(found) if found.exists() else shutil.which(name)
    assert path, f"{name} is not here: run `make test`, which fetches it"
    return path


class Cluster:
    """A running cluster. `stop()` ends it as a person would, `kill()` as a power cut would; the data stays until `close()`.

    `prepared`: it finds its tables made.
    """

    def __init__(self, *arguments: str, prepared: bool = False, **environment: str) -> None:
        self.arguments = arguments
        self.environment = environment
        self.data = Path(tempfile.mkdtemp(prefix="kubeweb-e2e-"))
        if prepared:
            for database in tables().glob("*.sqlite3"):
                shutil.copy(database, self.data)
        self.http, self.https = free_port(), free_port()
        self.process: subprocess.Popen[bytes] | None = None
        self.output = self.data / "output.txt"

    # -- life ------------------------------------------------------------------------------------------------------

    def start(self) -> Cluster:
        environment = {**os.environ, "KUBEWEB_ADMIN_PASSWORD": PASSWORD, **self.environment}
        environment.pop("KUBEWEB_DATA_DIR", None)
        command = [
            sys.executable,
            str(ROOT / "manage.py"),
            "up",
            f"--http=127.0.0.1:{self.http}",
            f"--https=127.0.0.1:{self.https}",
            f"--data-dir={self.data}",
            *self.arguments,
        ]
        with self.output.open("ab") as output:
            self.process = subprocess.Popen(command, stdout=output, stderr=subprocess.STDOUT, env=environment, cwd=ROOT)
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            assert self.process.poll() is None, self.output.read_text()
            try:
                if self.request("GET", "/readyz")[0] == 200:
                    return self
            except OSError:
                pass
            time.sleep(0.05)
        raise AssertionError(f"not ready in time:\n{self.output.read_text()}")

    def stop(self) -> int:
        assert self.process is not None
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(timeout=30)

    def kill(self) -> None:
        assert self.process is not None
        self.process.kill()
        self.process.wait(timeout=30)

    def close(self) -> None:
        if self.process is not None and self.process.poll() is None:
            self.kill()
        shutil.rmtree(self.data, ignore_errors=True)

    # -- clients ---------------------------------------------------------------------------------------------------

    @property
    def kubeconfig(self) -> Path:
        return self.data / "kubeconfig"

    def kubectl(self, *arguments: str, stdin: str | None = None, check: bool = True, timeout: float = 90) -> str:
        """What kubectl printed (both streams); an exit code other than 0 fails the test unless `check` is off."""
        done = self.run(tool("kubectl"), *arguments, stdin=stdin, timeout=timeout)
        if check:
            assert done.returncode == 0, f"kubectl {' '.join(arguments)}\n{done.stdout}{done.stderr}"
        return done.stdout + done.stderr

    def run(self, *command: str, stdin: str | None = None, timeout: float = 90) -> subprocess.CompletedProcess[str]:
        environment = {**os.environ, "KUBECONFIG": str(self.kubeconfig), "HOME": str(self.data)}
        return subprocess.run(
            command, input=stdin, capture_output=True, text=True, env=environment, timeout=timeout, check=False
        )

    def django(self, code: str) -> str:
        """What a piece of code prints that runs beside the cluster, with its database: people are made and changed so."""
        environment = {**os.environ, "KUBEWEB_DATA_DIR": str(self.data)}
        command = [sys.executable, str(ROOT / "manage.py"), "shell", "--no-imports", "-c", code]
        done = subprocess.run(command, capture_output=True, text=True, env=environment, cwd=ROOT, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    def token(self) -> str:
        config = yaml.safe_load(self.kubeconfig.read_text())
        return str(config["users"][0]["user"]["token"])

    def request(
        self,
        method: str,
        path: str,
        body: Any = None,
        headers: Mapping[str, str] | None = None,
        *,
        anonymous: bool = False,
    ) -> tuple[int, Any]:
        """(status, parsed JSON or text) over HTTPS as the admin."""
        connection = http.client.HTTPSConnection(
            "127.0.0.1", self.https, context=ssl._create_unverified_context(), timeout=60
        )
        data = body if isinstance(body, (bytes, str, type(None))) else json.dumps(body)
        sent = {"Content-Type": "application/json", **(headers or {})}
        if not anonymous and self.kubeconfig.exists():
            sent.setdefault("Authorization", f"Bearer {self.token()}")
        try:
            connection.request(method, path, data, sent)
            response = connection.getresponse()
            text = response.read()
        finally:
            connection.close()
        if "json" in response.headers.get("Content-Type", ""):
            return response.status, json.loads(text)
        return response.status, text.decode()


def wait_for(condition: Callable[[], Any], what: str = "what was waited for", seconds: float = 30) -> Any:
    """Ask until the answer is true; fails when it never is."""
    deadline = time.monotonic() + seconds
    while True:
        found = condition()
        if found:
            return found
        assert time.monotonic() < deadline, f"never: {what}"
        time.sleep(0.05)
