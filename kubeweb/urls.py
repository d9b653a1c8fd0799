"""Django's URLs: the explorer's page and API, login and admin. The Kubernetes API is beside Django, in asgi.py."""

from django.contrib import admin
from django.urls import path

urlpatterns = [path("admin/", admin.site.urls)]
