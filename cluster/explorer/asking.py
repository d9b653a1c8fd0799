"""Who asks the explorer: the person who is signed in, or whom they act as (`Impersonate-User`), as RBAC allows.

Every view of the explorer is an `ExplorerView`: what it shows is what its asker may see. What a person keeps for themselves (library,
progress in lessons) is no part of the cluster: it is nobody else's, whomever they act as.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

from rest_framework.request import Request
from rest_framework.views import APIView

from cluster.apimachinery.errors import StatusError
from cluster.client.client import Client
from cluster.explorer.services import Headers, services


@dataclass(frozen=True, slots=True)
class Asker:
    """`name` in the cluster, with a client of that name's; `account`: who is signed in."""

    name: str
    client: Client
    account: Any


def asker(account: Any, headers: Headers) -> Asker:
    """Who that is. StatusError 403 when this person may not act as whom the headers name. For threads: it asks the database."""
    client = services().client_for(account, headers)
    return Asker(client.user, client, account)


class ExplorerView(APIView):
    """A view with an `asker`; who may not act as whom they say is refused before anything else is done."""

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        if self.acting:
            # Asked for now, whether the view needs to know or not.
            assert self.asker is not None

    @property
    def headers_sent(self) -> Headers:
        found: Headers = getattr(self.request._request, "scope", {}).get("headers", ())
        return found

    @property
    def acting(self) -> bool:
        """Whether they say that they are somebody else."""
        return any(b"impersonate" in name for name, _ in self.headers_sent)

    @cached_property
    def asker(self) -> Asker:
        return asker(self.request.user, self.headers_sent)


class OwnView(ExplorerView):
    """A view of what a person keeps for themselves: whoever acts as somebody else finds nothing of it, and keeps nothing."""

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        if request.method != "GET" and self.acting:
            raise StatusError(
                403,
                "Forbidden",
                f"{request.user.get_username()} acts as {self.asker.name}: what a person keeps is their own, and not for whom they act as",
            )

    @property
    def owner(self) -> int | None:
        """Whose things are shown: a primary key; None: nobody's."""
        return None if self.acting else int(self.request.user.pk or 0)
