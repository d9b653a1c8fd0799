"""Which database a model lives in: the revision log in `etcd`, everything else in `default`."""

from typing import Any


class EtcdRouter:
    def db_for_read(self, model: Any, **hints: Any) -> str:
        return "etcd" if model._meta.app_label == "etcd" else "default"

    db_for_write = db_for_read

    def allow_migrate(self, db: str, app_label: str, **hints: Any) -> bool:
        return (db == "etcd") == (app_label == "etcd")
