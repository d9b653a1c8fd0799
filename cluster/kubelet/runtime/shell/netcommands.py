"""nc, telnet, ping and netstat: connections and packets to the cluster's own Services and pods, and nothing beyond."""

from __future__ import annotations

import re

from cluster import clock
from cluster.kubelet.runtime.shell.interpreter import Handler, Shell
from cluster.kubelet.runtime.shell.netarguments import option_words, seconds
from cluster.kubelet.runtime.shell.options import whole


async def _nc(shell: Shell, args: list[str]) -> int:
    options = option_words(args, frozenset("wpi"))
    given = {name: text for name, text in options if name}
    if "l" in given:
        port = given.get("p") or next((text for name, text in options if not name), "")
        if shell.world.process is None or whole(port) is None:
            return 1
        return await shell.world.process.serve("nc", [port])
    operands = [text for name, text in options if not name]
    port_number = whole(operands[1]) if len(operands) > 1 else None
    if port_number is None:
        shell.err("nc: usage: nc [-zv] [-w SEC] HOST PORT\n")
        return 1
    host = operands[0]
    if shell.world.net is None:
        return 1
    if "u" in given:
        return await _datagram(shell, host, port_number, given)
    trouble = await shell.world.net.connect(host, port_number, seconds(given.get("w", "10")))
    if "v" in given:
        if not trouble:
            shell.err(f"{host} ({host}:{port_number}) open\n")
        else:
            shell.err(f"nc: {host} ({host}:{port_number}): {trouble.rpartition(': ')[2]}\n")
    if trouble or "z" in given:
        return int(bool(trouble))
    text = await shell.stdin.read()
    match = re.match(r"(GET|POST|HEAD) (\S+)", text)
    if match:
        answer = await shell.world.net.http(
            host, port_number, match[2], method=match[1], headers={}, body=b"", timeout=10.0
        )
        if answer.status:
            shell.out(f"HTTP/1.1 {answer.status} {answer.reason}\r\n\r\n{answer.body}")
    return 0


async def _datagram(shell: Shell, host: str, port: int, given: dict[str, str]) -> int:
    """`nc -u`: one packet there, and one back if there is one. Nobody answers to say that a port is open."""
    assert shell.world.net is not None
    if "z" in given:
        if "v" in given:
            shell.err(f"{host} ({host}:{port}) open\n")
        return 0
    text = await shell.stdin.read()
    answer = await shell.world.net.datagram(host, port, text, seconds(given.get("w", "3")))
    if answer is not None:
        shell.out(answer)
    return 0


async def _ping(shell: Shell, args: list[str]) -> int:
    options = option_words(args, frozenset("cWiw"))
    host = next((text for name, text in options if not name), "")
    wanted = next((text for name, text in options if name == "c"), "1000000000")
    count = whole(wanted)
    if not count:
        shell.err(f"ping: invalid number '{wanted}'\n")
        return 1
    found = shell.world.net.resolve(host) if shell.world.net else []
    if not found:
        shell.err(f"ping: bad address '{host}'\n")
        return 1
    shell.out(f"PING {host} ({found[0]}): 56 data bytes\n")
    assert shell.world.net is not None
    got = sent = 0
    while sent < count:
        trouble = await shell.world.net.connect(found[0], 0, 1.0)
        if not trouble or "refused" in trouble:
            shell.out(f"64 bytes from {found[0]}: seq={sent} ttl=64 time=0.100 ms\n")
            got += 1
        sent += 1
        if sent < count:
            await clock.sleep(1.0)
    loss = round(100 * (sent - got) / sent)
    shell.out(f"\n--- {host} ping statistics ---\n")
    shell.out(f"{sent} packets transmitted, {got} packets received, {loss}% packet loss\n")
    return int(got == 0)


def _netstat(shell: Shell, args: list[str]) -> int:
    """Who listens; connections come and go too fast to be seen."""
    shell.out("Active Internet connections (servers and established)\n")
    shell.out("Proto Recv-Q Send-Q Local Address           Foreign Address         State       \n")
    asked = {letter for arg in args if arg.startswith("-") for letter in arg[1:]}
    for protocol, port in shell.world.net.listening() if shell.world.net else ():
        if not asked & {"a", "l"} or (asked & {"t", "u"} and protocol[0] not in asked):
            continue
        state = "LISTEN" if protocol == "tcp" else ""
        shell.out(f"{protocol}        0      0 {f':::{port}':<23} {':::*':<23} {state:<12}\n")
    return 0


COMMANDS: dict[str, Handler] = {
    "netstat": _netstat,
    "nc": _nc,
    "netcat": _nc,
    "telnet": _nc,
    "ping": _ping,
}
