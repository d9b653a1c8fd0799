"""People in Django's admin: users, their groups (which are Kubernetes' groups) and their access tokens."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.contrib import admin
from django.contrib.auth.admin import UserAdmin
from django.db.models import QuerySet
from django.http import HttpRequest

from cluster.accounts.models import AccessToken, User

# Generic for the type checker alone.
if TYPE_CHECKING:
    BaseUserAdmin = UserAdmin[User]
    TokenModelAdmin = admin.ModelAdmin[AccessToken]
else:
    BaseUserAdmin, TokenModelAdmin = UserAdmin, admin.ModelAdmin


@admin.register(User)
class PersonAdmin(BaseUserAdmin):
    list_display = ("username", "kubernetes_group_names", "is_active", "is_staff", "is_superuser", "last_login")
    list_filter = ("is_active", "is_superuser", "groups")

    @admin.display(description="Kubernetes groups")
    def kubernetes_group_names(self, user: User) -> str:
        return ", ".join(user.kubernetes_groups())


@admin.register(AccessToken)
class AccessTokenAdmin(TokenModelAdmin):
    """Tokens are made by their owners, who alone see the secret; here they can be seen and revoked."""

    list_display = ("name", "user", "prefix", "created", "expires", "last_used", "revoked", "valid")
    list_filter = ("user", "revoked")
    search_fields = ("name", "prefix", "user__username")
    readonly_fields = ("name", "user", "prefix", "created", "expires", "revoked", "last_used")
    actions = ("revoke",)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    @admin.display(boolean=True)
    def valid(self, token: AccessToken) -> bool:
        return token.is_valid

    @admin.action(description="Revoke the selected tokens", permissions=["change"])
    def revoke(self, request: HttpRequest, queryset: QuerySet[AccessToken]) -> None:
        count = AccessToken.objects.filter(pk__in=queryset.values("pk")).revoke()
        self.message_user(request, f"{count} revoked.")
