"""Somebody at a shell in a container: echo, editing, Ctrl-C, Ctrl-D, exit codes."""

from __future__ import annotations

import asyncio

import pytest

from cluster.kubelet.runtime.shell.files import Files, root_of
from cluster.kubelet.runtime.shell.world import World
from cluster.kubelet.runtime.terminal import PROMPT, Terminal, converse


class Session:
    def __init__(self, *, tty: bool = True) -> None:
        self.stdin: asyncio.Queue[bytes | None] = asyncio.Queue()
        self.shown = b""
        self.terminal = Terminal(self.stdin, self._show, tty=tty)
        self.world = World({"NAME": "x"}, "box", Files(root_of({"/etc/motd": b"welcome\n"})))

    def _show(self, data: bytes) -> None:
        self.shown += data

    def type(self, *parts: bytes | None) -> None:
        for part in parts:
            self.stdin.put_nowait(part)

    async def run(self) -> int:
        return await asyncio.wait_for(converse(self.world, self.terminal), 30)


@pytest.mark.looptime
async def test_a_session_as_it_is_seen() -> None:
    session = Session()
    session.type(b"hostname\r", b"exit 3\r")
    assert await session.run() == 3
    # Typed ahead: the echo comes first, as on a real terminal.
    assert session.shown.decode().replace("\r\n", "\n") == f"{PROMPT}hostname\nexit 3\nbox\n{PROMPT}"


@pytest.mark.looptime
async def test_without_a_terminal_there_is_no_echo_and_no_prompt() -> None:
    session = Session(tty=False)
    session.type(b"cat /etc/motd\necho $NA", b"ME\n", b"nosuch", None)
    assert await session.run() == 127
    assert session.shown == b"welcome\nx\nsh: nosuch: not found\n"


@pytest.mark.looptime
@pytest.mark.parametrize(
    ("typed", "shown"),
    [
        (b"ecgo\x7f\x7fho a\r", "a"),
        (b"\x7f\x7fecho b\r", "b"),
        (b"garbage\x03echo c\r", "c"),
        ("echo é\r".encode(), "é"),
    ],
)
async def test_lines_can_be_edited(typed: bytes, shown: str) -> None:
    session = Session()
    session.type(typed, b"\x04")
    assert await session.run() == 0
    assert f"\r\n{shown}\r\n" in session.shown.decode()


@pytest.mark.looptime
@pytest.mark.parametrize(
    "typed",
    [b"echo 'abc\r", b'echo "abc\r', b"break\r", b"x=$((99999999999999999999 * y))\r", b"if\r", b"for\r", b"(\r"],
)
async def test_nonsense_does_not_end_the_shell(typed: bytes) -> None:
    session = Session()
    session.type(typed, b"echo still here\r", b"\x04")
    await session.run()
    assert f"{PROMPT}still here\r\n" in session.shown.decode()


@pytest.mark.looptime
async def test_a_word_that_doubles_itself_stays_small() -> None:
    session = Session(tty=False)
    session.type(b"x=12345678\n", *[b"x=$x$x\n"] * 60, None)
    await session.run()
    assert "word too long" in session.shown.decode()
    assert len(session.world.env["x"]) <= 256 * 1024


@pytest.mark.looptime
async def test_ctrl_c_ends_the_command_and_not_the_shell() -> None:
    session = Session()
    session.type(b"sleep 1000\r")
    running = asyncio.create_task(session.run())
    await asyncio.sleep(5)
    assert not running.done()
    session.type(b"\x03", b"echo still here\r", b"\x04")
    assert await running == 0
    assert "^C" in session.shown.decode() and "still here\r\n" in session.shown.decode()


@pytest.mark.looptime
async def test_commands_and_shells_within_read_what_is_typed() -> None:
    session = Session()
    session.type(b"read a\r", b"typed\r", b"echo $a\r", b"cat\r", b"x\r", b"\x04", b"tty\r")
    session.type(b"chroot /etc\r", b"ls /\r", b"exit 0\r", b"ls -d /etc\r", b"exit\r")
    assert await session.run() == 0
    said = session.shown.decode().replace(PROMPT, "").split("exit\r\n")[-1]
    # Behind the echo of all that was typed ahead: what the commands said, in order.
    assert said == "typed\r\nx\r\n/dev/pts/0\r\nmotd\r\n/etc\r\n"


@pytest.mark.looptime
async def test_a_script_on_the_input_is_shared_with_its_commands() -> None:
    session = Session(tty=False)
    session.type(b"read a\none\necho got $a\nsh\necho inner\nexit 4\necho $?\ncat\nrest\n", None)
    assert await session.run() == 0
    assert session.shown == b"got one\ninner\n4\nrest\n"
