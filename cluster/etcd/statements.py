"""The writer's SQL, by hand: the ORM's bulk operations cost half the throughput. SQLite and PostgreSQL both take it.

Its table and column names are those of models.py. Called by commit.py alone.
"""

from __future__ import annotations

LOCK_HEAD = {
    # BEGIN IMMEDIATE has locked the whole database already.
    "sqlite": "SELECT last, compacted FROM etcd_head WHERE id = 1",
    "postgresql": "SELECT last, compacted FROM etcd_head WHERE id = 1 FOR UPDATE",
}
MOVE_HEAD = "UPDATE etcd_head SET last = %s WHERE id = 1"

APPEND = (
    "INSERT INTO etcd_revision (id, resource, namespace, name, verb, previous, created, journey, value)"
    " VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s)"
)
POINT = (
    "INSERT INTO etcd_current (resource, namespace, name, revision_id, created) VALUES (%s, %s, %s, %s, %s)"
    " ON CONFLICT (resource, namespace, name)"
    " DO UPDATE SET revision_id = excluded.revision_id, created = excluded.created"
)
FORGET = "DELETE FROM etcd_current WHERE resource = %s AND namespace = %s AND name = %s"


def state(keys: int) -> str:
    """Where so many keys stand: one look-up in the primary key each.

    `(…) IN (VALUES …)` would read better, but SQLite answers it by scanning the whole table; and a plain JOIN leaves the
    order to its planner, which CROSS JOIN does not.
    """
    wanted = ", ".join(["(%s, %s, %s)"] * keys)
    return (
        f"WITH wanted (r, ns, n) AS (VALUES {wanted})"  # noqa: S608 (placeholders only)
        " SELECT resource, namespace, name, revision_id, created FROM wanted CROSS JOIN etcd_current"
        " WHERE resource = r AND namespace = ns AND name = n"
    )
