"""Included at the root: `path("", include("cluster.accounts.urls"))`."""

from __future__ import annotations

from django.contrib.auth.views import LogoutView
from django.urls import include, path
from rest_framework.routers import SimpleRouter

from cluster.accounts import account, views

router = SimpleRouter()
router.register("tokens", views.AccessTokenViewSet, basename="access-token")

urlpatterns = [
    path("login/", views.Login.as_view(), name="login"),
    path("logout/", LogoutView.as_view(), name="logout"),
    path("account/", account.account, name="account"),
    path("account/tokens/<int:token>/revoke/", account.revoke, name="account-revoke"),
    path("account/sandboxes/<str:name>/end/", account.end_sandbox, name="account-end-sandbox"),
    path("accounts/me/", views.me, name="me"),
    path("accounts/kubeconfig/", views.Kubeconfig.as_view(), name="kubeconfig"),
    path("accounts/", include(router.urls)),
]
