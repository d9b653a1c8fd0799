"""Kubernetes' named formats: `format.dns1123Label().validate(self.name)`."""

from __future__ import annotations

import re
from collections.abc import Callable

from cluster.apimachinery.cel.functions import define, opaque
from cluster.apimachinery.cel.values import NONE, Optional

_LABEL = "[a-z0-9]([-a-z0-9]*[a-z0-9])?"
_QUALIFIED = "([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]"


def _grammar(pattern: str, limit: int, told: str) -> Callable[[str], str]:
    compiled = re.compile(pattern)

    def check(text: str) -> str:
        if len(text) > limit:
            return f"must be no more than {limit} bytes"
        return "" if compiled.fullmatch(text) else told

    return check


_subdomain = _grammar(
    rf"{_LABEL}(\.{_LABEL})*",
    253,
    "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.'",
)
_name = _grammar(
    _QUALIFIED,
    63,
    "name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character",
)


def _qualified(text: str) -> str:
    prefix, slash, rest = text.rpartition("/")
    return (_subdomain(prefix) if slash else "") or _name(rest)


CHECKS: dict[str, Callable[[str], str]] = {
    "dns1123Label": _grammar(_LABEL, 63, "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-'"),
    "dns1123Subdomain": _subdomain,
    "dns1035Label": _grammar("[a-z]([-a-z0-9]*[a-z0-9])?", 63, "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character"),
    "dns1123LabelPrefix": _grammar("[a-z0-9]([-a-z0-9]*)?", 63, "a lowercase RFC 1123 label prefix must consist of lower case alphanumeric characters or '-'"),
    "dns1123SubdomainPrefix": _grammar(r"[a-z0-9][-a-z0-9.]*", 253, "a lowercase RFC 1123 subdomain prefix must consist of lower case alphanumeric characters, '-' or '.'"),
    "dns1035LabelPrefix": _grammar("[a-z]([-a-z0-9]*)?", 63, "a DNS-1035 label prefix must consist of lower case alphanumeric characters or '-'"),
    "qualifiedName": _qualified,
    "labelValue": _grammar(f"({_QUALIFIED})?", 63, "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.'"),
}  # fmt: skip


@opaque("kubernetes.NamedFormat")
class NamedFormat:
    __slots__ = ("check", "name")

    def __init__(self, name: str, check: Callable[[str], str]) -> None:
        self.name = name
        self.check = check


def _register() -> None:
    for name, check in CHECKS.items():
        made = NamedFormat(name, check)
        define(f"format.{name}(): kubernetes.NamedFormat")(lambda made=made: made)


_register()


@define("kubernetes.NamedFormat.validate(string): optional<list<string>>", cost=lambda a, b: b / 10)
def _validate(one: NamedFormat, text: str) -> Optional:
    told = one.check(text)
    return Optional([told]) if told else NONE


@define("format.named(string): optional<kubernetes.NamedFormat>")
def _named(name: str) -> Optional:
    return Optional(NamedFormat(name, CHECKS[name])) if name in CHECKS else NONE
