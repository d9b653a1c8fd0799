"""agnhost's guestbook: a store, its replicas, and a front end that asks them by their Services' names."""

from __future__ import annotations

import orjson

from cluster import clock
from cluster.kubelet.runtime.cri import HTTPRequest, HTTPResult
from cluster.kubelet.runtime.servers import Self, path_of, query_of, text_answer
from cluster.kubelet.runtime.shell.options import flag, klog

PRIMARY, REPLICA = "agnhost-primary", "agnhost-replica"
PATIENCE = 15.0
# Keys that a store holds, and replicas that it knows.
MOST = 1000


def _said(**fields: object) -> HTTPResult:
    return text_answer(orjson.dumps(fields).decode())


def _port(me: Self) -> str:
    return flag(me.args, "backend-port", "6379")


def _store(me: Self) -> dict[str, str]:
    found: dict[str, str] = me.heard.setdefault("store", {})
    return found


def _replicas(me: Self) -> list[str]:
    found: list[str] = me.heard.setdefault("replicas", [])
    return found


async def register(me: Self) -> int | None:
    """A replica tells its primary of itself, and takes over what that has; the exit code when it does not succeed."""
    primary, ends = flag(me.args, "replicaof"), clock.now() + PATIENCE
    while clock.now() < ends:
        answer = await me.fetch(f"http://{primary}:{_port(me)}/register?host={me.ip}")
        if answer.status == 200:
            _store(me).update(orjson.loads(answer.body).get("data") or {})
            me.log(klog(f"Registered to node: {primary}"))
            return None
        me.log(klog(f"encountered error while registering to primary: {answer.error}. Retrying in 1s."))
        await clock.sleep(1.0)
    me.log(klog("Timed out while registering to primary."))
    return 1


async def answer(me: Self, request: HTTPRequest) -> HTTPResult:
    path, query = path_of(request), query_of(request)
    key, value = query.get("key", ""), query.get("value", "")
    if path == "/register":
        if len(_replicas(me)) < MOST:
            _replicas(me).append(query.get("host", ""))
        return _said(data=_store(me))
    if path == "/get":
        return _said(data=_store(me).get(key, "") if key else _store(me))
    if path == "/set":
        return await _set(me, key, value)
    if path != "/guestbook":
        return text_answer("404 page not found\n", 404)
    command = query.get("cmd", "").lower()
    me.log(klog(f"GET /guestbook?cmd={command}&key={key}&value={value}"))
    if command not in ("get", "set"):
        return text_answer(f"unsupported cmd: '{command}'\n", 400)
    if command == "set" and not key:
        return text_answer("cannot set with empty key.\n", 400)
    host = PRIMARY if command == "set" else REPLICA
    found = await me.fetch(f"http://{host}:{_port(me)}/{command}?key={key}&value={value}")
    return text_answer(found.body) if found.status else text_answer(f"encountered error: {found.error}\n", 417)


async def _set(me: Self, key: str, value: str) -> HTTPResult:
    """Keep it, and tell the replicas."""
    if not key:
        return text_answer("cannot set with empty key.\n", 400)
    if len(_store(me)) < MOST:
        _store(me)[key] = value
    for replica in _replicas(me):
        found = await me.fetch(f"http://{replica}:{_port(me)}/set?key={key}&value={value}")
        if not found.status:
            return text_answer(f"encountered error while propagating to replica '{replica}': {found.error}\n", 417)
    return _said(message="Updated")
