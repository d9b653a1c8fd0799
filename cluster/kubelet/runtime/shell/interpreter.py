"""The small shell: what the commands of examples and tests come to, without running anything.

Every wait goes through the cluster's clock; a loop that never waits leaves time to the rest of the cluster all the same. Signals are
heard between commands, and at once while the shell waits for its background jobs, as POSIX has it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from fnmatch import fnmatchcase

from cluster import clock
from cluster.kubelet.runtime.shell import arithmetic
from cluster.kubelet.runtime.shell.control import Exit, Leave, Return
from cluster.kubelet.runtime.shell.expansion import Expander
from cluster.kubelet.runtime.shell.files import FileTrouble
from cluster.kubelet.runtime.shell.processes import crashed, flow, in_its_own
from cluster.kubelet.runtime.shell.programs import SERVERS
from cluster.kubelet.runtime.shell.redirection import redirect
from cluster.kubelet.runtime.shell.syntax import (
    AndOr,
    Case,
    Command,
    For,
    Function,
    Group,
    If,
    Loop,
    Node,
    Pipeline,
    Sequence,
    SyntaxTrouble,
    parse,
)
from cluster.kubelet.runtime.shell.world import PROMPT, Input, Out, Signals, World

# How many commands one run may take without waiting: an endless loop without a sleep would hold up everybody.
BUSY = 200
# Characters that may be caught of one command's output.
MAX_CAUGHT = 4 * 1024 * 1024
MAX_DEPTH = 40
# Characters that are written at once where there is much.
PIECE = 1024 * 1024


class Caught:
    """Collects output, up to a bound."""

    def __init__(self) -> None:
        self._parts: list[str] = []
        self._size = 0

    def write(self, text: str) -> None:
        self._size += len(text)
        if self._size > MAX_CAUGHT:
            raise SyntaxTrouble("output too large")
        self._parts.append(text)

    @property
    def text(self) -> str:
        return "".join(self._parts)


class Shell:
    """One shell process. `out` and `err` take text as it comes, whole lines or not."""

    def __init__(self, world: World, out: Out, err: Out | None = None, stdin: Input | None = None) -> None:
        self.world = world
        self.out = out
        self.err = err or out
        self.stdin = stdin or Input()
        # Waits while those who read what the process writes are behind; None where nobody reads it.
        self.room: Callable[[], Awaitable[None]] | None = None
        self.status = 0
        self.args: list[str] = []
        self.name = "sh"
        self.options: set[str] = set()
        self.signals = Signals()
        self.functions: dict[str, Node] = {}
        self.jobs: list[asyncio.Task[int]] = []
        self.depth = 0
        self._steps = 0
        self._tested = 0
        # The status of the latest command substitution: an assignment's own.
        self._substituted = 0
        self.expander = Expander(self)

    # -- entrances ---------------------------------------------------------------------------------------------------

    async def run(self, script: str) -> int:
        """The exit code. The caller may cancel it: that is SIGKILL."""
        ended = await self.line(script)
        return self.status if ended is None else ended

    async def line(self, text: str) -> int | None:
        """One line of an interactive shell; the exit code when it ended the shell."""
        try:
            await self.evaluate(parse(text))
        except Exit as end:
            self.status = end.code
            await self._at_exit()
            return self.status
        except Leave:
            pass
        except (SyntaxTrouble, RecursionError) as error:
            # What a script gets wrong is told as a shell tells it: status 2.
            self.err(f"{self.name}: syntax error: {error}\n")
            self.status = 2
        except FileTrouble as error:
            self._complain(str(error))
        return None

    async def dialogue(self) -> int:
        """Lines as they are typed, until `exit` or the end; the exit code."""
        while True:
            if self.world.terminal:
                self.out(PROMPT)
            text = await self.stdin.line()
            if text is None:
                return self.status
            ended = await self.line(text)
            if ended is not None:
                return ended

    async def command(self, words: list[str]) -> int:
        """One command given as words, as exec does; the exit code."""
        try:
            self.status = await self.call(words)
        except Exit as end:
            self.status = end.code
        except FileTrouble as error:
            self.err(f"{words[0]}: {error}\n")
            self.status = 1
        except (Leave, SyntaxTrouble, RecursionError) as error:
            self.err(f"{self.name}: {error}\n")
            self.status = 2
        return self.status

    async def _at_exit(self) -> None:
        handler = self.signals.traps.pop("EXIT", "")
        if handler:
            status = self.status
            ended = await self.line(handler)
            self.status = status if ended is None else ended

    def child(self, out: Out | None = None, stdin: Input | None = None, *, own: bool = False) -> Shell:
        """A shell like this one, in the same container. `own`: its variables and directory are its own (a subshell)."""
        if self.depth >= MAX_DEPTH:
            raise SyntaxTrouble("too many nested shells")
        world = self.world.beside() if own else self.world
        shell = Shell(world, out or self.out, self.err, stdin or self.stdin)
        shell.args, shell.name, shell.functions, shell.depth = self.args, self.name, self.functions, self.depth + 1
        shell.options = set(self.options)
        shell.status = self.status
        shell.room = self.room if out is None else None
        return shell

    async def catch(self, script: str) -> str:
        """What a command substitution prints, without the newlines at its end."""
        caught = Caught()
        inner = self.child(caught.write, own=True)
        self.status = self._substituted = await inner.run(script)
        return caught.text.rstrip("\n")

    # -- signals -----------------------------------------------------------------------------------------------------

    async def hear(self) -> None:
        """Run the handlers of signals that came in."""
        while self.signals.pending:
            handler = self.signals.traps.get(self.signals.pending.pop(0), "")
            self.signals.bell.clear()
            if handler:
                status = self.status
                await self.evaluate(parse(handler))
                self.status = status

    async def wait(self, jobs: list[asyncio.Task[int]]) -> int:
        """Until these jobs have ended, or a signal that is trapped comes in (then 143)."""
        while pending := [job for job in jobs if not job.done()]:
            bell = asyncio.ensure_future(self.signals.bell.wait())
            try:
                await asyncio.wait((*pending, bell), return_when=asyncio.FIRST_COMPLETED)
            finally:
                bell.cancel()
            if self.signals.pending:
                await self.hear()
                return 143
        return jobs[-1].result() if jobs and not jobs[-1].cancelled() else 0

    def stop_jobs(self) -> None:
        """What runs in the background ends with the container."""
        for job in self.jobs:
            job.cancel()

    # -- the tree ----------------------------------------------------------------------------------------------------

    async def evaluate(self, node: Node) -> None:
        """Run a node; its status is in `status`."""
        match node:
            case Command():
                await self._command(node)
            case Sequence():
                for part, background in node.parts:
                    if background:
                        self._start(part)
                    else:
                        await self.evaluate(part)
                        if self.signals.pending:
                            await self.hear()
                        if self.status and "e" in self.options and not self._tested and _may_end(part):
                            raise Exit(self.status)
            case AndOr():
                await self._test(node.left)
                if (self.status == 0) == (node.operator == "&&"):
                    await self.evaluate(node.right)
            case Pipeline():
                await self._pipeline(node)
            case Group():
                await self._group(node)
            case If():
                await self._if(node)
            case Loop() | For():
                await self._loop(node)
            case Case():
                await self._case(node)
            case Function():
                self.functions[node.name] = node.body
                self.status = 0

    async def _test(self, node: Node) -> None:
        """Evaluate where failing is an answer and no failure."""
        self._tested += 1
        try:
            await self.evaluate(node)
        finally:
            self._tested -= 1

    def _start(self, node: Node) -> None:
        inner = self.child(own=True)

        async def job() -> int:
            try:
                await in_its_own(inner, node)
            except (SyntaxTrouble, FileTrouble, RecursionError) as error:
                self.err(f"{self.name}: {error}\n")
                return 2
            except Exception as error:
                return crashed(error, lambda text: self.err(f"{text}\n"))
            return inner.status

        task = asyncio.ensure_future(job())
        self.jobs.append(task)
        self.world.env["!"] = str(1 + len(self.jobs))
        self.status = 0

    async def _pipeline(self, node: Pipeline) -> None:
        self._tested += node.negated
        try:
            if len(node.parts) == 1:
                await self.evaluate(node.parts[0])
            else:
                await flow(self, node.parts)
        finally:
            self._tested -= node.negated
        if node.negated:
            self.status = int(self.status == 0)

    async def _group(self, node: Group) -> None:
        saved = (self.out, self.err, self.stdin)
        try:
            await redirect(self, node.redirects)
            if node.subshell:
                inner = self.child(own=True)
                await in_its_own(inner, node.body)
                self.status = inner.status
            else:
                await self.evaluate(node.body)
        except FileTrouble as error:
            self._complain(str(error))
        finally:
            self.out, self.err, self.stdin = saved

    async def _if(self, node: If) -> None:
        for condition, body in node.branches:
            await self._test(condition)
            if self.status == 0:
                await self.evaluate(body)
                return
        self.status = 0
        if node.otherwise is not None:
            await self.evaluate(node.otherwise)

    async def _loop(self, node: Loop | For) -> None:
        values: list[str] | None = None
        if isinstance(node, For):
            values = list(self.args) if node.words is None else await self.expander.fields(node.words)
        self.status = 0
        while True:
            if isinstance(node, For):
                assert values is not None
                if not values:
                    return
                self.world.env[node.name] = values.pop(0)
            else:
                await self._test(node.condition)
                if (self.status == 0) == node.until:
                    self.status = 0
                    return
            try:
                await self.evaluate(node.body)
            except Leave as leave:
                if leave.levels > 1:
                    raise Leave(again=leave.again, levels=leave.levels - 1) from None
                self.status = 0
                if not leave.again:
                    return
            if self.signals.pending:
                await self.hear()

    async def _case(self, node: Case) -> None:
        word = await self.expander.text(node.word)
        self.status = 0
        for patterns, body in node.branches:
            for pattern in patterns:
                if fnmatchcase(word, await self.expander.text(pattern)):
                    await self.evaluate(body)
                    return

    # -- one command -------------------------------------------------------------------------------------------------

    async def _command(self, node: Command) -> None:
        self._substituted = 0
        words = await self.expander.fields(node.words)
        assigned = {name: await self.expander.text(raw) for name, raw in node.assigns}
        if not words:
            self.world.env.update(assigned)
            self.status = self._substituted
        saved = (self.out, self.err, self.stdin)
        before = {name: self.world.env.get(name) for name in assigned} if words else {}
        if words:
            self.world.env.update(assigned)
        try:
            if "x" in self.options and words:
                # On the shell's own stderr, wherever the command's goes.
                self.err(f"+ {' '.join(words)}\n")
            await redirect(self, node.redirects)
            if words:
                self.status = await self.call(words)
            if words == ["exec"]:
                # Redirections of `exec` alone are the shell's own from now on.
                saved = (self.out, self.err, self.stdin)
        except FileTrouble as error:
            self._complain(str(error))
        finally:
            self.out, self.err, self.stdin = saved
            for name, value in before.items():
                if value is None:
                    self.world.env.pop(name, None)
                else:
                    self.world.env[name] = value

    def _complain(self, text: str) -> None:
        self.err(f"{self.name}: {text}\n")
        self.status = 1

    async def call(self, words: list[str]) -> int:
        """One command. Yields now and then, so that a busy loop leaves time to the rest of the cluster."""
        from cluster.kubelet.runtime.shell.commands import COMMANDS

        self._steps += 1
        if self._steps % BUSY == 0:
            await self._busy()
        name, args = words[0].rpartition("/")[2], words[1:]
        function = self.functions.get(words[0])
        if function is not None:
            return await self._function(function, args)
        handler = COMMANDS.get(name)
        if handler is not None:
            found = handler(self, args)
            status = found if isinstance(found, int) else await found
            await self.drained()
            return status
        if self.world.process is not None and (name in self.world.programs or name in SERVERS):
            return await self.world.process.serve(name, args)
        script = self.world.files.get(self.world.path(words[0])) if "/" in words[0] else None
        if script is not None:
            inner = self.child(own=True)
            inner.args, inner.name = args, words[0]
            return await inner.run(script.decode("utf-8", "surrogateescape"))
        self.err(f"{self.name}: {words[0]}: not found\n")
        return 127

    async def drained(self) -> None:
        """Wait while what was written has no room: whoever writes much asks between. BrokenPipe when nobody reads any more."""
        if self.room is not None:
            await self.room()

    async def pour(self, text: str) -> None:
        """Write much: in pieces, each when there is room for it."""
        for at in range(0, len(text), PIECE):
            self.out(text[at : at + PIECE])
            await self.drained()

    async def _busy(self) -> None:
        """A loop that does not wait uses up a core while it runs."""
        process = self.world.process
        if process is not None:
            process.burn(1.0, 0)
        try:
            await clock.sleep(0.1)
        finally:
            if process is not None:
                process.burn(-1.0, 0)

    async def _function(self, body: Node, args: list[str]) -> int:
        if self.depth >= MAX_DEPTH:
            raise SyntaxTrouble("functions call one another too deeply")
        saved, self.args, self.depth = self.args, args, self.depth + 1
        try:
            await self.evaluate(body)
        except Return as end:
            return end.code
        finally:
            self.args, self.depth = saved, self.depth - 1
        return self.status

    def number(self, expression: str) -> int:
        """The value of `$((expression))`."""
        return arithmetic.evaluate(expression, self.world.env)


def _may_end(node: Node) -> bool:
    """Whether `set -e` cares that this failed: not when failing was an answer."""
    return not (isinstance(node, AndOr | Loop | If) or (isinstance(node, Pipeline) and node.negated))


# A command: the exit code, or a coroutine of it when it has to wait.
Handler = Callable[[Shell, list[str]], "int | Awaitable[int]"]
