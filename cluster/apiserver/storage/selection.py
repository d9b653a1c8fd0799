"""What a list or a watch selects: namespace, name, labels, fields (apiserver/storage.SelectionPredicate)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from cluster.apimachinery import labels
from cluster.apimachinery.errors import StatusError, bad_request

Obj = dict[str, Any]


class Selection:
    """A predicate over objects, and what can be known of it in advance (a namespace, a single name, a trigger)."""

    __slots__ = ("_fields", "_labels", "fields", "labels", "name", "namespace")

    def __init__(self, namespace: str = "", label_selector: str = "", field_selector: str = "", name: str = "") -> None:
        self.namespace = namespace
        try:
            self.labels = labels.parse(label_selector) if label_selector else labels.EVERYTHING
        except ValueError as error:
            raise StatusError(400, "BadRequest", f"unable to parse label selector: {error}") from error
        try:
            self.fields = labels.parse_fields(field_selector) if field_selector else ()
        except ValueError as error:
            raise bad_request(str(error)) from error
        self.name = name
        for need in self.fields:
            if need.path == "metadata.name" and not need.negated:
                self.name = need.value
            elif need.path == "metadata.namespace" and not need.negated and not namespace:
                self.namespace = need.value
        self._labels = None if self.labels.empty else self.labels
        self._fields = self.fields

    def read_as(self, paths: Mapping[str, str], absent: Mapping[str, str]) -> None:
        """Where the fields that clients name stand in what is stored, and what they count as when they are not there."""
        self._fields = tuple(
            replace(need, path=paths.get(need.path, need.path), absent=absent.get(need.path, ""))
            for need in self.fields
        )

    @property
    def everything(self) -> bool:
        """Nothing beyond the namespace is asked for."""
        return self._labels is None and not self._fields and not self.name

    def field_equals(self, path: str) -> str | None:
        """The value that a field must have, if the selection says so."""
        for need in self.fields:
            if need.path == path and not need.negated:
                return need.value
        return None

    def matches(self, obj: Obj) -> bool:
        """Whether the object is selected (its namespace is not looked at again)."""
        metadata = obj["metadata"]
        if self.name and metadata["name"] != self.name:
            return False
        if self._labels is not None and not self._labels.matches(metadata.get("labels")):
            return False
        return not self._fields or labels.match_fields(obj, self._fields)

    def check_fields(self, supported: Callable[[str], bool], refuse: Callable[[str], StatusError]) -> None:
        """Raise for the first field that the resource cannot be selected by."""
        for need in self.fields:
            if not supported(need.path):
                raise refuse(need.path)
