"""Django's settings. Everything that differs between machines comes from the environment."""

from __future__ import annotations

import os
import secrets
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

BASE_DIR = Path(__file__).resolve().parent.parent
DATA_DIR = Path(os.environ.get("KUBEWEB_DATA_DIR", BASE_DIR / "data")).resolve()
FRONTEND_DIST = BASE_DIR / "frontend" / "dist"


def _secret_key() -> str:
    """The key from the environment, or one generated at first start and kept beside the data, readable by us alone."""
    if key := os.environ.get("KUBEWEB_SECRET_KEY"):
        return key
    path = DATA_DIR / "secret-key"
    try:
        return path.read_text().strip()
    except FileNotFoundError:
        DATA_DIR.mkdir(parents=True, exist_ok=True, mode=0o700)
        key = secrets.token_urlsafe(50)
        with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(key)
        return key


def _database(path: Path, synchronous: str) -> dict[str, Any]:
    """SQLite beside the data, or whatever DATABASE_URL (postgresql://user:password@host:port/name) says."""
    if url := os.environ.get("DATABASE_URL"):
        parts = urlsplit(url)
        return {
            "ENGINE": "django.db.backends.postgresql",
            "NAME": unquote(parts.path.lstrip("/")),
            "USER": unquote(parts.username or ""),
            "PASSWORD": unquote(parts.password or ""),
            "HOST": parts.hostname or "",
            "PORT": str(parts.port or ""),
            "CONN_MAX_AGE": None,
        }
    return {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": path,
        "CONN_MAX_AGE": None,
        "OPTIONS": {
            "transaction_mode": "IMMEDIATE",
            "timeout": 20,
            # page_size only counts before the first table exists: two pods of 2.7 KB fit where one did.
            "init_command": (
                f"PRAGMA page_size=8192; PRAGMA journal_mode=WAL; PRAGMA synchronous={synchronous}; "
                "PRAGMA cache_size=-16384; PRAGMA temp_store=MEMORY"
            ),
        },
    }


SECRET_KEY = _secret_key()
DEBUG = os.environ.get("KUBEWEB_DEBUG", "") == "1"
ALLOWED_HOSTS = os.environ.get("KUBEWEB_ALLOWED_HOSTS", "localhost,127.0.0.1,[::1]").split(",")
CSRF_TRUSTED_ORIGINS = [origin for origin in os.environ.get("KUBEWEB_TRUSTED_ORIGINS", "").split(",") if origin]

INSTALLED_APPS = [
    # Before Django's admin, whose templates it clothes.
    "cluster.accounts",
    "cluster.accounts.adminconfig.ClusterAdminConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "channels",
    "rest_framework",
    "cluster.etcd",
    "cluster.journeys",
    "cluster.audit",
    "cluster.explorer",
    "kubeweb",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "cluster.accounts.middleware.private_pages",
]

ROOT_URLCONF = "kubeweb.urls"
ASGI_APPLICATION = "kubeweb.asgi.application"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ]
        },
    }
]

# The log is a database of its own, as etcd is a process of its own: acknowledged means durable (FULL) there, while
# sessions and journeys, which share the other file, need not wait for the disk.
DATABASES = {
    "default": _database(DATA_DIR / "kubeweb.sqlite3", "NORMAL"),
    "etcd": _database(DATA_DIR / "etcd.sqlite3", "FULL"),
}
DATABASE_ROUTERS = ["kubeweb.routers.EtcdRouter"]
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

CHANNEL_LAYERS = {
    "default": (
        {"BACKEND": "channels_redis.core.RedisChannelLayer", "CONFIG": {"hosts": [os.environ["CHANNEL_URL"]]}}
        if os.environ.get("CHANNEL_URL")
        else {"BACKEND": "channels.layers.InMemoryChannelLayer"}
    )
}

AUTH_USER_MODEL = "accounts.User"
PASSWORD_HASHERS = ["django.contrib.auth.hashers.Argon2PasswordHasher"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator"},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
LOGIN_URL = "/login/"
LOGIN_REDIRECT_URL = "/"
LOGOUT_REDIRECT_URL = "/login/"

SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
CSRF_COOKIE_SAMESITE = "Lax"
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"

# Whether a proxy stands in front that sets X-Forwarded-For and X-Forwarded-Proto itself.
KUBEWEB_BEHIND_PROXY = os.environ.get("KUBEWEB_BEHIND_PROXY", "") == "1"

# For the open internet, where TLS ends here or at a proxy in front: nothing over plain HTTP, and browsers remember that.
PRODUCTION = os.environ.get("KUBEWEB_PRODUCTION", "") == "1"
if PRODUCTION:
    SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = True
    SECURE_SSL_REDIRECT = True
    # Where HTTPS is found (HOST or HOST:PORT), when that is not where the request was sent to.
    SECURE_SSL_HOST = os.environ.get("KUBEWEB_HTTPS_HOST") or None
    SECURE_HSTS_SECONDS = int(os.environ.get("KUBEWEB_HSTS_SECONDS", str(365 * 24 * 3600)))
    SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = True
    if KUBEWEB_BEHIND_PROXY:
        # Only with a proxy that sets this header itself: otherwise anybody could.
        SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")

# Whether requests without credentials are `system:anonymous` (RBAC decides) or refused at once.
KUBEWEB_ANONYMOUS = os.environ.get("KUBEWEB_ANONYMOUS", "1") == "1"

# How many sandboxes a person may have (RBAC says who may have any: the ClusterRole kubeweb:sandboxes). 0: nobody gets one.
KUBEWEB_SANDBOXES = int(os.environ.get("KUBEWEB_SANDBOXES", "1"))

# How many revisions the log keeps at least: as far back can one go.
KUBEWEB_HISTORY = int(os.environ.get("KUBEWEB_HISTORY", "100000"))

# The audit log: a Policy of audit.k8s.io/v1 (without one: DATA_DIR/audit-policy.yaml, or what cluster/audit/policy.py says), and how
# much is kept. "0" for KUBEWEB_AUDIT switches it off.
KUBEWEB_AUDIT = {
    "enabled": os.environ.get("KUBEWEB_AUDIT", "1") == "1",
    "policy": os.environ.get("KUBEWEB_AUDIT_POLICY", ""),
    "file_megabytes": float(os.environ.get("KUBEWEB_AUDIT_LOG_MAXSIZE", "20")),
    "files": int(os.environ.get("KUBEWEB_AUDIT_LOG_MAXBACKUP", "5")),
    "days": float(os.environ.get("KUBEWEB_AUDIT_LOG_MAXAGE", "30")),
    "rows": int(os.environ.get("KUBEWEB_AUDIT_ROWS", "100000")),
}

LANGUAGE_CODE = "en-us"
TIME_ZONE = "UTC"
USE_TZ = True

STATIC_URL = "/static/"
STATICFILES_DIRS = [FRONTEND_DIST] if FRONTEND_DIST.is_dir() else []
WHITENOISE_USE_FINDERS = True
WHITENOISE_AUTOREFRESH = False

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["rest_framework.authentication.SessionAuthentication"],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_PARSER_CLASSES": [
        "cluster.explorer.parsers.BoundedJSONParser",
        "rest_framework.parsers.FormParser",
        "rest_framework.parsers.MultiPartParser",
    ],
    "EXCEPTION_HANDLER": "cluster.explorer.problems.told",
}

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "{asctime} {levelname} {name}: {message}", "style": "{"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["console"], "level": os.environ.get("KUBEWEB_LOG_LEVEL", "WARNING")},
}
