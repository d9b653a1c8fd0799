"""The databases of a cluster that has never run: tables, no rows. Making them is a fifth of a first start, so they are made once."""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
import time
from functools import cache
from pathlib import Path

import django

ROOT = Path(__file__).resolve().parent.parent.parent


# Seconds after which a folder that no run has used (other migrations, an ended run's leavings) is removed.
FORGOTTEN = 86_400


@cache
def tables() -> Path:
    """The folder with the database files, which stays for later runs as long as the migrations are what they are."""
    state = hashlib.sha256(django.__version__.encode())
    for path in sorted(ROOT.glob("cluster/*/migrations/*.py")):
        state.update(path.read_bytes())
    ours = Path(tempfile.gettempdir()) / f"kubeweb-tables-{os.getuid()}"
    ours.mkdir(exist_ok=True)
    made = ours / state.hexdigest()[:16]
    if not made.exists():
        with tempfile.TemporaryDirectory(prefix="new-", dir=ours, ignore_cleanup_errors=True) as folder:
            fresh = Path(folder) / "tables"
            fresh.mkdir()
            for database in ("default", "etcd"):
                command = [
                    sys.executable,
                    str(ROOT / "manage.py"),
                    "migrate",
                    f"--database={database}",
                    "--verbosity=0",
                ]
                subprocess.run(command, check=True, env={**os.environ, "KUBEWEB_DATA_DIR": str(fresh)}, cwd=ROOT)
            # Another run may have been faster: then its folder is the one.
            with contextlib.suppress(OSError):
                fresh.rename(made)
    os.utime(made)
    for one in ours.iterdir():
        with contextlib.suppress(FileNotFoundError):
            if time.time() - one.stat().st_mtime > FORGOTTEN:
                shutil.rmtree(one, ignore_errors=True)
    return made
