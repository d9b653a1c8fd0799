"""Fresh revision logs for tests: real databases of their own, so that the log's threads and their connections are real.

`database()` is the plain helper (a context manager yielding a Django database alias), `fresh_log` the pytest fixture made
of it. To use the fixture, import it into a conftest:

    from tests.support.log import fresh_log  # noqa: F401

    async def test_something(fresh_log):
        log = await fresh_log()               # empty and open; closed when the test ends
        again = await fresh_log(log.using)    # a second Log on the same database, as another process would have
"""

from __future__ import annotations

import itertools
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, TypeVar

import pytest
from django.db import connections

from cluster.etcd.log import Log
from cluster.etcd.models import Current, Head, Revision

T = TypeVar("T")

_numbers = itertools.count(1)

FreshLog = Callable[..., Awaitable[Log]]


def register(path: Path) -> str:
    """Make a file known to Django as a database configured like `etcd`; returns its alias."""
    alias = f"etcd-{next(_numbers)}"
    settings = {**connections.settings["etcd"]}
    if "sqlite" in settings["ENGINE"]:
        settings["NAME"] = path
    else:
        schema = f"test_{path.parent.name}_{alias}".replace("-", "_").lower()
        settings["OPTIONS"] = {**settings.get("OPTIONS", {}), "options": f"-c search_path={schema}"}
    connections.settings[alias] = settings
    return alias


def create_tables(alias: str) -> None:
    connection = connections[alias]
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT current_setting('search_path')")
            cursor.execute(f'CREATE SCHEMA "{cursor.fetchone()[0]}"')
    with connection.schema_editor() as editor:
        for model in (Revision, Current, Head):
            editor.create_model(model)
    connection.close()


def drop_tables(alias: str) -> None:
    connection = connections[alias]
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT current_setting('search_path')")
            cursor.execute(f'DROP SCHEMA "{cursor.fetchone()[0]}" CASCADE')
    connection.close()


def in_thread(work: Callable[[], T]) -> T:
    """Django refuses to touch a database where an event loop runs, so set-up and inspection go to a thread."""
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(work).result()


@contextmanager
def database(directory: Path) -> Iterator[str]:
    """An empty log database of its own in a directory; yields the alias to give to Log. Works inside an event loop."""
    alias = register(directory / f"etcd-{next(_numbers)}.sqlite3")
    in_thread(lambda: create_tables(alias))
    try:
        yield alias
    finally:
        in_thread(lambda: drop_tables(alias))
        del connections.settings[alias]


@pytest.fixture
async def fresh_log(tmp_path: Path, django_db_blocker: Any) -> AsyncIterator[FreshLog]:
    """A factory of open logs, each on an empty database unless given the alias of an earlier one."""
    opened: list[Log] = []
    with django_db_blocker.unblock(), ExitStack() as databases:

        async def make(using: str | None = None) -> Log:
            log = Log(using or databases.enter_context(database(tmp_path)))
            opened.append(log)
            await log.open()
            return log

        yield make
        for log in opened:
            await log.close()
