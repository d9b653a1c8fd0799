"""The formats of strings that kube-openapi knows (strfmt); others are not checked. Names without dashes."""

from __future__ import annotations

import base64
import binascii
import ipaddress
import re
from collections.abc import Callable
from datetime import date, datetime
from urllib.parse import urlsplit

_UUID = re.compile(r"(?i)^[0-9a-f]{8}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{12}$")
_MAC = re.compile(r"(?i)^(?:[0-9a-f]{2}([:-]))(?:[0-9a-f]{2}\1){4}(?:[0-9a-f]{2}\1)*[0-9a-f]{2}$")
_DURATION = re.compile(
    r"^[+-]?(?:(?:\d+\.?\d*|\.\d+)(?:ns|us|µs|ms|s|m|h|d|w|\s*(?:day|hour|minute|second|week)s?))+$|^0$"
)
_EMAIL = re.compile(r"^[^@\s]+@[^@\s]+$")
_HOST = re.compile(
    r"^(?=.{1,255}$)[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9])?(?:\.[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9])?)*\.?$"
)
_TIME = re.compile(r"^\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(?:\.\d+)?(?:[Zz]|[+-]\d\d:\d\d)$")
_HEX = re.compile(r"^#?(?:[0-9a-fA-F]{3}|[0-9a-fA-F]{6})$")


def _without_error(parse: Callable[[str], object]) -> Callable[[str], bool]:
    def fits(text: str) -> bool:
        try:
            parse(text)
        except (ValueError, binascii.Error):
            return False
        return True

    return fits


def _moment(text: str) -> bool:
    if not _TIME.match(text):
        return False
    try:
        datetime.fromisoformat(text[:19].upper())
    except ValueError:
        return False
    return True


def _uri(text: str) -> bool:
    try:
        return bool(urlsplit(text).scheme) or text.startswith("/")
    except ValueError:
        return False


FORMATS: dict[str, Callable[[str], bool]] = {
    "datetime": _moment,
    "date": _without_error(date.fromisoformat),
    "duration": lambda text: bool(_DURATION.match(text)),
    "ipv4": _without_error(ipaddress.IPv4Address),
    "ipv6": _without_error(ipaddress.IPv6Address),
    "cidr": lambda text: "/" in text and _without_error(lambda one: ipaddress.ip_network(one, strict=False))(text),
    "mac": lambda text: bool(_MAC.match(text)),
    "uuid": lambda text: bool(_UUID.match(text)),
    "byte": _without_error(lambda text: base64.b64decode(text, validate=True)),
    "uri": _uri,
    "email": lambda text: bool(_EMAIL.match(text)),
    "hostname": lambda text: bool(_HOST.match(text)),
    "hexcolor": lambda text: bool(_HEX.match(text)),
}
