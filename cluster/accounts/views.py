"""Logging in and out, who I am, my access tokens, my kubeconfig: for people, in the browser."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.conf import settings
from django.contrib.auth.forms import AuthenticationForm
from django.contrib.auth.views import LoginView
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.middleware.csrf import get_token
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from rest_framework import mixins, serializers, viewsets
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from cluster.accounts import pki
from cluster.accounts.bootstrap import issue_kubeconfig
from cluster.accounts.forms import ThrottledAuthenticationForm
from cluster.accounts.kubeconfig import server_url
from cluster.accounts.models import AccessToken, User
from cluster.audit.signins import note_change

MAXIMUM_DAYS = 3650


class Login(LoginView):
    template_name = "accounts/login.html"
    authentication_form = ThrottledAuthenticationForm
    redirect_authenticated_user = True

    def form_invalid(self, form: AuthenticationForm) -> HttpResponse:
        response = super().form_invalid(form)
        if getattr(form, "throttled", False):
            response.status_code = 429
        return response


@require_safe
@never_cache
def me(request: HttpRequest) -> JsonResponse:
    """Who I am, for the explorer, and the CSRF token that its unsafe requests carry in X-CSRFToken."""
    user = request.user
    if isinstance(user, User) and user.is_active:
        groups = list(user.kubernetes_groups())
        return JsonResponse(
            {"user": user.get_username(), "groups": groups, "staff": user.is_staff, "csrf": get_token(request)}
        )
    return JsonResponse({"user": None, "groups": [], "staff": False, "csrf": get_token(request)}, status=401)


class AccessTokenSerializer(serializers.ModelSerializer[AccessToken]):
    days = serializers.IntegerField(
        write_only=True, required=False, min_value=1, max_value=MAXIMUM_DAYS, help_text="how long it is good for"
    )
    valid = serializers.BooleanField(source="is_valid", read_only=True)

    class Meta:
        model = AccessToken
        fields = ["id", "name", "prefix", "created", "expires", "revoked", "last_used", "valid", "days"]
        read_only_fields = ["prefix", "created", "expires", "revoked", "last_used"]


class AccessTokenViewSet(
    mixins.ListModelMixin, mixins.RetrieveModelMixin, mixins.DestroyModelMixin, viewsets.GenericViewSet[AccessToken]
):
    """My access tokens. Creating one answers with its secret, once; deleting one revokes it within a second."""

    serializer_class = AccessTokenSerializer

    def get_queryset(self) -> QuerySet[AccessToken]:
        return AccessToken.objects.filter(user=_user(self.request)).select_related("user")

    def create(self, request: Request) -> Response:
        serializer = self.get_serializer(data=request.data)
        serializer.is_valid(raise_exception=True)
        days = serializer.validated_data.get("days")
        expires = timezone.now() + timedelta(days=days) if days else None
        token, secret = AccessToken.objects.issue(_user(request), serializer.validated_data["name"], expires)
        note_change(request, "create", "accesstokens", str(token))
        return Response({**self.get_serializer(token).data, "token": secret}, status=201)

    def perform_destroy(self, instance: AccessToken) -> None:
        if AccessToken.objects.filter(pk=instance.pk).revoke():
            note_change(self.request, "update", "accesstokens", str(instance), "revoked")


class Kubeconfig(APIView):
    """POST: a kubeconfig for me, with a new access token in it."""

    def post(self, request: Request, *args: Any, **kwargs: Any) -> HttpResponse:
        ca_pem = pki.CertificateAuthority(settings.DATA_DIR / "pki").pem
        text = issue_kubeconfig(_user(request), server_url(settings.DATA_DIR), ca_pem)
        note_change(request, "create", "accesstokens", "kubeconfig")
        response = HttpResponse(text, content_type="application/yaml")
        response["Content-Disposition"] = 'attachment; filename="kubeconfig"'
        response["Cache-Control"] = "no-store"
        return response


def _user(request: Request) -> User:
    user = request.user
    if not isinstance(user, User):
        raise TypeError("the permission classes let nobody else in")
    return user
