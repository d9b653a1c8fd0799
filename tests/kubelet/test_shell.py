"""The small shell against what busybox's ash prints and returns for the same script."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace

import pytest

from cluster import clock
from cluster.kubelet.runtime.shell.files import Files, root_of
from cluster.kubelet.runtime.shell.interpreter import Shell
from cluster.kubelet.runtime.shell.world import Input, World
from cluster.kubelet.runtime.tree import Tree


def world() -> World:
    files = Files(root_of({"/etc/motd": b"welcome\nto the box\n", "/data.csv": b"b,2\na,1\na,1\n"}))
    files.mount("/config", Tree({"key": b"value", "dir/inner": b"x\n"}), read_only=True)
    return World({"NAME": "x y", "EMPTY": "", "N": "3", "MANY": "x" * 1000}, "box", files)


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
    (
        "dd if=/dev/zero bs=1kB count=2 of=/z; wc -c </z; dd if=/dev/zero bs=2 count=1k of=/z; wc -c </z",
        "2000\n2048\n",
        0,
    ),
    ("echo $((99999999999999999999999)); echo $((0 - 99999999999999999999999))", f"{2**63 - 1}\n{-(2**63 - 1)}\n", 0),
    ("yes | head -c 5; yes | head -c 300000 | wc -c; printf '\303\251' | head -c 1 | wc -c", "y\ny\ny300000\n1\n", 0),
    ("dd if=/dev/zero bs=5M count=1 | wc -c; dd if=/dev/zero bs=6M count=5 | cat | wc -c", "5242880\n31457280\n", 0),
    ("yes | (head -n 1; head -n 1); yes | sleep 1; (yes; echo never) | head -n 1", "y\ny\ny\n", 0),
    ("seq 3 | while read i; do echo $i | cat; done", "1\n2\n3\n", 0),
    ("while true; do echo $MANY; done | sleep 3; echo on", "on\n", 0),
    ("(seq 100000; echo after > /after) | sleep 3; test -f /after || echo none", "none\n", 0),
    ("mkdir /d; ln -s /d /l; mv /l /l/x; readlink /d/x", "/d\n", 0),
    ("ln -s /etc/motd /l; mv /data.csv /l; cat /l; head -n 1 /etc/motd", "b,2\na,1\na,1\nwelcome\n", 0),
    ("ln -s a /l; ln -s b /m; cp -r /l /m; readlink /m; mv /l /m; readlink /m /l", "a\na\n", 1),
    (
        "mkdir -p /b/c; ln -s /b /b/c/up; find -L /b; cp -rL /b /copy; find /copy",
        "/b\n/b/c\n/b/c/up\n/copy\n/copy/c\n/copy/c/up\n",
        0,
    ),
    ("mkdir /b /t; touch /t/f; ln -s /t /b/x; ln -s /t /b/y; find -L /b -type f", "/b/x/f\n/b/y/f\n", 0),
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
    ("dd bs=²", "dd: invalid number '²'\n", 1),
    ("dd bs=0", "dd: number 0 is not in 1..9223372036854775807 range\n", 1),
    ("dd count=99999999999999999999", "dd: invalid number '99999999999999999999'\n", 1),
    ("dd count=9999999999999999G", "dd: number 9999999999999999G is not in 0..9223372036854775807 range\n", 1),
    ("dd if=/etc/motd of=/x seek=99999999999999", "dd: writing '/x': No space left on device\n", 1),
    ("dd if=/etc/motd of=/x bs=1M seek=16", "dd: writing '/x': No space left on device\n", 1),
    ("dd if=/etc/motd of=/config/key", "dd: can't open '/config/key': Read-only file system\n", 1),
    ("find / -maxdepth ²", "find: invalid number '²'\n", 1),
    ("shift ²", "sh: shift: Illegal number: ²\n", 2),
    ("kill ²", "sh: kill: invalid number '²'\n", 1),
    ("kill -9 --5", "sh: kill: invalid number '--5'\n", 1),
    ("[ ² -eq 2 ]", "sh: ²: bad number\n", 1),
    ("[ 1 -eq 99999999999999999999 ]", "sh: 99999999999999999999: bad number\n", 1),
    ("echo abc | head -c ²", "head: invalid number '²'\n", 1),
    ("ping -c ² box", "ping: invalid number '²'\n", 1),
    ("sleep nan", "sleep: invalid number 'nan'\n", 1),
    ("timeout x true", "timeout: invalid number 'x'\n", 125),
    ("exit --5", "", 0),
    ("exit 99999999999999999999999", "", 0),
    ("ln -s /l /l; for f in /l/*; do :; done", "sh: Symbolic link loop\n", 1),
    ("mv /etc/motd /etc/motd", "mv: '/etc/motd' and '/etc/motd' are the same file\n", 1),
    ("cd /etc; cp motd ./motd", "cp: 'motd' and './motd' are the same file\n", 1),
    ("ln -s /etc /e; mv /e/motd /etc", "mv: '/e/motd' and '/etc/motd' are the same file\n", 1),
    ("ln -s /etc/motd /l; cp /l /etc/motd", "cp: '/l' and '/etc/motd' are the same file\n", 1),
    ("ln -s /etc/motd /l; mv /l /etc/motd", "mv: '/l' and '/etc/motd' are the same file\n", 1),
    ("cd /; mkdir a; mv a a/b", "mv: cannot move 'a' to a subdirectory of itself, 'a/b'\n", 1),
    ("cd /; mkdir -p a/b; mv a a/b", "mv: cannot move 'a' to a subdirectory of itself, 'a/b/a'\n", 1),
    ("cd /; mkdir a; mv a a", "mv: cannot move 'a' to a subdirectory of itself, 'a/a'\n", 1),
    ("cd /; mkdir a; cp -r a a/b", "cp: cannot copy a directory, 'a', into itself, 'a/b'\n", 1),
]


@pytest.mark.looptime
@pytest.mark.parametrize("script", ["mv /etc /etc/x", "mv /etc/motd /etc", "cp -r /etc /etc", "cp /etc/motd /etc/motd"])
async def test_nothing_is_lost_by_moving_it_onto_or_into_itself(script: str) -> None:
    assert await play(f"{script} 2>/dev/null; cat /etc/motd; ls /etc") == ("welcome\nto the box\nmotd\n", "", 0)


@pytest.mark.looptime
async def test_one_volume_at_two_places_is_one() -> None:
    inside, err = world(), []
    volume = Tree({"f": b"x", "d/g": b"y"})
    inside.files.mount("/one", volume)
    inside.files.mount("/two", volume)
    shell = Shell(inside, err.append)
    assert await shell.run("mv /one/f /two; mv /one/d /two/d/e") == 1
    assert volume == {"f": b"x", "d/g": b"y"}
    assert err == [
        "mv: '/one/f' and '/two/f' are the same file\n",
        "mv: cannot move '/one/d' to a subdirectory of itself, '/two/d/e'\n",
    ]


@pytest.mark.looptime
async def test_a_ladder_of_links_is_not_climbed_on_all_its_ways() -> None:
    ladder = (
        "mkdir -p /l/0; for i in $(seq 15); do b=$((i-1)); mkdir /l/$i; ln -s /l/$i /l/$b/x; ln -s /l/$i /l/$b/y; done"
    )
    out, err, status = await play(f"{ladder}; find -L /l/0")
    assert status == 1 and err == "find: /l/0: Too many levels of symbolic links\n"
    assert 16 < out.count("\n") < 5000


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
