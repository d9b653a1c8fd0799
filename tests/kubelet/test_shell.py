"""The small shell against what busybox's ash prints and returns for the same script."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace

import pytest

from cluster import clock
from cluster.kubelet.runtime.shell.files import Files
from cluster.kubelet.runtime.shell.interpreter import Shell
from cluster.kubelet.runtime.shell.world import Input, World
from cluster.kubelet.runtime.tree import Tree


def world() -> World:
    files = Files({"/etc/motd": b"welcome\nto the box\n", "/data.csv": b"b,2\na,1\na,1\n"})
    files.mount("/config", Tree({"key": b"value", "dir/inner": b"x\n"}), read_only=True)
    return World({"NAME": "x y", "EMPTY": "", "N": "3"}, "box", files)


async def play(script: str, stdin: str = "") -> tuple[str, str, int]:
    out: list[str] = []
    err: list[str] = []
    shell = Shell(world(), out.append, err.append, Input(stdin))
    code = await asyncio.wait_for(shell.run(script), 3600)
    shell.stop_jobs()
    return "".join(out), "".join(err), code


SCRIPTS = [
    ("echo hello", "hello\n", 0),
    ("echo -n a; echo b", "ab\n", 0),
    ("printf abc | cat | cat; echo -n x | cat", "abcx", 0),
    ("echo five | dd of=/five conv=fsync; cat /five; dd if=/five bs=2 skip=1 count=1", "five\nve", 0),
    ("echo abcdef >/x; echo -n ZZ | dd of=/x bs=1 seek=2 conv=notrunc; cat /x", "abZZef\n", 0),
    ("dd if=/dev/zero of=/z bs=1k count=3; wc -c </z; dd if=/nowhere; echo $?", "3072\n1\n", 0),
    ("mv -v /etc/motd /tmp/; cp -v /data.csv /d", "'/etc/motd' -> '/tmp/motd'\n'/data.csv' -> '/d'\n", 0),
    ("echo -e 'a\\tb'", "a\tb\n", 0),
    ("echo $NAME '$NAME' \"$NAME\"", "x y $NAME x y\n", 0),
    ('for w in $NAME; do echo "<$w>"; done', "<x>\n<y>\n", 0),
    ('for w in "$NAME"; do echo "<$w>"; done', "<x y>\n", 0),
    ("echo ${MISSING:-default} ${N} ${#N} ${NAME%y}", "default 3 1 x\n", 0),
    ("f=/a/b/c.txt; echo ${f##*/} ${f%.*} ${f/b/z}", "c.txt /a/b/c /a/z/c.txt\n", 0),
    ("echo $((N * 2 + 1)) $((7 / 2)) $((2 ** 10)) $((N > 2 && 1))", "7 3 1024 1\n", 0),
    ("i=0; while [ $i -lt 3 ]; do echo $i; i=$((i+1)); done", "0\n1\n2\n", 0),
    ("until false; do break; done; echo $?", "0\n", 0),
    ("if [ -f /etc/motd ]; then echo yes; elif true; then echo no; fi", "yes\n", 0),
    ("if test -d /nosuch; then echo yes; else echo no; fi", "no\n", 0),
    ("case $N in 1|2) echo low;; [3-9]) echo high;; *) echo other;; esac", "high\n", 0),
    ("f() { echo got $1; return 4; }; f a; echo $?", "got a\n4\n", 0),
    ("echo one; false || echo two && echo three", "one\ntwo\nthree\n", 0),
    ("! false; echo $?", "0\n", 0),
    ("(exit 3); echo $?", "3\n", 0),
    ("exit 7", "", 7),
    ("false", "", 1),
    ("set -e; false; echo never", "", 1),
    ("set -e; if false; then :; fi; false || true; echo on", "on\n", 0),
    ("x=1; (x=2); echo $x", "1\n", 0),
    ("echo a > /tmp/f; echo b >> /tmp/f; cat /tmp/f", "a\nb\n", 0),
    ("cat /config/key", "value", 0),
    ("cat <<EOF\nhi $N\nEOF", "hi 3\n", 0),
    ("cat <<'EOF'\nhi $N\nEOF", "hi $N\n", 0),
    ("cat /etc/motd | grep box | wc -l", "1\n", 0),
    ("sort -u /data.csv | cut -d, -f1", "a\nb\n", 0),
    ("sort /data.csv | uniq -c | head -n 1", "      2 a,1\n", 0),
    ("echo 'a b c' | awk '{print $3, $1}'", "c a\n", 0),
    ("echo hello | sed 's/l/L/g' | tr a-z A-Z", "HELLO\n", 0),
    ("printf '%s-%03d\\n' a 7", "a-007\n", 0),
    ("seq 3 | tr '\\n' ' '", "1 2 3 ", 0),
    ("echo $(echo a; echo b)", "a b\n", 0),
    ('echo "$(echo a; echo b)"', "a\nb\n", 0),
    ("a=$(false); echo $?", "1\n", 0),
    ("echo aGk= | base64 -d", "hi", 0),
    ("mkdir -p /a/b; touch /a/b/c; ls /a; ls /a/b", "b\nc\n", 0),
    ("cd /config && ls", "dir\nkey\n", 0),
    ("for f in /config/*; do echo $f; done", "/config/dir\n/config/key\n", 0),
    ("sh -c 'echo $0 $1' name arg", "name arg\n", 0),
    ("set -- a b c; shift; echo $# $1", "2 b\n", 0),
    ("yes | head -n 2", "y\ny\n", 0),
    ("sleep 5 | echo now", "now\n", 0),
    ("{ echo a; echo b; } > /tmp/x; wc -l < /tmp/x", "2\n", 0),
    ("trap 'echo bye' EXIT; echo hi", "hi\n", 0),
    ("trap 'echo bye' EXIT; exit 2", "bye\n", 2),
    ("echo {1..3} {a,b}c", "1 2 3 ac bc\n", 0),
    ("A=1 env | grep ^A=", "A=1\n", 0),
    ('[ 1 -eq 1 -a -n "x" ] && [[ $N == 3 ]] && echo both', "both\n", 0),
    ("read a b; echo $b $a", "2 3 1\n", 0),
    ("timeout 2 sleep 10; echo $?", "124\n", 0),
    ("echo a \\\n b # comment", "a b\n", 0),
    ("sleep 1 & wait; echo done", "done\n", 0),
    ("tty; [ -t 0 ] || echo none", "not a tty\nnone\n", 0),
    (
        "chroot /config cat /key; chroot /config ls /; chroot /config/dir sh -c 'pwd; cat inner'",
        "valuedir\nkey\n/\nx\n",
        0,
    ),
    ("set -x; echo a >/dev/null 2>&1; { true; } 2>/dev/null", "", 0),
    ("find /config -name 'i*'; find /config -maxdepth 1 -type d", "/config/dir/inner\n/config\n/config/dir\n", 0),
    ("hostname; whoami; id -u; pwd", "box\nroot\n0\n/\n", 0),
]


@pytest.mark.looptime
@pytest.mark.parametrize(("script", "shown", "code"), SCRIPTS)
async def test_scripts(script: str, shown: str, code: int) -> None:
    out, err, status = await play(script, "1 2 3\n")
    assert (out, status) == (shown, code), err


TROUBLES = [
    ("nosuch", "sh: nosuch: not found\n", 127),
    ("cat /nosuch", "cat: can't open '/nosuch': No such file or directory\n", 1),
    ("echo x > /config/key", "sh: can't create /config/key: Read-only file system\n", 1),
    ("echo x > /nodir/f", "sh: can't create /nodir/f: No such file or directory\n", 1),
    ("if true; then", 'sh: syntax error: unexpected end of file (expecting "fi")\n', 2),
    ("echo 'open", "sh: syntax error: unterminated quoted string\n", 2),
    ("echo $((1/0))", "sh: syntax error: divide by zero\n", 2),
    ("rm /nosuch", "rm: /nosuch: No such file or directory\n", 1),
    ("rm -rf /nosuch; wget -q http://nowhere", "wget: can't connect", 1),
    ("set -x; echo a >/dev/null 2>&1", "+ echo a\n", 0),
    ("chroot /nosuch ls", "chroot: cannot change root directory to '/nosuch': No such file or directory\n", 125),
    ("f() { f; }; f", "sh: syntax error: functions call one another too deeply\n", 2),
]


@pytest.mark.looptime
@pytest.mark.parametrize(("script", "said", "code"), TROUBLES)
async def test_what_goes_wrong_is_told_on_stderr(script: str, said: str, code: int) -> None:
    out, err, status = await play(script)
    assert out == ""
    assert status == code
    assert err == said or (said.endswith("connect") and err.startswith("wget:"))


@pytest.mark.looptime
async def test_a_trap_runs_when_the_command_in_front_is_over_and_wait_is_cut_short() -> None:
    for script, after in (
        ("trap 'echo bye; exit 0' TERM; while true; do sleep 3; done", 3.0),
        ("trap 'echo bye; exit 0' TERM; sleep 1000 & wait", 1.0),
    ):
        out: list[str] = []
        shell = Shell(world(), out.append)
        began = clock.now()
        running = asyncio.ensure_future(shell.run(script))
        await clock.sleep(1.0)
        assert shell.signals.raise_("TERM")
        assert await running == 0
        assert "".join(out) == "bye\n"
        assert abs(clock.now() - began - after) < 0.1
        shell.stop_jobs()


@pytest.mark.looptime
async def test_an_endless_loop_leaves_time_to_others() -> None:
    shell = Shell(world(), lambda text: None)
    running = asyncio.ensure_future(shell.run("while true; do :; done"))
    await clock.sleep(5.0)
    assert not running.done()
    running.cancel()


@pytest.mark.looptime
async def test_output_and_words_are_bounded() -> None:
    _, err, status = await play("a=xxxxxxxxxxxxxxxx; for i in $(seq 40); do a=$a$a; done")
    assert status == 2 and "too long" in err


async def test_netstat_tells_who_listens() -> None:
    out: list[str] = []
    inside = world()
    inside.net = SimpleNamespace(listening=lambda: [("tcp", 80), ("tcp", 8080), ("udp", 8081)])  # type: ignore[assignment]
    shell = Shell(inside, out.append, out.append, Input(""))
    assert await shell.run("netstat -na | grep LISTEN | grep -v 8080 | grep 80") == 0
    assert "".join(out).split() == ["tcp", "0", "0", ":::80", ":::*", "LISTEN"]
    assert await shell.run("netstat | grep LISTEN") == 1
