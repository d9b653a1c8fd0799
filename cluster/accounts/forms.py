"""The login form: Django's, with a limit on guessing."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.forms import AuthenticationForm
from django.core.exceptions import ValidationError

from cluster.accounts import throttle


class ThrottledAuthenticationForm(AuthenticationForm):
    throttled = False

    def clean(self) -> dict[str, Any]:
        username = self.cleaned_data.get("username") or ""
        address = throttle.address_of(self.request.META) if self.request is not None else ""
        wait = throttle.seconds_to_wait(username, address)
        if wait:
            # Not even a right password is looked at: that would tell which one it is.
            self.throttled = True
            raise ValidationError(
                f"Too many failed attempts. Wait {wait} second{'s' if wait != 1 else ''}, then try again.",
                code="throttled",
            )
        try:
            cleaned = super().clean()
        except ValidationError:
            throttle.note_failure(username, address)
            raise
        if self.get_user() is not None:
            throttle.forget(username, address)
        return cleaned
