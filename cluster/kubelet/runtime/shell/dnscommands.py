"""Commands that ask the DNS: nslookup, dig, host, getent."""

from __future__ import annotations

from cluster.kubelet.runtime.hosts import lines_of
from cluster.kubelet.runtime.shell.interpreter import Handler, Shell
from cluster.kubelet.runtime.shell.world import Record

DNS_SERVER = "10.96.0.10"
KINDS = frozenset({"A", "AAAA", "SRV", "PTR", "CNAME", "TXT", "ANY"})


def _ask(shell: Shell, name: str, kind: str, *, search: bool = True) -> list[Record]:
    return shell.world.net.query(name, kind, search=search) if shell.world.net is not None else []


def _reverse(name: str) -> str:
    """The name to ask for an address; empty when it is none."""
    parts = name.split(".")
    if len(parts) == 4 and all(part.isdigit() for part in parts):
        return ".".join(reversed(parts)) + ".in-addr.arpa."
    return ""


def _nslookup(shell: Shell, args: list[str]) -> int:
    """busybox's: the name with its domain, once for each address."""
    names = [arg for arg in args if not arg.startswith("-")]
    kinds = [arg.partition("=")[2].upper() for arg in args if arg.startswith(("-type=", "-query=", "-q="))]
    if not names:
        return 1
    shell.out(f"Server:\t\t{DNS_SERVER}\nAddress:\t{DNS_SERVER}:53\n\n")
    name, kind = names[0], kinds[0] if kinds else "A"
    reverse = _reverse(name)
    found = _ask(shell, reverse or name, "PTR" if reverse else kind)
    if not found:
        shell.out(f"** server can't find {name}: NXDOMAIN\n\n")
        return 1
    for owner, what, data in found:
        shown = owner.rstrip(".")
        if what == "A":
            shell.out(f"Name:\t{shown}\nAddress: {data}\n")
        elif what == "CNAME":
            shell.out(f"{shown}\tcanonical name = {data.rstrip('.')}\n")
        elif what == "PTR":
            shell.out(f"{shown}\tname = {data.rstrip('.')}\n")
        else:
            shell.out(f"{shown}\t{'service' if what == 'SRV' else 'text'} = {data}\n")
    shell.out("\n")
    return 0


def _dig(shell: Shell, args: list[str]) -> int:
    kind, name, reverse = "A", "", False
    words = [arg for arg in args if not arg.startswith("@")]
    options = {word[1:] for word in words if word.startswith("+")}
    for word in words:
        if word.upper() in KINDS:
            kind = word.upper()
        elif word == "-x":
            reverse = True
        elif not word.startswith(("+", "-")) and word.upper() not in ("IN", "CH"):
            name = word
    if reverse:
        name, kind = _reverse(name), "PTR"
    if not name:
        return 1
    found = _ask(shell, name, kind, search="search" in options)
    if "short" in options:
        shell.out("".join(f"{data}\n" for _, _, data in found))
        return 0
    quiet = "noall" in options
    if not quiet:
        status = "NOERROR" if found else "NXDOMAIN"
        shell.out(f"; <<>> DiG 9.20 <<>> {' '.join(args)}\n;; Got answer:\n")
        shell.out(
            f";; ->>HEADER<<- opcode: QUERY, status: {status}, id: 1\n;; flags: qr aa rd; QUERY: 1, ANSWER: {len(found)}\n\n"
        )
        shell.out(f";; QUESTION SECTION:\n;{name.rstrip('.')}.\t\tIN\t{kind}\n\n")
    if found and (not quiet or "answer" in options):
        shell.out("" if quiet else ";; ANSWER SECTION:\n")
        shell.out("".join(f"{owner}\t30\tIN\t{what}\t{data}\n" for owner, what, data in found))
    if not quiet:
        shell.out(f"\n;; SERVER: {DNS_SERVER}#53({DNS_SERVER})\n\n")
    return 0


def _host(shell: Shell, args: list[str]) -> int:
    name = next((arg for arg in args if not arg.startswith("-")), "")
    found = _ask(shell, name, "A")
    if not found:
        shell.out(f"Host {name} not found: 3(NXDOMAIN)\n")
        return 1
    for owner, what, data in found:
        said = f"is an alias for {data}" if what == "CNAME" else f"has address {data}"
        shell.out(f"{owner.rstrip('.')} {said}\n")
    return 0


def _getent(shell: Shell, args: list[str]) -> int:
    """What the hosts file knows, else the DNS."""
    if len(args) < 2 or args[0] not in ("hosts", "ahosts", "ahostsv4"):
        return 1
    name = args[1]
    shown = lines_of((shell.world.files.get("/etc/hosts") or b"").decode("utf-8", "replace"), name)
    shown = shown or [(data, [owner.rstrip(".")]) for owner, what, data in _ask(shell, name, "A") if what == "A"]
    shell.out("".join(f"{address:<15} {' '.join(names)}\n" for address, names in shown))
    return 0 if shown else 2


COMMANDS: dict[str, Handler] = {"nslookup": _nslookup, "dig": _dig, "host": _host, "getent": _getent}
