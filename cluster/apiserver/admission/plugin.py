"""The shape of an admission plugin, and how it refuses (apiserver/pkg/admission)."""

from __future__ import annotations

from typing import ClassVar

from cluster.apimachinery import errors
from cluster.apiserver.request import Attributes


class Plugin:
    """`admit` may change `attributes.obj` in place and says what it did; `validate` may only refuse.

    A plugin overrides one or both; `resources` (storage keys, None for all), `operations` and `subresources` say when it is asked.
    """

    name: ClassVar[str]
    resources: ClassVar[frozenset[str] | None] = None
    operations: ClassVar[frozenset[str]] = frozenset({"CREATE"})
    subresources: ClassVar[frozenset[str]] = frozenset({""})

    def admit(self, attributes: Attributes) -> str | None:
        """Change the object in place; what was done, for the journey, or None."""
        raise NotImplementedError

    def validate(self, attributes: Attributes) -> None:
        """Raise to refuse."""
        raise NotImplementedError


def refuse(attributes: Attributes, text: str) -> errors.StatusError:
    """403 Forbidden, as admission.NewForbidden words it."""
    resource = attributes.resource
    name = attributes.name or "Unknown"
    return errors.forbidden(resource.plural, resource.group, name, text)
