"""Django REST framework, imported without what it takes along where it finds it, 12 MB: PostgreSQL's field types, an HTTP client for
tests, colours for listings in pages that we do not serve. To be imported before anything of it is."""

from __future__ import annotations

from kubeweb.without import without

with without("django.contrib.postgres", "requests", "pygments", "markdown"):
    import rest_framework.compat  # noqa: F401
