"""Names, labels and other words with a grammar, and what Kubernetes says when they break it (apimachinery/pkg/util/validation).

Each check returns the complaint, or the empty string. All are pure and remembered: the same names come by the thousand.
"""

from __future__ import annotations

import re
from functools import lru_cache

_LABEL = "[a-z0-9]([-a-z0-9]*[a-z0-9])?"
_SUBDOMAIN = rf"{_LABEL}(\.{_LABEL})*"
_LABEL_1035 = "[a-z]([-a-z0-9]*[a-z0-9])?"
_QUALIFIED = "([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]"
_VALUE = f"({_QUALIFIED})?"
_CONFIG_KEY = "[-._a-zA-Z0-9]+"

_label = re.compile(_LABEL)
_subdomain = re.compile(_SUBDOMAIN)
_label_1035 = re.compile(_LABEL_1035)
_qualified = re.compile(_QUALIFIED)
_value = re.compile(_VALUE)
_config_key = re.compile(_CONFIG_KEY)
_env_name = re.compile(r"[ -<>-~]+")
_port_name = re.compile(r"[a-z0-9-]+")


def _too_long(limit: int) -> str:
    return f"must be no more than {limit} bytes"


@lru_cache(maxsize=16384)
def label(name: str) -> str:
    """RFC 1123 label."""
    if len(name) > 63:
        return _too_long(63)
    if _label.fullmatch(name):
        return ""
    return (
        "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end "
        f"with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is '{_LABEL}')"
    )


@lru_cache(maxsize=16384)
def subdomain(name: str) -> str:
    """RFC 1123 subdomain: the grammar of most names."""
    if len(name) > 253:
        return _too_long(253)
    if _subdomain.fullmatch(name):
        return ""
    return (
        "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start "
        "and end with an alphanumeric character (e.g. 'example.com', regex used for validation is "
        f"'{_SUBDOMAIN}')"
    )


@lru_cache(maxsize=4096)
def label_1035(name: str) -> str:
    """RFC 1035 label: the names of Services."""
    if len(name) > 63:
        return _too_long(63)
    if _label_1035.fullmatch(name):
        return ""
    return (
        "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic "
        "character, and end with an alphanumeric character (e.g. 'my-name',  or 'abc-123', regex used for validation "
        f"is '{_LABEL_1035}')"
    )


@lru_cache(maxsize=4096)
def path_segment(name: str) -> str:
    """What may stand in a path: the names of RBAC objects."""
    if name in (".", ".."):
        return f"may not be '{name}'"
    for bad in ("/", "%"):
        if bad in name:
            return f"may not contain '{bad}'"
    return ""


@lru_cache(maxsize=16384)
def qualified(name: str) -> str:
    """A label or annotation key: `[prefix/]name`."""
    prefix, slash, rest = name.rpartition("/")
    if slash:
        if not prefix:
            return "prefix part must be non-empty"
        complaint = subdomain(prefix)
        if complaint:
            return f"prefix part {complaint}"
    if not rest:
        return "name part must be non-empty"
    if len(rest) > 63:
        return f"name part {_too_long(63)}"
    if _qualified.fullmatch(rest):
        return ""
    return (
        "name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an "
        "alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is "
        f"'{_QUALIFIED}')"
    )


@lru_cache(maxsize=16384)
def label_value(value: str) -> str:
    """A label's value."""
    if len(value) > 63:
        return _too_long(63)
    if _value.fullmatch(value):
        return ""
    return (
        "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start "
        "and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for "
        f"validation is '{_VALUE}')"
    )


@lru_cache(maxsize=4096)
def config_key(name: str) -> str:
    """A key of a ConfigMap or Secret."""
    if len(name) > 253:
        return _too_long(253)
    if not _config_key.fullmatch(name):
        return (
            "a valid config key must consist of alphanumeric characters, '-', '_' or '.' (e.g. 'key.name',  or "
            f"'KEY_NAME',  or 'key-name', regex used for validation is '{_CONFIG_KEY}')"
        )
    if name == ".":
        return "must not be '.'"
    if name == ".." or (name.startswith("..") and not name.startswith("...")):
        return "must not be '..'" if name == ".." else "must not start with '..'"
    return ""


@lru_cache(maxsize=4096)
def env_name(name: str) -> str:
    """The name of an environment variable: printable ASCII without `=`."""
    if _env_name.fullmatch(name):
        return ""
    return "a valid environment variable name must consist only of printable ASCII characters other than '='"


@lru_cache(maxsize=4096)
def port_name(name: str) -> str:
    """IANA_SVC_NAME."""
    if len(name) > 15:
        return "must be no more than 15 characters"
    if not _port_name.fullmatch(name):
        return "must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)"
    if not any(letter.isalpha() for letter in name):
        return "must contain at least one letter (a-z)"
    if "--" in name:
        return "must not contain consecutive hyphens"
    if name.startswith("-") or name.endswith("-"):
        return "must not begin or end with a hyphen"
    return ""


def port_number(port: int) -> str:
    return "" if 1 <= port <= 65535 else "must be between 1 and 65535, inclusive"
