"""The examples: YAML files whose leading comments are their title and description."""

from __future__ import annotations

from functools import cache
from pathlib import Path


@cache
def load_examples(folder: Path) -> list[dict[str, str]]:
    """All examples in order of their file names: name, title (first comment line), watch (the line "Watch: …"), description (the rest), yaml."""
    found = []
    for path in sorted(folder.glob("*.yaml")):
        text = path.read_text()
        comments = []
        for line in text.splitlines():
            if not line.startswith("#"):
                break
            comments.append(line.lstrip("# ").strip())
        watch = [line.removeprefix("Watch:").strip() for line in comments if line.startswith("Watch:")]
        told = [line for line in comments[1:] if not line.startswith("Watch:")]
        body = text.split("\n", len(comments))[-1] if comments else text
        found.append(
            {
                "name": path.stem.split("-", 1)[-1],
                "title": comments[0] if comments else path.stem,
                "description": " ".join(told),
                "watch": " ".join(watch),
                "yaml": body.lstrip("\n"),
            }
        )
    return found
