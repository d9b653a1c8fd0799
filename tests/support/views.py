"""The views of the page, as its registry names them: who walks all of them cannot forget a new one."""

from __future__ import annotations

import re

from tests.support.server import ROOT

REGISTRY = (ROOT / "frontend/src/views/registry.ts").read_text()
VIEWS = re.findall(r"^    id: '(\w+)',$", REGISTRY, re.MULTILINE)


def address(view: str, deployment: str) -> str:
    """Where a view is; `object`, which is reached by links only, shows this Deployment of the namespace `default`."""
    return f"/explore/object/apps~v1/deployments/default/{deployment}" if view == "object" else f"/explore/{view}"
