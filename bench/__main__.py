"""All figures, as a table and as JSON (bench/results/). Real servers, real HTTPS, one after the other on a quiet machine.

python -m bench            everything but `crowd`, which takes ten minutes and 3 GB
python -m bench start http only these parts
"""

from __future__ import annotations

import json
import os
import platform
import shutil
import sys
import time
from collections.abc import Callable
from pathlib import Path

from bench import audit, authz, browser, crowd, daemons, fanout, http, journeys, scale, start

RESULTS = Path(__file__).parent / "results"
PARTS: dict[str, Callable[[], dict[str, float]]] = {
    "start": start.measure,
    "scale": scale.measure,
    "daemons": daemons.measure,
    "http": http.measure,
    "fanout": fanout.measure,
    "journeys": journeys.measure,
    "authz": authz.measure,
    "audit": audit.measure,
    "browser": browser.measure,
    "crowd": crowd.measure,
}
# Measured only when named.
LONG = {"crowd"}


def main(wanted: list[str]) -> None:
    if unknown := [name for name in wanted if name not in PARTS]:
        raise SystemExit(f"no such part: {', '.join(unknown)} (there are {', '.join(PARTS)})")
    busy = os.getloadavg()[0]
    if busy > 0.5:
        print(f"the machine is busy (load {busy:.1f}): take the times with care", file=sys.stderr)
    figures: dict[str, float] = {}
    for name in wanted or [one for one in PARTS if one not in LONG]:
        print(f"… {name}", file=sys.stderr, flush=True)
        figures.update(PARTS[name]())
    width = max(len(name) for name in figures)
    for name, value in figures.items():
        print(f"{name:<{width}}  {value:>12,.2f}")
    RESULTS.mkdir(exist_ok=True)
    path = RESULTS / f"{time.strftime('%Y%m%d-%H%M%S')}.json"
    machine = {
        "python": platform.python_version(),
        "machine": platform.machine(),
        "cores": os.cpu_count(),
        # What else ran: figures of a busy machine are not those of a quiet one.
        "load before": round(busy, 2),
        "wrk": shutil.which("wrk") is not None,
    }
    path.write_text(json.dumps({"machine": machine, "figures": figures}, indent=1))
    print(f"\n{path}")


if __name__ == "__main__":
    main(sys.argv[1:])
