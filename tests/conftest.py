"""For all tests: passwords are hashed quickly, for they keep nobody out here."""

from __future__ import annotations

import pytest


@pytest.fixture(autouse=True)
def quick_passwords(settings):
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
