"""A person at the page without a browser: signs in, and asks with the session's cookie and its CSRF token."""

from __future__ import annotations

from typing import Any

import requests

from tests.support.server import PASSWORD, Cluster


class Person:
    """Signed in at the page of a running cluster."""

    def __init__(self, cluster: Cluster, user: str = "admin", password: str = PASSWORD) -> None:
        self.base = f"http://127.0.0.1:{cluster.http}"
        self.session = requests.Session()
        self.session.get(f"{self.base}/login/", timeout=30)
        answer = self.session.post(
            f"{self.base}/login/",
            data={"username": user, "password": password, "csrfmiddlewaretoken": self._token()},
            headers={"Referer": self.base},
            timeout=30,
        )
        assert answer.url == f"{self.base}/", f"{user} could not sign in: {answer.status_code} at {answer.url}"

    def _token(self) -> str:
        return self.session.cookies.get("csrftoken") or ""

    def request(self, method: str, path: str, body: Any = None) -> requests.Response:
        headers = {"X-CSRFToken": self._token(), "Referer": self.base}
        return self.session.request(method, self.base + path, json=body, headers=headers, timeout=60)
