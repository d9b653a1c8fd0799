from django.apps import AppConfig


class EtcdConfig(AppConfig):
    name = "cluster.etcd"
    label = "etcd"
    default_auto_field = "django.db.models.BigAutoField"
