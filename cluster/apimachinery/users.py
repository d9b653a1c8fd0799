"""Who asks, as objects tell it (authentication.k8s.io/v1 UserInfo): in reviews, in the audit log, in certificate requests."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol


class Person(Protocol):
    """A user (authentication/user.Info)."""

    @property
    def name(self) -> str: ...
    @property
    def groups(self) -> tuple[str, ...]: ...
    @property
    def uid(self) -> str: ...
    @property
    def extra(self) -> Mapping[str, tuple[str, ...]]: ...


def user_info(user: Person) -> dict[str, Any]:
    """The user's UserInfo, without what is empty; the lists are new."""
    told: dict[str, Any] = {"username": user.name}
    if user.uid:
        told["uid"] = user.uid
    if user.groups:
        told["groups"] = list(user.groups)
    if user.extra:
        told["extra"] = {key: list(values) for key, values in user.extra.items()}
    return told
