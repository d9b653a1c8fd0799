"""Somebody at the page: signs in with a password, keeps cookies, sends the CSRF token along. Over plain HTTP, as on a laptop, or HTTPS."""

from __future__ import annotations

import http.client
import json
import ssl
from http.cookies import SimpleCookie
from typing import Any
from urllib.parse import urlencode

from tests.support.server import PASSWORD, Cluster


class Person:
    """One browser, without the browser."""

    def __init__(
        self, cluster: Cluster, name: str = "admin", password: str = PASSWORD, *, secure: bool = False
    ) -> None:
        self.cluster, self.name, self.password, self.secure = cluster, name, password, secure
        self.cookies: dict[str, str] = {}

    def sign_in(self) -> Person:
        self.ask("GET", "/login/")
        form = {"username": self.name, "password": self.password, "csrfmiddlewaretoken": self.cookies["csrftoken"]}
        status, _ = self.ask("POST", "/login/", urlencode(form), {"Content-Type": "application/x-www-form-urlencoded"})
        assert status == 302, f"{self.name} could not sign in"
        return self

    @property
    def headers(self) -> dict[str, str]:
        """What the page's requests carry."""
        cookie = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        return {"Cookie": cookie, "X-CSRFToken": self.cookies.get("csrftoken", ""), "Origin": self.origin}

    @property
    def origin(self) -> str:
        """Of the page that they look at."""
        if self.secure:
            return f"https://127.0.0.1:{self.cluster.https}"
        return f"http://127.0.0.1:{self.cluster.http}"

    def ask(self, method: str, path: str, body: Any = None, headers: dict[str, str] | None = None) -> tuple[int, Any]:
        """(status, parsed JSON or text)."""
        connection: http.client.HTTPConnection
        if self.secure:
            trusting = ssl._create_unverified_context()
            connection = http.client.HTTPSConnection("127.0.0.1", self.cluster.https, context=trusting, timeout=30)
        else:
            connection = http.client.HTTPConnection("127.0.0.1", self.cluster.http, timeout=30)
        data = body if isinstance(body, str | type(None)) else json.dumps(body)
        sent = {"Content-Type": "application/json", **self.headers, **(headers or {})}
        try:
            connection.request(method, path, data, {name: value for name, value in sent.items() if value})
            response = connection.getresponse()
            text = response.read().decode()
        finally:
            connection.close()
        for line in response.headers.get_all("Set-Cookie") or ():
            for name, morsel in SimpleCookie(line).items():
                self.cookies[name] = morsel.value
        return response.status, json.loads(text) if "json" in response.headers.get("Content-Type", "") else text
