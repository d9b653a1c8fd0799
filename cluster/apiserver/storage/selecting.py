"""What the cache answers a list with: the entries that a selection matches, now or as of a revision that its stream reaches back to.

Candidates come from the narrowest index there is: a single name, the selector with a stream of its own (a node's pods), a namespace.
An earlier state is the present one with the stream's changes since then undone (cacher's snapshots).
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass

from cluster.apiserver.storage.cache import Entry, Key, ResourceCache
from cluster.apiserver.storage.selection import Selection
from cluster.apiserver.storage.store import Storage


@dataclass(slots=True)
class Part:
    """Entries in key order, whether there are more, and how many where that is known without looking at them."""

    entries: list[Entry]
    more: bool
    remaining: int | None = None


def select(storage: Storage, resource: str, selection: Selection) -> list[Entry]:
    """The current entries that a selection matches, in key order."""
    return part(storage.cache(resource), selection, storage.revision).entries


def part(cache: ResourceCache, selection: Selection, revision: int, after: Key | None = None, limit: int = 0) -> Part:
    """Up to `limit` (0: all) entries behind the key `after`, as of `revision`, which must not be below the stream's floor."""
    undone = _undone(cache, revision)
    keys = _candidates(cache, selection, undone)
    start = bisect_right(keys, after) if after is not None else 0
    if selection.everything:
        end = start + limit if limit else len(keys)
        found = [_at(cache, undone, key) for key in keys[start:end]]
        return Part(found, end < len(keys), max(len(keys) - end, 0))
    entries: list[Entry] = []
    for entry in _matching(cache, selection, undone, keys, start):
        if limit and len(entries) == limit:
            return Part(entries, True)
        entries.append(entry)
    return Part(entries, False)


def _matching(
    cache: ResourceCache, selection: Selection, undone: dict[Key, Entry | None], keys: list[Key], start: int
) -> Iterator[Entry]:
    matches = selection.matches
    for key in keys[start:] if start else keys:
        entry = _at(cache, undone, key)
        if matches(entry.obj):
            yield entry


def _undone(cache: ResourceCache, revision: int) -> dict[Key, Entry | None]:
    """What stood where something has changed since, by key; None: nothing did."""
    stream = cache.stream
    found: dict[Key, Entry | None] = {}
    for change in stream.changes[stream.position_after(revision) - stream.offset :]:
        found.setdefault(change.entry.key, change.previous)
    return found


def _at(cache: ResourceCache, undone: dict[Key, Entry | None], key: Key) -> Entry:
    if key in undone:
        entry = undone[key]
        assert entry is not None, "a candidate was there"
        return entry
    return cache.entries[key]


def _candidates(cache: ResourceCache, selection: Selection, undone: dict[Key, Entry | None]) -> list[Key]:
    """Keys of all that may match, in order."""
    keys = _present(cache, selection)
    came = {key for key, entry in undone.items() if entry is None}
    known = cache.entries
    # Its place in an index may be new as well, so whatever changed is looked at.
    changed = [key for key in undone if key not in came and (not selection.namespace or key[0] == selection.namespace)]
    if not came and all(key in known for key in changed) and selection.field_equals(cache.trigger) is None:
        return keys
    return sorted({key for key in keys if key not in came}.union(changed))


def _present(cache: ResourceCache, selection: Selection) -> list[Key]:
    namespace, name = selection.namespace, selection.name
    if name and (namespace or ("", name) in cache.entries):
        return [(namespace, name)] if (namespace, name) in cache.entries else []
    value = selection.field_equals(cache.trigger) if cache.trigger else None
    if value is not None:
        return sorted(key for key in cache.of_trigger(value) if not namespace or key[0] == namespace)
    if namespace:
        return [(namespace, name) for name in sorted(cache.of_namespace(namespace))]
    return cache.ordered()
