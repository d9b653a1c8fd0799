"""What goes into the revision log and what comes out of it: plain immutable records and the two refusals.

The API server hands in a `Write` and gets back a `Revision`; nothing here knows Django or SQL.
"""

from __future__ import annotations

from dataclasses import dataclass, field

CREATE = "create"
UPDATE = "update"
DELETE = "delete"
VERBS = frozenset((CREATE, UPDATE, DELETE))

Key = tuple[str, str, str]


@dataclass(frozen=True, slots=True)
class Write:
    """One intended change of one key.

    `expected` is the compare-and-swap: 0 = the key must not exist, N = its current revision must be N, None =
    unconditional. A delete carries the object's last state as its value, and its key must exist in any case.
    """

    resource: str
    namespace: str
    name: str
    value: bytes
    verb: str
    expected: int | None
    journey: str = ""


@dataclass(frozen=True, slots=True)
class Revision:
    """One committed change. `previous` is the revision it superseded (0 after nothing), `created` the one that began the
    object's life. The verb is what happened: an unconditional update of an absent key is a create.

    The last three fields say how the commit went, for the journey's span; they are zero on revisions read from disk.
    """

    revision: int
    resource: str
    namespace: str
    name: str
    verb: str
    previous: int
    created: int
    value: bytes
    journey: str = ""
    waited: float = field(default=0.0, compare=False)  # seconds in the queue before its group began
    committed_in: float = field(default=0.0, compare=False)  # seconds from the group's begin to durable on disk
    group: int = field(default=0, compare=False)  # how many writes shared that commit

    @property
    def key(self) -> Key:
        return self.resource, self.namespace, self.name


class Conflict(Exception):
    """The compare-and-swap failed; `current` is the key's revision at that moment, 0 when it does not exist."""

    def __init__(self, current: int) -> None:
        super().__init__(f"the current revision is {current}" if current else "the key does not exist")
        self.current = current


class Compacted(Exception):
    """The revision asked for lies below `compacted`; its history is gone."""

    def __init__(self, compacted: int) -> None:
        super().__init__(f"required revision has been compacted; the oldest readable revision is {compacted}")
        self.compacted = compacted


class CommitFailed(Exception):
    """The whole group's transaction failed (disk full, database gone); nothing of it was published. See `__cause__`."""
