"""URLs, IP addresses, CIDR ranges."""

from __future__ import annotations

import ipaddress
from typing import Any
from urllib.parse import parse_qs, quote, urlsplit

from cluster.apimachinery.cel.errors import EvaluationError
from cluster.apimachinery.cel.functions import define, opaque

URL_TYPE, IP_TYPE, CIDR_TYPE = "kubernetes.URL", "net.IP", "net.CIDR"


@opaque(URL_TYPE)
class URL:
    __slots__ = ("parts", "text")

    def __init__(self, text: str) -> None:
        try:
            self.parts = urlsplit(text)
            valid = bool(self.parts.scheme) or text.startswith("/")
            valid = valid and not any(one <= " " or one == "\x7f" for one in text)
            assert self.parts.port is None or self.parts.port >= 0
        except ValueError:
            valid = False
        if not valid:
            raise EvaluationError(
                f'URL parse error during conversion from string: parse "{text}": invalid URI for request'
            )
        self.text = text

    def __eq__(self, other: object) -> bool:
        return isinstance(other, URL) and self.text == other.text

    def __hash__(self) -> int:
        return hash(self.text)

    @property
    def cel_text(self) -> str:
        return self.text


def _works(make: Any) -> Any:
    def run(text: str) -> bool:
        try:
            make(text)
        except EvaluationError:
            return False
        return True

    return run


def _host(url: URL) -> str:
    return url.parts.netloc.rpartition("@")[2]


define(f"url(string): {URL_TYPE}", cost=lambda a: a / 10)(URL)
define("isURL(string): bool", cost=lambda a: a / 10)(_works(URL))
define(f"{URL_TYPE}.getScheme(): string", grows=lambda a: 100)(lambda url: url.parts.scheme)
define(f"{URL_TYPE}.getHost(): string", grows=lambda a: 300)(_host)
define(f"{URL_TYPE}.getHostname(): string", grows=lambda a: 300)(
    lambda url: _host(url).partition("]")[0].strip("[") if _host(url).startswith("[") else _host(url).partition(":")[0]
)
define(f"{URL_TYPE}.getPort(): string", grows=lambda a: 5)(
    lambda url: "" if url.parts.port is None else str(url.parts.port)
)
define(f"{URL_TYPE}.getEscapedPath(): string", grows=lambda a: 2000)(
    lambda url: quote(url.parts.path, safe="/%:@!$&'()*+,;=~")
)
define(f"{URL_TYPE}.getQuery(): map<string, list<string>>", grows=lambda a: 100)(
    lambda url: parse_qs(url.parts.query, keep_blank_values=True, max_num_fields=1000)
)


@opaque(IP_TYPE)
class IP:
    __slots__ = ("address",)

    def __init__(self, text: str) -> None:
        try:
            if "%" in text:
                raise ValueError(text)
            self.address = ipaddress.ip_address(text)
        except ValueError as error:
            raise EvaluationError(
                f'IP Address "{text}" parse error during conversion from string: unable to parse IP'
            ) from error
        if isinstance(self.address, ipaddress.IPv6Address) and self.address.ipv4_mapped:
            raise EvaluationError(f'IPv4-mapped IPv6 address "{text}" is not allowed')

    def __eq__(self, other: object) -> bool:
        return isinstance(other, IP) and self.address == other.address

    def __hash__(self) -> int:
        return hash(self.address)

    @property
    def cel_text(self) -> str:
        return str(self.address)


define(f"ip(string): {IP_TYPE}")(IP)
define("isIP(string): bool")(_works(IP))
define("ip.isCanonical(string): bool")(lambda text: str(IP(text).address) == text)
define(f"{IP_TYPE}.family(): int", f"family({IP_TYPE}): int")(lambda one: one.address.version)
define(f"{IP_TYPE}.isUnspecified(): bool")(lambda one: one.address.is_unspecified)
define(f"{IP_TYPE}.isLoopback(): bool")(lambda one: one.address.is_loopback)
define(f"{IP_TYPE}.isLinkLocalUnicast(): bool")(lambda one: one.address.is_link_local)


def _link_local_multicast(one: IP) -> bool:
    ranges = {4: "224.0.0.0/24", 6: "ff02::/16"}
    return one.address in ipaddress.ip_network(ranges[one.address.version])


def _global_unicast(one: IP) -> bool:
    address = one.address
    special = address.is_unspecified or address.is_loopback or address.is_multicast or address.is_link_local
    return not special and str(address) != "255.255.255.255"


define(f"{IP_TYPE}.isLinkLocalMulticast(): bool")(_link_local_multicast)
define(f"{IP_TYPE}.isGlobalUnicast(): bool")(_global_unicast)
define(f"string({IP_TYPE}): string", f"string({URL_TYPE}): string", f"string({CIDR_TYPE}): string", grows=lambda a: 50)(
    lambda one: one.cel_text
)


@opaque(CIDR_TYPE)
class CIDR:
    __slots__ = ("interface",)

    def __init__(self, text: str) -> None:
        try:
            if "/" not in text or "%" in text or not text.rpartition("/")[2].isdigit():
                raise ValueError(text)
            self.interface = ipaddress.ip_interface(text)
        except ValueError as error:
            raise EvaluationError(
                f'network address parse error during conversion from string: netip.ParsePrefix("{text}")'
            ) from error

    def __eq__(self, other: object) -> bool:
        return isinstance(other, CIDR) and self.interface == other.interface

    def __hash__(self) -> int:
        return hash(self.interface)

    @property
    def cel_text(self) -> str:
        return str(self.interface)


def _contains_ip(one: CIDR, other: IP) -> bool:
    return other.address in one.interface.network


def _contains_cidr(one: CIDR, other: CIDR) -> bool:
    mine, theirs = one.interface.network, other.interface.network
    return mine.version == theirs.version and theirs.subnet_of(mine)  # type: ignore[arg-type]


define(f"cidr(string): {CIDR_TYPE}")(CIDR)
define("isCIDR(string): bool")(_works(CIDR))
define(f"{CIDR_TYPE}.containsIP({IP_TYPE}): bool")(_contains_ip)
define(f"{CIDR_TYPE}.containsIP(string): bool")(lambda one, text: _contains_ip(one, IP(text)))
define(f"{CIDR_TYPE}.containsCIDR({CIDR_TYPE}): bool")(_contains_cidr)
define(f"{CIDR_TYPE}.containsCIDR(string): bool")(lambda one, text: _contains_cidr(one, CIDR(text)))
define(f"{CIDR_TYPE}.ip(): {IP_TYPE}")(lambda one: IP(str(one.interface.ip)))
define(f"{CIDR_TYPE}.masked(): {CIDR_TYPE}")(lambda one: CIDR(str(one.interface.network)))
define(f"{CIDR_TYPE}.prefixLength(): int")(lambda one: one.interface.network.prefixlen)
