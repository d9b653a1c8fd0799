from django.apps import AppConfig


class AuditConfig(AppConfig):
    name = "cluster.audit"
    label = "audit"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from cluster.audit import signins

        signins.connect()
