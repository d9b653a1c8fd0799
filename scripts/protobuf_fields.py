"""Writes the field numbers of Kubernetes' protobuf messages, read from the struct tags in a Go client's binary.

    python scripts/protobuf_fields.py .tools/kubectl .tools/helm

The published schemas do not have the numbers; every Go client has them, in the tags that reflection reads
(`json:"replicas,omitempty" protobuf:"varint,1,opt,name=replicas"`). The binaries' struct descriptors (internal/abi) are found and
read; kubectl has the built-in kinds, helm CustomResourceDefinitions too. Run it again when the cluster's version moves.

What comes out, by definition and number: the JSON name; with `?` behind it where Go leaves out a zero (omitempty on what is no
pointer); `<DEFINITION` where the message's fields stand in the outer object (an embedded struct).
"""

from __future__ import annotations

import json
import re
import struct
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from cluster.apiserver.resources.definitions import definitions  # noqa: E402

TARGET = ROOT / "cluster" / "apiserver" / "resources" / "protobuf_fields.json"

_POINTER, _STRUCT = 22, 25
# internal/abi.Type: offsets of TFlag, Kind and Str; what a struct adds (PkgPath, Fields) begins after it.
_TFLAG, _KIND, _STR, _EXTRA = 20, 23, 40, 48
MAX_FIELDS = 500
_UNCOMMON, _EXTRA_STAR, _NAMED = 1, 2, 4


class Field(NamedTuple):
    name: str
    tag: str
    type: int


class Binary:
    """A Go executable for a 64-bit little-endian machine, linked without relocation (ELF)."""

    def __init__(self, data: bytes) -> None:
        if data[:6] != b"\x7fELF\x02\x01":
            sys.exit("not a 64-bit little-endian ELF file")
        self.data = data
        sections = self._sections()
        # Go 1.27 has a section for types; before it they stood with the other constants.
        self.types, self._offset, self._size = sections.get(".go.type") or sections[".rodata"]

    def _sections(self) -> dict[str, tuple[int, int, int]]:
        (table,) = struct.unpack_from("<Q", self.data, 0x28)
        count, names = struct.unpack_from("<HH", self.data, 0x3C)
        rows = [struct.unpack_from("<IIQQQQ", self.data, table + index * 64) for index in range(count)]
        texts = rows[names][4]

        def text(at: int) -> str:
            return self.data[texts + at : self.data.index(b"\0", texts + at)].decode()

        return {text(row[0]): (row[3], row[4], row[5]) for row in rows}

    def at(self, address: int) -> int:
        return address - self.types + self._offset

    def holds(self, address: int) -> bool:
        return self.types <= address < self.types + self._size

    def pointers(self, address: int, count: int) -> tuple[int, ...]:
        return struct.unpack_from(f"<{count}Q", self.data, self.at(address))

    def _text(self, at: int) -> tuple[str, int]:
        length = shift = 0
        while True:
            byte = self.data[at]
            at += 1
            length |= (byte & 127) << shift
            if byte < 128:
                return self.data[at : at + length].decode("utf-8", "replace"), at + length
            shift += 7

    def name(self, address: int) -> tuple[str, str]:
        """A name and its tag (internal/abi.Name)."""
        at = self.at(address)
        text, after = self._text(at + 1)
        return text, self._text(after)[0] if self.data[at] & 2 else ""

    def _offset_name(self, address: int) -> str:
        (offset,) = struct.unpack_from("<i", self.data, self.at(address))
        return self.name(self.types + offset)[0] if offset else ""

    def type_name(self, address: int) -> str:
        text = self._offset_name(address + _STR)
        return text[1:] if self.data[self.at(address) + _TFLAG] & _EXTRA_STAR else text

    def kind(self, address: int) -> int:
        return self.data[self.at(address) + _KIND] & 31

    def package(self, address: int) -> str:
        """The import path of a named struct (internal/abi.UncommonType, behind the struct's own 32 bytes)."""
        flags = self.data[self.at(address) + _TFLAG]
        return self._offset_name(address + _EXTRA + 32) if flags & _UNCOMMON and flags & _NAMED else ""

    def fields(self, address: int) -> list[Field]:
        _, start, count = self.pointers(address + _EXTRA, 3)
        found = []
        for index in range(count):
            name, kind, _ = self.pointers(start + index * 24, 3)
            found.append(Field(*self.name(name), kind))
        return found

    def structs(self) -> Iterator[int]:
        """Where struct descriptors stand: what looks like one, its pointers leading to names and fields."""
        for address in range(self.types, self.types + self._size - _EXTRA - 32, 8):
            if self.kind(address) != _STRUCT:
                continue
            package, fields, count, capacity = self.pointers(address + _EXTRA, 4)
            if (not package or self.holds(package)) and self.holds(fields) and 0 < count == capacity < MAX_FIELDS:
                yield address


def definition(binary: Binary, address: int) -> str:
    """The schema's name of a struct: `io.k8s.api.apps.v1.DeploymentSpec`."""
    domain, _, path = binary.package(address).partition("/")
    name = binary.type_name(address).rpartition(".")[2]
    return ".".join([*reversed(domain.split(".")), *path.split("/"), name])


def message(binary: Binary, address: int) -> dict[int, str]:
    """The fields of a struct by number; empty for what is no protobuf message of Kubernetes."""
    found: dict[int, str] = {}
    for field in binary.fields(address):
        number = re.search(r'protobuf:"[a-z0-9]+,(\d+),', field.tag)
        words = re.search(r'json:"([^"]*)"', field.tag)
        if not number or not words:
            continue
        name, *options = words.group(1).split(",")
        if "inline" in options or not name:
            found[int(number.group(1))] = f"<{definition(binary, field.type)}"
        else:
            kept = "omitempty" not in options or binary.kind(field.type) == _POINTER
            found[int(number.group(1))] = name if kept else f"{name}?"
    return found


def wanted(table: dict[str, dict[int, str]]) -> dict[str, dict[int, str]]:
    """Of all messages those that our schema knows, and what is embedded in them."""
    kept: dict[str, dict[int, str]] = {}
    waiting = [name for name in definitions() if name in table]
    while waiting:
        name = waiting.pop()
        if name not in kept:
            kept[name] = table[name]
            waiting += [field[1:] for field in table[name].values() if field.startswith("<")]
    return kept


def main() -> None:
    """Write the table, sorted, one definition a line."""
    table: dict[str, dict[int, str]] = {}
    for path in sys.argv[1:]:
        binary = Binary(Path(path).read_bytes())
        for address in binary.structs():
            if binary.package(address).startswith("k8s.io/") and (fields := message(binary, address)):
                table[definition(binary, address)] = dict(sorted(fields.items()))
    lines = [
        f"{json.dumps(name)}: {json.dumps(fields, separators=(',', ':'))}"
        for name, fields in sorted(wanted(table).items())
    ]
    TARGET.write_text("{\n" + ",\n".join(lines) + "\n}\n")
    print(f"{len(lines)} messages")


if __name__ == "__main__":
    main()
