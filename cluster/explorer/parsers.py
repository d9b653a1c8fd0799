"""Bodies of the explorer's own API: JSON, bounded in size and depth before anything is built of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import IO, Any

import orjson
from rest_framework.exceptions import APIException, ParseError
from rest_framework.parsers import BaseParser

# A manifest of 1 MiB whose every character is escaped, and a name.
MAX_BODY = 7 * 1024 * 1024


class TooLarge(APIException):
    status_code = 413
    default_detail = "The body is larger than 7 MiB."


class BoundedJSONParser(BaseParser):
    """JSON as orjson reads it: strict UTF-8, no NaN, at most 1,024 levels."""

    media_type = "application/json"

    def parse(
        self, stream: IO[Any], media_type: str | None = None, parser_context: Mapping[str, Any] | None = None
    ) -> Any:
        data = stream.read(MAX_BODY + 1)
        if len(data) > MAX_BODY:
            raise TooLarge
        try:
            return orjson.loads(data)
        except ValueError as error:
            raise ParseError(f"The body is not JSON: {error}") from error
