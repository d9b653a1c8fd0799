"""Reading a hosts file, as the C library does before it asks the DNS."""

from __future__ import annotations


def lines_of(text: str, name: str) -> list[tuple[str, list[str]]]:
    """The lines that know a name or an address: (address, its names), comments left out."""
    lines = [line.partition("#")[0].split() for line in text.splitlines()]
    return [(line[0], line[1:]) for line in lines if name in line]
