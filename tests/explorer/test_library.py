"""The manifest library: everybody their own, a link for one of them, and limits."""

from __future__ import annotations

import pytest
from rest_framework.test import APIClient

from cluster.accounts.models import User
from cluster.explorer.models import SavedManifest

URL = "/explorer/manifests/"

pytestmark = pytest.mark.django_db


def signed_in(name: str) -> APIClient:
    client = APIClient()
    client.force_authenticate(User.objects.create_user(name, password="opensesame"))
    return client


@pytest.fixture
def alice() -> APIClient:
    return signed_in("alice")


@pytest.fixture
def bob() -> APIClient:
    return signed_in("bob")


def kept(client: APIClient, name: str = "web", text: str = "kind: Pod\n") -> dict[str, object]:
    answer = client.post(URL, {"name": name, "text": text}, format="json")
    assert answer.status_code == 201, answer.content
    return answer.json()


def test_a_stranger_has_no_library():
    assert APIClient().get(URL).status_code == 403


def test_a_manifest_is_kept_listed_read_renamed_changed_and_deleted(alice):
    made = kept(alice, text="kind: Pod\n  # with spaces at the end  \n")
    (listed,) = alice.get(URL).json()["manifests"]
    assert (listed["name"], listed["size"]) == ("web", 39)
    assert "text" not in listed
    one = f"{URL}{made['id']}/"
    assert alice.get(one).json()["text"] == "kind: Pod\n  # with spaces at the end  \n"
    assert alice.patch(one, {"name": "shop"}, format="json").json()["name"] == "shop"
    assert alice.patch(one, {"text": ""}, format="json").json()["text"] == ""
    assert alice.delete(one).status_code == 204
    assert alice.get(one).status_code == 404


def test_the_latest_stands_first(alice):
    first, second = kept(alice, "first"), kept(alice, "second")
    alice.patch(f"{URL}{first['id']}/", {"text": "changed"}, format="json")
    assert [one["id"] for one in alice.get(URL).json()["manifests"]] == [first["id"], second["id"]]


def test_a_name_is_taken_once_for_each_person(alice, bob):
    kept(alice)
    kept(bob)
    again = alice.post(URL, {"name": "web", "text": ""}, format="json")
    assert again.status_code == 409
    assert "already" in again.json()["name"][0]
    other = kept(alice, "other")
    assert alice.patch(f"{URL}{other['id']}/", {"name": "web"}, format="json").status_code == 409


@pytest.mark.parametrize("method", ["get", "patch", "delete"])
def test_nobody_reaches_anothers_manifest(alice, bob, method):
    made = kept(alice)
    assert getattr(bob, method)(f"{URL}{made['id']}/", {"text": "x"}, format="json").status_code == 404
    assert bob.post(f"{URL}{made['id']}/share/").status_code == 404
    assert bob.get(URL).json() == {"manifests": []}


def test_a_link_lets_others_read_until_it_is_taken_back(alice, bob):
    made = kept(alice, text="kind: Job\n")
    share = alice.post(f"{URL}{made['id']}/share/").json()["share"]
    assert len(share) > 20
    assert alice.post(f"{URL}{made['id']}/share/").json()["share"] == share
    assert bob.get(f"/explorer/shared/{share}/").json() == {"name": "web", "text": "kind: Job\n"}
    assert APIClient().get(f"/explorer/shared/{share}/").status_code == 403
    alice.delete(f"{URL}{made['id']}/share/")
    assert bob.get(f"/explorer/shared/{share}/").status_code == 404


@pytest.mark.parametrize(
    "sent",
    [
        {"name": "", "text": "x"},
        {"name": "a/b", "text": "x"},
        {"name": "a\nb", "text": "x"},
        {"name": "x" * 121, "text": "x"},
        {"name": "web"},
        {"name": "big", "text": "é" * (512 * 1024 + 1)},
    ],
    ids=["no name", "slash", "line", "long", "no text", "over 1 MiB"],
)
def test_what_cannot_be_kept_is_refused(alice, sent):
    assert alice.post(URL, sent, format="json").status_code == 400
    assert not SavedManifest.objects.exists()


def test_a_library_has_an_end(alice, monkeypatch):
    monkeypatch.setattr("cluster.explorer.library.MAX_MANIFESTS", 1)
    kept(alice)
    assert alice.post(URL, {"name": "more", "text": ""}, format="json").status_code == 400
