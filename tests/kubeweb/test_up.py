"""`manage.py up` refuses addresses on which it would not be heard, before it makes anything."""

from __future__ import annotations

import socket

import pytest
from django.core.management import CommandError, call_command

from tests.support.server import free_port


@pytest.fixture
def taken():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        yield f"127.0.0.1:{listener.getsockname()[1]}"


@pytest.mark.parametrize("option", ["--http", "--https"])
def test_an_address_that_is_taken(taken, option, settings, tmp_path):
    settings.DATA_DIR = tmp_path / "data"
    other = "--https" if option == "--http" else "--http"
    with pytest.raises(
        CommandError, match=f"cannot listen on {taken}: Address already in use; .* with {option} HOST:PORT"
    ):
        call_command("up", f"{option}={taken}", f"{other}=127.0.0.1:{free_port()}")
    assert not settings.DATA_DIR.exists()


def test_one_address_for_both(settings, tmp_path):
    settings.DATA_DIR = tmp_path / "data"
    address = f"127.0.0.1:{free_port()}"
    with pytest.raises(CommandError, match="must not be the same"):
        call_command("up", f"--http={address}", f"--https={address}")


def test_an_address_of_another_machine(settings, tmp_path):
    settings.DATA_DIR = tmp_path / "data"
    with pytest.raises(CommandError, match=r"cannot listen on 192\.0\.2\.1:80"):
        call_command("up", "--http=192.0.2.1:80", f"--https=127.0.0.1:{free_port()}")
