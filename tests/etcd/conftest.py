"""The fixtures of this room."""

from tests.support.log import fresh_log  # noqa: F401
