"""What the API server refused, on its way out through Django REST framework: the Status, and its code."""

from __future__ import annotations

from typing import Any

from rest_framework.response import Response
from rest_framework.views import exception_handler

from cluster.apimachinery.errors import StatusError


def told(error: Exception, context: dict[str, Any]) -> Response | None:
    """The response to an exception of a view; None: it is nobody's fault but ours (500)."""
    if isinstance(error, StatusError):
        return Response(error.status, status=error.code)
    return exception_handler(error, context)
