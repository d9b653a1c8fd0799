"""agnhost, the image of Kubernetes' own tests: the subcommands that do something and end, or write while they run."""

from __future__ import annotations

from collections.abc import Callable

from cluster import clock
from cluster.kubelet.runtime.shell.files import FileTrouble
from cluster.kubelet.runtime.shell.interpreter import Handler, Shell
from cluster.kubelet.runtime.shell.issuer import issuer_discovery
from cluster.kubelet.runtime.shell.options import duration, flag, klog, whole

TMPFS, OVERLAY, EXT4 = "tmpfs", 0x794C7630, 0xEF53
NEW_FILE = "mount-tester new file\n"
METHODS, NAMESPACES = ("GET", "POST", "PUT"), ("kube-system", "default", "ns")


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def go_mode(mode: int, kind: str = "-") -> str:
    """A file mode as Go prints it: dtrwxrwxrwx, dgrwxrwxrwx, -rw-r--r--."""
    special = ("u" if mode & 0o4000 else "") + ("g" if mode & 0o2000 else "") + ("t" if mode & 0o1000 else "")
    head = ("d" if kind == "d" else "") + special or "-"
    return head + "".join(letter if mode >> (8 - at) & 1 else "-" for at, letter in enumerate("rwxrwxrwx"))


class _MountTest:
    """`mounttest`: what it is told to look at, in the program's own order."""

    def __init__(self, shell: Shell, args: list[str]) -> None:
        self.shell, self.files, self.args = shell, shell.world.files, args
        self.failed = False

    async def run(self) -> int:
        for name, act in (("fs_type", self.medium),):
            self._each(name, act)
        for mode in ("0644", "0666", "0660", "0777"):
            self._each(f"new_file_{mode}", lambda path, mode=mode: self.write(path, int(mode, 8)))  # type: ignore[misc]
        for name, act in (
            ("file_mode", self.mode),
            ("file_perm", self.permissions),
            ("file_owner", self.owner),
            ("file_content", self.content),
        ):
            self._each(name, act)
        path = flag(self.args, "file_content_in_loop")
        if path:
            await self.watch(path)
        return int(self.failed)

    def _each(self, name: str, act: Callable[[str], None]) -> None:
        path = flag(self.args, name)
        if not path:
            return
        try:
            act(path)
        except FileTrouble as error:
            self.failed = True
            doing = {"fs_type": "error from statfs(", "file_content": "error reading file content for "}.get(name)
            doing = doing or ("error writing new file " if name.startswith("new") else "error from Stat(")
            shown = _quoted(path) + (")" if doing.endswith("(") else "")
            self.shell.out(f"{doing}{shown}: open {path}: {str(error).lower()}\n")

    def _there(self, path: str) -> None:
        if not self.files.exists(path):
            raise FileTrouble("No such file or directory")

    def medium(self, path: str) -> None:
        self._there(path)
        medium = self.files.mounted_at(path).tree.medium
        shown = TMPFS if medium == TMPFS else str(OVERLAY if medium == "overlay" else EXT4)
        self.shell.out(f"mount type of {_quoted(path)}: {shown}\n")

    def write(self, path: str, mode: int) -> None:
        self.files.put(path, NEW_FILE.encode(), mode)
        self.content(path)

    def mode(self, path: str) -> None:
        self._there(path)
        kind = "d" if self.files.is_directory(path) else "-"
        self.shell.out(f"mode of file {_quoted(path)}: {go_mode(self.files.attributes(path).mode, kind)}\n")

    def permissions(self, path: str) -> None:
        self._there(path)
        self.shell.out(f"perms of file {_quoted(path)}: {go_mode(self.files.attributes(path).mode & 0o777)}\n")

    def owner(self, path: str) -> None:
        self._there(path)
        found = self.files.attributes(path)
        self.shell.out(f"owner UID of {_quoted(path)}: {found.uid}\nowner GID of {_quoted(path)}: {found.gid}\n")

    def content(self, path: str) -> None:
        found = self.files.read(path)
        if found is None:
            raise FileTrouble("No such file or directory")
        self.shell.out(f"content of file {_quoted(path)}: {found.decode('utf-8', 'replace')}\n")

    async def watch(self, path: str) -> None:
        """Read again every two seconds, until the time is over or the content is what a mount tester writes."""
        wanted = flag(self.args, "break_on_expected_content", "true") != "false"
        seconds = whole(flag(self.args, "retry_time", "180"))
        ends = clock.now() + (180.0 if seconds is None else seconds)
        while clock.now() < ends:
            self.failed = False
            try:
                self.content(path)
                if wanted and (self.files.get(path) or b"").decode("utf-8", "replace") == NEW_FILE:
                    return
                if wanted:
                    self.shell.out(f"Unexpected content. Expected: {NEW_FILE}. Retrying")
            except FileTrouble as error:
                self.failed = True
                self.shell.out(f"Error reading file {path}: open {path}: {str(error).lower()}, retrying\n")
            await clock.sleep(2.0)


async def _mounttest(shell: Shell, args: list[str]) -> int:
    return await _MountTest(shell, args).run()


async def _connect(shell: Shell, args: list[str]) -> int:
    """Say in one word why a connection cannot be made."""
    place = next((arg for arg in args if not arg.startswith("-")), "")
    host, _, text = place.rpartition(":")
    port = whole(text)
    protocol, timeout = flag(args, "protocol", "tcp"), duration(flag(args, "timeout", "0")) or 60.0
    if not host or port is None:
        shell.err(f"UNKNOWN: address {place}: missing port in address\n")
        return 1
    net = shell.world.net
    if net is None or not net.resolve(host.strip("[]")):
        shell.err(f"DNS: lookup {host} on 10.96.0.10:53: no such host\n")
        return 1
    if protocol == "udp":
        answer = await net.datagram(host, port, flag(args, "udp-data", "hostname"), timeout)
        trouble = "" if answer is not None else "i/o timeout"
    else:
        trouble = await net.connect(host, port, timeout)
    if not trouble:
        return 0
    word = "REFUSED" if "refused" in trouble else "TIMEOUT" if "timeout" in trouble else f"OTHER: {trouble}"
    shell.err(f"{word}\n")
    return 1


def _resolver(shell: Shell, word: str) -> list[str]:
    text = (shell.world.files.get("/etc/resolv.conf") or b"").decode()
    return [part for line in text.splitlines() if line.startswith(word + " ") for part in line.split()[1:]]


def _dns_suffix(shell: Shell, args: list[str]) -> int:
    shell.out(",".join(_resolver(shell, "search")) + "\n")
    return 0


def _dns_servers(shell: Shell, args: list[str]) -> int:
    shell.out(",".join(_resolver(shell, "nameserver")) + "\n")
    return 0


def _etc_hosts(shell: Shell, args: list[str]) -> int:
    shell.out((shell.world.files.get("/etc/hosts") or b"").decode())
    return 0


async def _logs_generator(shell: Shell, args: list[str]) -> int:
    """So many lines as an API server would write them, evenly over a time."""
    text = flag(args, "log-lines-total", flag(args, "t", "0"))
    total = whole(text) or 0
    over = duration(flag(args, "run-duration", flag(args, "d", "0")))
    if not total:
        shell.err(klog(f"Invalid total number of lines: {text}", "F", "logs_generator.go:69") + "\n")
        return 255
    if over <= 0:
        shell.err(klog("Invalid duration: 0s", "F", "logs_generator.go:73") + "\n")
        return 255
    for number in range(total):
        path = f"/api/v1/namespaces/{NAMESPACES[number // 3 % 3]}/pods/{'abcdefghij'[number % 10] * 3}"
        shell.out(
            klog(f"{number} {METHODS[number % 3]} {path} {200 + number * 37 % 400}", "I", "logs_generator.go:76") + "\n"
        )
        await clock.sleep(over / total)
    return 0


async def _in_cluster_client(shell: Shell, args: list[str]) -> int:
    """Call /healthz for ever with the token of the pod's ServiceAccount, which is read again each time."""
    import base64
    import hashlib

    every = float(whole(flag(args, "poll-interval", "30")) or 30)
    shell.err(klog("started", "I", "main.go:61") + "\n")
    while True:
        await clock.sleep(every)
        shell.err(klog("calling /healthz", "I", "main.go:79") + "\n")
        token = shell.world.files.get("/var/run/secrets/kubernetes.io/serviceaccount/token") or b""
        digest = hashlib.sha256(b"salt|Bearer " + token).digest()
        shown = base64.urlsafe_b64encode(digest).rstrip(b"=").decode() if token else "<empty>"
        shell.err(klog(f"authz_header={shown}", "I" if token else "E", "main.go:101") + "\n")


def _no_new_privileges(shell: Shell, args: list[str]) -> int:
    """A setuid program: it becomes root unless that is forbidden."""
    shell.out(f"Effective uid: {shell.world.files.user if shell.world.no_new_privileges else 0}\n")
    return 0


SUBCOMMANDS: dict[str, Handler] = {
    "mounttest": _mounttest,
    "connect": _connect,
    "dns-suffix": _dns_suffix,
    "dns-server-list": _dns_servers,
    "etc-hosts": _etc_hosts,
    "logs-generator": _logs_generator,
    "inclusterclient": _in_cluster_client,
    "test-service-account-issuer-discovery": issuer_discovery,
}


def agnhost(name: str) -> Handler:
    """The program, called by this name."""

    async def run(shell: Shell, args: list[str]) -> int:
        command = next((arg for arg in args if not arg.startswith("-")), "pause")
        rest = args[args.index(command) + 1 :] if command in args else []
        if command == "entrypoint-tester":
            shell.out(f"[/{name} {' '.join(args)}]\n")
            return 0
        found = SUBCOMMANDS.get(command)
        if found is not None:
            answer = found(shell, rest)
            return answer if isinstance(answer, int) else await answer
        if shell.world.process is None:
            return 1
        return await shell.world.process.serve(name, args)

    return run


COMMANDS: dict[str, Handler] = {
    "agnhost": agnhost("agnhost"),
    "agnhost-2": agnhost("agnhost-2"),
    **dict.fromkeys(("nnp", "nonewprivs"), _no_new_privileges),
}
