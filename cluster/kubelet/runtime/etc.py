"""What every container finds in its own file system before its process starts: /etc, /proc, the termination log."""

from __future__ import annotations

from functools import partial

from cluster.kubelet.runtime.container import Container
from cluster.kubelet.runtime.servers import SITES
from cluster.kubelet.runtime.shell.files import Files, root_of
from cluster.kubelet.runtime.tree import Attributes, Tree

_RELEASE = 'NAME="KubeWeb simulated image"\nID=kubeweb\nVERSION_ID="1"\nPRETTY_NAME="KubeWeb simulated image"\n'
_SYSCTLS = {
    "kernel.shm_rmid_forced": "0",
    "kernel.hostname": "",
    "net.core.somaxconn": "4096",
    "net.ipv4.ip_forward": "1",
    "net.ipv4.ip_local_port_range": "32768\t60999",
    "net.ipv4.ip_unprivileged_port_start": "0",
    "net.ipv4.ping_group_range": "0\t2147483647",
    "net.ipv4.tcp_syncookies": "1",
    "vm.max_map_count": "262144",
}


def files_of(container: Container) -> Files:
    """The container's tree with everything mounted into it."""
    config = container.config
    files = Files(
        fresh(container) if config.layer is None else config.layer(container.id, partial(fresh, container)),
        user=_user(container),
        groups=config.groups,
        read_only=config.read_only_root,
    )
    # The kubelet's own files stay writable where the rest is not.
    last_words = Tree({"log": b""})
    last_words.attributes["log"] = Attributes(0o666)
    files.mount(config.termination_path, last_words, "log")
    for mount in config.mounts:
        files.mount(mount.path, mount.files, mount.sub_path, read_only=mount.read_only)
    return files


def _user(container: Container) -> int:
    return container.profile.user if container.config.user is None else container.config.user


def fresh(container: Container) -> Tree:
    """The container's own files as its image and its pod make them."""
    config, sandbox = container.config, container.sandbox.config
    user = _user(container)
    sysctls = {**_SYSCTLS, "kernel.hostname": sandbox.hostname, **dict(sandbox.sysctls)}
    own = {
        "etc/hostname": f"{sandbox.hostname}\n",
        "etc/hosts": sandbox.hosts,
        "etc/resolv.conf": sandbox.resolver,
        "etc/passwd": "root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/home:/bin/false\n",
        "etc/group": "root:x:0:\nnobody:x:65534:\n",
        "etc/os-release": _RELEASE,
        "proc/uptime": "0.00 0.00\n",
        "proc/self/uid_map": "         0          0 4294967295\n",
        "proc/self/status": (
            f"Name:\t{container.first or 'sh'}\nState:\tR (running)\nUid:\t{user}\t{user}\t{user}\t{user}\n"
            f"NoNewPrivs:\t{int(config.no_new_privileges)}\nSeccomp:\t{2 if config.seccomp else 0}\n"
        ),
        "proc/1/comm": f"{container.first or 'sh'}\n",
        **{f"proc/sys/{name.replace('.', '/')}": f"{text}\n" for name, text in sysctls.items()},
    }
    if container.profile.program in SITES:
        root, page = SITES[container.profile.program]
        own[f"{root.strip('/')}/index.html"] = page
    own.update(container.profile.files)
    tree = root_of({name: text.encode() for name, text in own.items()})
    if config.working_dir:
        tree.directories.add(config.working_dir.strip("/"))
    return tree
