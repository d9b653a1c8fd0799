"""People in Django's admin: users, groups (which are Kubernetes' groups) and access tokens.

Model permissions count for staff alone, and nobody hands out more than they hold: whoever is no superuser can neither touch
a superuser nor somebody in a group that they are not in themselves, nor somebody with more permissions here, and cannot make groups,
whose names may be bound to anything. A name that RBAC binds to something is for those who may impersonate it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from django import forms
from django.contrib import admin
from django.contrib.admin.widgets import FilteredSelectMultiple
from django.contrib.auth.admin import UserAdmin
from django.contrib.auth.forms import AdminUserCreationForm
from django.contrib.auth.models import Group
from django.core.exceptions import PermissionDenied, ValidationError
from django.db.models import Count, QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html

from cluster.accounts.models import AccessToken, User
from cluster.accounts.rbac.door import is_bound
from cluster.accounts.rbac.requests import may
from cluster.apimachinery.errors import StatusError
from cluster.audit.signins import note_change

# Generic for the type checker alone.
if TYPE_CHECKING:
    BaseUserAdmin = UserAdmin[User]
    TokenModelAdmin = admin.ModelAdmin[AccessToken]
    GroupModelAdmin = admin.ModelAdmin[Group]
    GroupModelForm = forms.ModelForm[Group]
    UserCreationForm = AdminUserCreationForm[User]
else:
    BaseUserAdmin, TokenModelAdmin, GroupModelAdmin, GroupModelForm, UserCreationForm = (
        UserAdmin,
        admin.ModelAdmin,
        admin.ModelAdmin,
        forms.ModelForm,
        AdminUserCreationForm,
    )

RESERVED = "system:"


def may_manage(actor: Any, person: User) -> bool:
    """Whether what `actor` could do to this account gives them nothing that they do not hold already."""
    if actor.is_superuser:
        return True
    if person.is_superuser:
        return False
    own = {group.pk for group in actor.groups.all()}
    if not all(group.pk in own for group in person.groups.all()):
        return False
    return person.get_all_permissions() <= actor.get_all_permissions() and may_be(actor, person.get_username())


def may_be(actor: Any, name: str) -> bool:
    """Whether `actor` may have the password of whoever is called so: bindings name users, and who they name has their rights."""
    if actor.is_superuser or actor.get_username() == name or not is_bound(name):
        return True
    try:
        return may(actor, "impersonate", "", "users", name)
    except StatusError:
        return False


class StaffOnly:
    """Everybody may enter the admin, for RBAC's sake; over people, Django's permissions count for staff. Changes are audited."""

    # What they are called in the audit log.
    audited = ""

    def log_addition(self, request: HttpRequest, obj: Any, message: Any) -> Any:
        note_change(request, "create", self.audited, str(obj))
        return super().log_addition(request, obj, message)  # type: ignore[misc]

    def log_change(self, request: HttpRequest, obj: Any, message: Any) -> Any:
        note_change(request, "update", self.audited, str(obj), _in_words(message))
        return super().log_change(request, obj, message)  # type: ignore[misc]

    def log_deletions(self, request: HttpRequest, queryset: Any) -> Any:
        for obj in queryset:
            note_change(request, "delete", self.audited, str(obj))
        return super().log_deletions(request, queryset)  # type: ignore[misc]

    def has_module_permission(self, request: HttpRequest) -> bool:
        return _staff(request) and super().has_module_permission(request)  # type: ignore[misc]

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return _staff(request) and super().has_view_permission(request, obj)  # type: ignore[misc]

    def has_add_permission(self, request: HttpRequest) -> bool:
        return _staff(request) and super().has_add_permission(request)  # type: ignore[misc]

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return _staff(request) and super().has_change_permission(request, obj)  # type: ignore[misc]

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return _staff(request) and super().has_delete_permission(request, obj)  # type: ignore[misc]


def _in_words(message: Any) -> str:
    """Which fields were changed: Django's message, without values."""
    if isinstance(message, str):
        return message
    fields = [str(field) for part in message for field in part.get("changed", {}).get("fields", ())]
    return f"changed: {', '.join(fields)}" if fields else ""


def _staff(request: HttpRequest) -> bool:
    return bool(getattr(request.user, "is_staff", False))


class PersonCreationForm(UserCreationForm):
    """A new person, in words about this place: there is no other way to sign in than a password."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.fields["usable_password"].label = "Password"
        self.fields["usable_password"].help_text = "Without one they cannot sign in; access tokens work all the same."


@admin.register(User)
class PersonAdmin(StaffOnly, BaseUserAdmin):
    audited = "users"
    add_form = PersonCreationForm
    list_display = ("username", "kubernetes_group_names", "is_active", "is_staff", "is_superuser", "last_login")
    list_filter = ("is_active", "is_superuser", "is_staff", "groups")
    list_per_page = 50
    fieldsets = (
        (None, {"fields": ("username", "password", "access")}),
        ("Personal info", {"classes": ("collapse",), "fields": ("first_name", "last_name", "email")}),
        (
            "Groups",
            {
                "fields": ("groups",),
                "description": "RBAC's groups: a binding to a Group of this name holds for everybody in it, from their next request on.",
            },
        ),
        (
            "What they may do here",
            {
                "fields": ("is_active", "is_staff", "is_superuser", "user_permissions"),
                "description": (
                    "Inactive people cannot sign in, and their tokens and watches end within a second. Staff may use the pages "
                    "about people, as far as the permissions below go. A superuser is in system:masters: "
                    "no rule of RBAC is asked, everything is allowed."
                ),
            },
        ),
        ("Dates", {"classes": ("collapse",), "fields": ("last_login", "date_joined")}),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[User]:
        return super().get_queryset(request).prefetch_related("groups")

    @admin.display(description="Kubernetes groups")
    def kubernetes_group_names(self, user: User) -> str:
        return ", ".join(user.kubernetes_groups())

    @admin.display(description="Rights")
    def access(self, user: User) -> str:
        return format_html(
            '<a href="{}?subject={}">What {} may do</a>',
            reverse("admin:rbac-matrix"),
            quote(f"User:{user.username}"),
            user.username,
        )

    def get_readonly_fields(self, request: HttpRequest, obj: User | None = None) -> tuple[str, ...]:
        own: tuple[str, ...] = ("access", "last_login", "date_joined")
        if not getattr(request.user, "is_superuser", False):
            own += ("is_superuser", "is_staff", "user_permissions")
            if obj is not None:
                own += ("username",)
        return own

    def save_model(self, request: HttpRequest, obj: User, form: Any, change: bool) -> None:
        if not change and not may_be(request.user, obj.get_username()):
            raise PermissionDenied
        super().save_model(request, obj, form, change)

    def formfield_for_manytomany(self, db_field: Any, request: HttpRequest, **options: Any) -> Any:
        if db_field.name == "groups" and not getattr(request.user, "is_superuser", False):
            options["queryset"] = request.user.groups.all()
        return super().formfield_for_manytomany(db_field, request, **options)

    def has_change_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        return super().has_change_permission(request, obj) and (obj is None or may_manage(request.user, obj))

    def has_delete_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        return super().has_delete_permission(request, obj) and (obj is None or may_manage(request.user, obj))


class GroupForm(GroupModelForm):
    """A group with its members, which Django keeps at the users."""

    members = forms.ModelMultipleChoiceField(
        User.objects.order_by("username"),
        required=False,
        widget=FilteredSelectMultiple("members", is_stacked=False),
        help_text="Who is in it. Bindings to this Group hold for them from their next request on.",
    )

    class Meta:
        model = Group
        fields = ("name", "permissions")
        help_texts = {"name": "What bindings name, letter by letter: kind Group, this name."}

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        if self.instance.pk and "members" in self.fields:
            self.fields["members"].initial = self.instance.user_set.all()

    def clean_name(self) -> str:
        name = str(self.cleaned_data["name"])
        if name.startswith(RESERVED):
            raise ValidationError(
                f"Names that begin with {RESERVED} are Kubernetes' own; being in {name} is not for sale."
            )
        return name


admin.site.unregister(Group)


@admin.register(Group)
class GroupAdmin(StaffOnly, GroupModelAdmin):
    audited = "groups"
    form = GroupForm
    list_display = ("name", "how_many", "rights")
    search_fields = ("name",)
    ordering = ("name",)
    filter_horizontal = ("permissions",)
    fieldsets = (
        (None, {"fields": ("name", "members")}),
        (
            "Permissions on these pages",
            {
                "classes": ("collapse",),
                "fields": ("permissions",),
                "description": "Django's permissions over people, for members who are staff. What a group may do in the cluster, bindings say.",
            },
        ),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Group]:
        return super().get_queryset(request).annotate(size=Count("user"))

    @admin.display(description="Members", ordering="size")
    def how_many(self, group: Any) -> int:
        return int(group.size)

    @admin.display(description="Rights")
    def rights(self, group: Group) -> str:
        return format_html('<a href="{}?subject=Group:{}">What it may do</a>', reverse("admin:rbac-matrix"), group.name)

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        super().save_related(request, form, formsets, change)
        form.instance.user_set.set(form.cleaned_data["members"])

    # A group may be bound to anything: who makes one, or puts people into it, hands out rights.

    def has_add_permission(self, request: HttpRequest) -> bool:
        return super().has_add_permission(request) and bool(getattr(request.user, "is_superuser", False))

    def has_change_permission(self, request: HttpRequest, obj: Group | None = None) -> bool:
        return super().has_change_permission(request, obj) and bool(getattr(request.user, "is_superuser", False))


@admin.register(AccessToken)
class AccessTokenAdmin(StaffOnly, TokenModelAdmin):
    """Tokens are made by their owners, who alone see the secret; here they can be seen and revoked."""

    audited = "accesstokens"

    list_display = ("name", "user", "prefix", "created", "expires", "last_used", "revoked", "valid")
    list_filter = ("revoked", "user")
    list_select_related = ("user",)
    list_per_page = 50
    search_fields = ("name", "prefix", "user__username")
    readonly_fields = ("name", "user", "prefix", "created", "expires", "revoked", "last_used")
    actions = ("revoke",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[AccessToken]:
        found = super().get_queryset(request)
        return found if getattr(request.user, "is_superuser", False) else found.filter(user__is_superuser=False)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    @admin.display(boolean=True)
    def valid(self, token: AccessToken) -> bool:
        return token.is_valid

    @admin.action(description="Revoke the selected tokens", permissions=["change"])
    def revoke(self, request: HttpRequest, queryset: QuerySet[AccessToken]) -> None:
        for token in queryset:
            self.log_change(request, token, f"revoked, of {token.user}")
        count = AccessToken.objects.filter(pk__in=queryset.values("pk")).revoke()
        self.message_user(request, f"{count} revoked.")
