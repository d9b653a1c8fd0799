"""What commands about files have in common: their options and operands."""

from __future__ import annotations

from collections.abc import Callable

from cluster.kubelet.runtime.shell.files import FileTrouble
from cluster.kubelet.runtime.shell.interpreter import Shell


def operands(args: list[str]) -> list[str]:
    """What is no option."""
    return [arg for arg in args if not arg.startswith("-")]


def has(args: list[str], letter: str) -> bool:
    """Whether a short option is given."""
    return any(letter in arg for arg in args if arg.startswith("-") and not arg.startswith("--"))


def each(shell: Shell, program: str, args: list[str], act: Callable[[str], object]) -> int:
    """Do something with each operand; what goes wrong is told, and the rest is done."""
    status = 0
    for name in operands(args):
        try:
            act(shell.world.path(name))
        except FileTrouble as error:
            shell.err(f"{program}: {name}: {error}\n")
            status = 1
    return status
