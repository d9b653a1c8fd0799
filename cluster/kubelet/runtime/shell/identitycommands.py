"""Commands that tell who and where one is: hostname, uname, whoami, id, ps."""

from __future__ import annotations

from cluster.kubelet.runtime.shell.interpreter import Handler, Shell


def _hostname(shell: Shell, args: list[str]) -> int:
    if "-f" in args:
        # What the hosts file says of the name.
        hosts = (shell.world.files.get("/etc/hosts") or b"").decode().splitlines()
        lines = [line.split() for line in hosts if shell.world.hostname in line.split()[1:]]
        shell.out(f"{lines[0][1] if lines else shell.world.hostname}\n")
        return 0
    if "-s" in args:
        shell.out(f"{shell.world.hostname.partition('.')[0]}\n")
        return 0
    if "-i" in args or "-I" in args:
        shell.out(f"{(shell.world.net.resolve(shell.world.hostname) or [''])[0] if shell.world.net else ''}\n")
        return 0
    shell.out(f"{shell.world.hostname}\n")
    return 0


def _tty(shell: Shell, args: list[str]) -> int:
    if "-s" not in args:
        shell.out("/dev/pts/0\n" if shell.world.terminal else "not a tty\n")
    return int(not shell.world.terminal)


def _uname(shell: Shell, args: list[str]) -> int:
    if any("a" in arg for arg in args if arg.startswith("-")):
        shell.out(f"Linux {shell.world.hostname} 6.12.0-kubeweb #1 SMP x86_64 GNU/Linux\n")
    elif "-r" in args:
        shell.out("6.12.0-kubeweb\n")
    elif "-m" in args:
        shell.out("x86_64\n")
    elif "-n" in args:
        shell.out(f"{shell.world.hostname}\n")
    else:
        shell.out("Linux\n")
    return 0


def _whoami(shell: Shell, args: list[str]) -> int:
    if shell.world.files.user == 0:
        shell.out("root\n")
        return 0
    shell.err(f"whoami: unknown uid {shell.world.files.user}\n")
    return 1


def _id(shell: Shell, args: list[str]) -> int:
    user, groups = shell.world.files.user, shell.world.files.groups
    flags = "".join(arg[1:] for arg in args if arg.startswith("-"))
    if "u" in flags:
        shell.out(f"{'root' if 'n' in flags and user == 0 else user}\n")
    elif "G" in flags:
        shell.out(" ".join(map(str, groups)) + "\n")
    elif "g" in flags:
        shell.out(f"{'root' if 'n' in flags and groups[0] == 0 else groups[0]}\n")
    else:
        named = [f"{number}(root)" if number == 0 else str(number) for number in groups]
        shell.out(f"uid={user}{'(root)' if user == 0 else ''} gid={named[0]} groups={','.join(named)}\n")
    return 0


def _ps(shell: Shell, args: list[str]) -> int:
    shell.out("PID   USER     TIME  COMMAND\n    1 root      0:00 /bin/sh\n")
    return 0


COMMANDS: dict[str, Handler] = {
    "tty": _tty,
    "hostname": _hostname,
    "uname": _uname,
    "whoami": _whoami,
    "id": _id,
    "ps": _ps,
}
