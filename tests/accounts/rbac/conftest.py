"""The real API server, with its log in memory, on an event loop of its own: what the admin's views ask."""

from __future__ import annotations

import asyncio
import threading
from types import SimpleNamespace

import pytest
from django.contrib.auth.models import Group

from cluster.accounts.models import User
from cluster.accounts.rbac import door
from cluster.apiserver import bootstrap
from cluster.apiserver.authn.people import user_info
from cluster.apiserver.authn.serviceaccounts import ServiceAccountTokens
from cluster.apiserver.authz.chain import AuthorizerChain
from cluster.apiserver.request import UserInfo
from cluster.apiserver.resources.registry import Registry
from cluster.apiserver.server import APIServer
from cluster.apiserver.storage.store import Storage
from tests.simulation.virtual import MemoryLog

RBAC = "rbac.authorization.k8s.io/v1"


class Backend:
    """`run(coroutine)` runs it where the cluster lives; `admin` is a client that may do everything."""

    def __init__(self, directory):
        self.loop = asyncio.new_event_loop()
        self.thread = threading.Thread(target=self.loop.run_forever, daemon=True)
        self.thread.start()
        self.run(self._start(directory))

    async def _start(self, directory):
        storage = Storage(MemoryLog())
        await storage.open()
        tokens = ServiceAccountTokens(directory, storage)
        self.server = APIServer(storage, Registry(), None, AuthorizerChain(storage), tokens, SimpleNamespace())
        await bootstrap.ensure(self.server, directory)
        self.admin = self.server.loopback(UserInfo("root", ("system:masters", "system:authenticated")), "test")
        door.provide(
            door.Door(
                self.client_for,
                self.server.registry.groups,
                self.loop,
                rights=lambda user: self.server.authorizer.index.held_by(user_info(user)),
                is_bound=self.server.authorizer.index.names,
            )
        )

    def client_for(self, user):
        return self.server.loopback(user_info(user), "kubeweb-admin", person=True)

    def run(self, coroutine):
        return asyncio.run_coroutine_threadsafe(coroutine, self.loop).result(30)

    def create(self, resource, obj):
        return self.run(self.admin.create(resource, obj, obj["metadata"].get("namespace", "")))

    def get(self, resource, name, namespace=""):
        return self.run(self.admin.get(resource, name, namespace))

    def names(self, resource, namespace=""):
        return [obj["metadata"]["name"] for obj in self.run(self.admin.list(resource, namespace)).items]

    def role(self, name, namespace, *rules):
        kind = "Role" if namespace else "ClusterRole"
        metadata = {"name": name, **({"namespace": namespace} if namespace else {})}
        obj = {"apiVersion": RBAC, "kind": kind, "metadata": metadata, "rules": list(rules)}
        return self.create(f"{RBAC}/{kind.lower()}s", obj)

    def bind(self, name, namespace, role, subject):
        kind = "RoleBinding" if namespace else "ClusterRoleBinding"
        role_kind, role_name = role.split("/")
        subject_kind, subject_name = subject.split("/")
        group = "rbac.authorization.k8s.io"
        obj = {
            "apiVersion": RBAC,
            "kind": kind,
            "metadata": {"name": name, **({"namespace": namespace} if namespace else {})},
            "roleRef": {"apiGroup": group, "kind": role_kind, "name": role_name},
            "subjects": [{"apiGroup": group, "kind": subject_kind, "name": subject_name}],
        }
        return self.create(f"{RBAC}/{kind.lower()}s", obj)

    def close(self):
        door.provide(None)
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join(10)
        self.loop.close()


@pytest.fixture
def backend(tmp_path, transactional_db, monkeypatch):
    # The one Service would ask for an address that the process may have given away in another test.
    monkeypatch.setattr(bootstrap, "OBJECTS", tuple(one for one in bootstrap.OBJECTS if one["kind"] != "Service"))
    running = Backend(tmp_path)
    running.create("v1/namespaces", {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "shop"}})
    yield running
    running.close()


@pytest.fixture
def root(transactional_db):
    return User.objects.create_superuser("root", password="x")


@pytest.fixture
def alice(transactional_db):
    user = User.objects.create_user("alice", password="opensesame")
    user.groups.add(Group.objects.create(name="devs"))
    return user
