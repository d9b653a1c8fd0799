"""Django's URLs: the explorer's page and API, login and admin. The Kubernetes API is beside Django, in asgi.py."""

from django.contrib import admin
from django.urls import include, path
from django.views.generic import RedirectView

urlpatterns = [
    path("favicon.ico", RedirectView.as_view(url="/static/icon.svg")),
    path("admin/", admin.site.urls),
    path("", include("cluster.accounts.urls")),
    path("", include("cluster.explorer.urls")),
]
