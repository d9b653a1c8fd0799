"""resource.Quantity: `100m`, `1.5`, `64Mi`, `2e3` (k8s.io/apimachinery/pkg/api/resource)."""

from __future__ import annotations

import re
from decimal import ROUND_CEILING, Decimal
from functools import lru_cache

BINARY = {"Ki": 2**10, "Mi": 2**20, "Gi": 2**30, "Ti": 2**40, "Pi": 2**50, "Ei": 2**60}
DECIMAL = {
    "n": Decimal("1e-9"),
    "u": Decimal("1e-6"),
    "m": Decimal("1e-3"),
    "": Decimal(1),
    "k": Decimal("1e3"),
    "M": Decimal("1e6"),
    "G": Decimal("1e9"),
    "T": Decimal("1e12"),
    "P": Decimal("1e15"),
    "E": Decimal("1e18"),
}
_PATTERN = re.compile(r"^([+-]?(?:\d+\.?\d*|\.\d+))(Ki|Mi|Gi|Ti|Pi|Ei|[numkMGTPE]|[eE][+-]?\d+)?$")
ERROR = "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'"


@lru_cache(maxsize=8192)
def parse(text: str | int | float) -> Decimal:
    """The exact number; ValueError with Kubernetes' words when it is none."""
    match = _PATTERN.match(str(text))
    if not match:
        raise ValueError(ERROR)
    number, suffix = match.group(1), match.group(2) or ""
    try:
        value = Decimal(number)
        if suffix in BINARY:
            return value * BINARY[suffix]
        if suffix in DECIMAL:
            return value * DECIMAL[suffix]
        return value * Decimal(10) ** int(suffix[1:])
    except ArithmeticError as error:
        raise ValueError(ERROR) from error


@lru_cache(maxsize=8192)
def milli(text: str | int | float) -> int:
    """Thousandths, rounded up: how the scheduler and the kubelet count CPU."""
    return int((parse(text) * 1000).to_integral_value(ROUND_CEILING))


@lru_cache(maxsize=8192)
def value(text: str | int | float) -> int:
    """Whole units, rounded up: how they count memory, storage and pods."""
    return int(parse(text).to_integral_value(ROUND_CEILING))


def format_binary(amount: int) -> str:
    """The canonical memory quantity of so many bytes: 67108864 → `64Mi`."""
    for suffix in ("Ei", "Pi", "Ti", "Gi", "Mi", "Ki"):
        if amount and amount % BINARY[suffix] == 0:
            return f"{amount // BINARY[suffix]}{suffix}"
    return str(amount)


def of_resource(name: str, amount: Decimal) -> str:
    """A sum as a quantity in the form that people give amounts of this resource: bytes in Ki, Mi …, all else in decimals."""
    if ("memory" in name or "storage" in name or "hugepages" in name) and amount == amount.to_integral_value():
        whole = int(amount)
        if whole and whole % 1024 == 0:
            return format_binary(whole)
    return canonical(format(amount.normalize(), "f"))


@lru_cache(maxsize=8192)
def canonical(text: str | int | float) -> str:
    """The form in which the API server returns a quantity: `0.5` → `500m`, `1024Mi` → `1Gi`, `1000m` → `1`."""
    source = str(text)
    number = parse(source)
    match = _PATTERN.match(source)
    suffix = (match.group(2) or "") if match else ""
    if suffix in BINARY and (number == number.to_integral_value()) and abs(number) >= 1024:
        return format_binary(int(number))
    if suffix[:1] in ("e", "E") and suffix != "E":
        exponent = 0
        number_int = number
        while number_int and number_int == (number_int / 1000).to_integral_value() * 1000:
            number_int /= 1000
            exponent += 3
        if number_int == number_int.to_integral_value():
            return f"{int(number_int)}e{exponent}" if exponent else str(int(number_int))
    if number == 0:
        return "0"
    for name in ("E", "P", "T", "G", "M", "k", "", "m", "u", "n"):
        scaled = number / DECIMAL[name]
        if scaled == scaled.to_integral_value():
            return f"{int(scaled)}{name}"
    return f"{int((number / DECIMAL['n']).to_integral_value(ROUND_CEILING))}n"
