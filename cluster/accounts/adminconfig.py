"""Django's admin with our site in place of its own. Apart from apps.py, where Django would take it for this app's config."""

from django.contrib.admin.apps import AdminConfig


class ClusterAdminConfig(AdminConfig):
    default_site = "cluster.accounts.site.ClusterAdminSite"
