"""Lists with Kubernetes' resourceVersion semantics and continue tokens (apiserver/storage/etcd3, /cacher).

"" and "0" and "not older than N" are answered from the cache, which shows everything that was acknowledged; "exact N" and the
second and later pages are answered as of their revision, so that all pages of a list show one moment: from the cache too while its
stream reaches back so far, from the log otherwise.
"""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass

import orjson

from cluster.apimachinery.errors import StatusError, bad_request
from cluster.apiserver.storage.cache import Entry, Key
from cluster.apiserver.storage.selecting import part
from cluster.apiserver.storage.selection import Selection
from cluster.apiserver.storage.store import Storage, parse
from cluster.etcd.log import Compacted

# How long a read waits for a revision that the cache has not seen yet (real seconds).
PATIENCE = 3.0
# Objects read from the log at once: each time it works out anew which of all its revisions were the newest.
READ_PAGE, READ_ALL = 500, 20_000


@dataclass(slots=True)
class Page:
    """Entries in key order, as of `revision`; `token` continues, `remaining` is None when it is not known."""

    entries: list[Entry]
    revision: int
    token: str = ""
    remaining: int | None = None
    source: str = "cache"


@dataclass(slots=True)
class ListOptions:
    """metav1.ListOptions, as far as reading goes."""

    resource_version: str = ""
    match: str = ""
    limit: int = 0
    token: str = ""


def parse_revision(text: str) -> int:
    """A resourceVersion parameter; 400 when it is no number."""
    if not text:
        return 0
    if not text.isdecimal():
        raise bad_request(f'Invalid value: "{text}": strconv.ParseUint: parsing "{text}": invalid syntax')
    if len(text) > 20 or int(text) >= 2**64:
        raise bad_request(f'Invalid value: "{text}": strconv.ParseUint: parsing "{text}": value out of range')
    return int(text)


def validate(options: ListOptions) -> None:
    """The combinations that Kubernetes refuses (apimachinery/pkg/apis/meta/internalversion/validation)."""
    if options.match and options.match not in ("Exact", "NotOlderThan"):
        raise _invalid(
            f'resourceVersionMatch: Unsupported value: "{options.match}": supported values: "Exact", "NotOlderThan"'
        )
    if options.match and not options.resource_version:
        raise _invalid(
            "resourceVersionMatch: Forbidden: resourceVersionMatch is forbidden unless resourceVersion is provided"
        )
    if options.match and options.token:
        raise _invalid("resourceVersionMatch: Forbidden: resourceVersionMatch is forbidden when continue is provided")
    if options.match == "Exact" and options.resource_version == "0":
        raise _invalid(
            'resourceVersionMatch: Forbidden: resourceVersionMatch "exact" is forbidden for resourceVersion "0"'
        )
    if options.token and options.resource_version not in ("", "0"):
        raise bad_request("specifying resource version is not allowed when using continue")


def _invalid(text: str) -> StatusError:
    return StatusError(
        422, "Invalid", f'ListOptions.meta.k8s.io "" is invalid: {text}', group="meta.k8s.io", kind="ListOptions"
    )


async def wait_until_fresh(storage: Storage, wanted: int) -> None:
    """Let the cache catch up to `wanted`; 504 in Kubernetes' words when it does not."""
    if wanted > storage.revision and not await storage.wait_for(wanted, PATIENCE):
        raise StatusError(
            504,
            "Timeout",
            f"Too large resource version: {wanted}, current: {storage.revision}",
            causes=[{"reason": "ResourceVersionTooLarge", "message": "Too large resource version"}],
            retry_after=1,
        )


async def list_page(storage: Storage, resource: str, selection: Selection, options: ListOptions) -> Page:
    """One page of a list."""
    validate(options)
    if options.token:
        revision, after = _parse_token(options.token)
        # A token of ours that lets go of consistency: go on from the key at the present state.
        revision = storage.revision if revision < 0 else revision
        return await _page(storage, resource, selection, revision, after, options.limit)
    wanted = parse_revision(options.resource_version)
    exact = options.match == "Exact" or (wanted and options.limit and not options.match)
    await wait_until_fresh(storage, wanted)
    revision = wanted if wanted and exact else storage.revision
    return await _page(storage, resource, selection, revision, None, options.limit)


async def _page(
    storage: Storage, resource: str, selection: Selection, revision: int, after: Key | None, limit: int
) -> Page:
    """The state as of a revision: from the cache where it reaches back to it, else from etcd."""
    cache = storage.cache(resource)
    if not cache.stream.floor <= revision <= storage.revision or revision < storage.log.compacted:
        return await _from_log(storage, resource, selection, revision, after, limit)
    found = part(cache, selection, revision, after, limit)
    token = _token(revision, found.entries[-1].key) if found.more else ""
    return Page(found.entries, revision, token, found.remaining if found.more else None)


async def _from_log(
    storage: Storage, resource: str, selection: Selection, revision: int, after: Key | None, limit: int
) -> Page:
    """The state as of an earlier revision, from etcd."""
    entries: list[Entry] = []
    more, chunk_size = False, READ_PAGE if limit else READ_ALL
    try:
        while not more:
            chunk, _ = await storage.log.range(
                resource, selection.namespace or None, at=revision, after_key=after, limit=chunk_size
            )
            for found in chunk:
                entry = Entry((found.namespace, found.name), found.revision, parse(found.value, found.revision))
                if selection.matches(entry.obj):
                    if limit and len(entries) == limit:
                        more = True
                        break
                    entries.append(entry)
            if len(chunk) < chunk_size:
                break
            after = (chunk[-1].namespace, chunk[-1].name)
        last, remaining = entries[-1].key if entries else ("", ""), None
        if more and selection.everything:
            remaining = await storage.log.count(resource, selection.namespace or None, revision, last)
    except Compacted as error:
        raise expired(after) from error
    return Page(entries, revision, _token(revision, last) if more else "", remaining, source="etcd")


def expired(after: Key | None = None) -> StatusError:
    """410: what is asked for has been compacted away. `after`: the key at which pages were to go on."""
    if after is None:
        return StatusError(410, "Expired", "The resourceVersion for the provided list is too old.")
    error = StatusError(
        410,
        "Expired",
        "The provided continue parameter is too old to display a consistent list result. You can start a new list "
        "without the continue parameter, or use the continue token in this response to retrieve the remainder of the "
        "results. Continuing with the provided token results in an inconsistent list - objects that were created, "
        "modified, or deleted between the time the first chunk was returned and now may show up in the list.",
    )
    error.continue_token = _token(-1, after)
    return error


def _token(revision: int, after: Key) -> str:
    start = f"{after[0]}/{after[1]}\0"
    data = orjson.dumps({"v": "meta.k8s.io/v1", "rv": revision, "start": start})
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def _go_words(error: Exception, token: str) -> str:
    """What Go finds wrong: at the base64, at the JSON, or in what it says."""
    if isinstance(error, binascii.Error):
        return f"illegal base64 data at input byte {len(token)}"
    if isinstance(error, orjson.JSONDecodeError):
        return "it holds no JSON object"
    if isinstance(error, KeyError):
        return "encoded start key empty (version meta.k8s.io/v1)"
    return "server does not recognize this encoded version"


def _parse_token(token: str) -> tuple[int, Key]:
    try:
        data = orjson.loads(base64.urlsafe_b64decode(token + "=" * (-len(token) % 4)))
        if data["v"] != "meta.k8s.io/v1":
            raise ValueError("unrecognized version")
        namespace, _, name = str(data["start"]).rstrip("\0").partition("/")
        return int(data["rv"]), (namespace, name)
    except (ValueError, KeyError, TypeError, binascii.Error) as error:
        raise bad_request(f"invalid continue token: continue key is not valid: {_go_words(error, token)}") from error
