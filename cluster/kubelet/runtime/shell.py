"""A small shell: what the commands of examples and tests come to, without running anything.

Understands sequences, `&&`, `||`, `!`, pipes into nothing, `if`, `while`, `until`, `for`, variables, `$(…)` of simple commands,
redirections to files, and a few dozen commands. All waiting goes through the cluster's clock. Anything else is "not found" with exit
code 127, as in a real shell.
"""

from __future__ import annotations

import operator as operators
import re
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

from cluster import clock

Words = list[str]
_ARITHMETIC = {
    "+": operators.add,
    "-": operators.sub,
    "*": operators.mul,
    "/": operators.floordiv,
    "%": operators.mod,
}
# How many commands one run may take without waiting: an endless loop without a sleep would hold up everybody.
BUSY = 200
# A variable that doubles itself does not fill the machine: so many characters are the most that a word may have.
MAX_WORD = 256 * 1024
# What the parser and the commands stumble over when a script makes no sense.
TROUBLE = (ValueError, LookupError, TypeError, RecursionError)


class Exit(Exception):
    """`exit N`."""

    def __init__(self, code: int) -> None:
        super().__init__(code)
        self.code = code


class Break(Exception):
    """`break`."""


class Continue(Exception):
    """`continue`."""


@dataclass(slots=True)
class World:
    """What a command sees: its environment, its files, its host name, and where its output goes."""

    env: dict[str, str]
    hostname: str
    write: Callable[[str], None]
    files: dict[str, bytes] = field(default_factory=dict)
    traps: dict[str, str] = field(default_factory=dict)
    serves: Callable[[str], int] | None = None


_TOKEN = re.compile(
    r"""\s*(?:(?P<comment>\#[^\n]*)|(?P<op>&&|\|\||;;|[;&|\n(){}]|>>|>|2>&1|2>|<)|(?P<word>(?:\$\((?:[^()]|\([^()]*\))*\)|\\.|'[^']*'|"(?:\\.|[^"\\])*"|[^\s;&|<>(){}'"\\\n]|\{[^\s{}]*\})+))""",
    re.VERBOSE,
)


def tokenize(script: str) -> Words:
    """Words (still quoted) and operators; newlines count as semicolons."""
    found, position = [], 0
    script = script.replace("\\\n", " ").rstrip()
    while position < len(script):
        if script[position] == "\n":
            found.append(";")
            position += 1
            continue
        if script[position] in " \t\r":
            position += 1
            continue
        match = _TOKEN.match(script, position)
        if not match or match.end() == position:
            position += 1
            continue
        position = match.end()
        if match["comment"]:
            continue
        found.append(match["op"] or match["word"])
    return [";" if token == "\n" else token for token in found]


Node = tuple[Any, ...]


class Parser:
    """Tokens → nodes: ("cmd", words, redirects), ("seq", …), ("and"/"or", a, b), ("not", a), ("if"…), ("while"…), ("for"…)."""

    def __init__(self, tokens: Words) -> None:
        self.tokens = tokens
        self.at = 0

    def peek(self) -> str:
        return self.tokens[self.at] if self.at < len(self.tokens) else ""

    def next(self) -> str:
        token = self.peek()
        self.at += 1
        return token

    def sequence(self, *ends: str) -> Node:
        parts: list[Node] = []
        while self.peek() and self.peek() not in ends:
            if self.peek() in (";", "&"):
                self.next()
                continue
            parts.append(self.and_or())
        return ("seq", parts)

    def and_or(self) -> Node:
        left = self.pipeline()
        while self.peek() in ("&&", "||"):
            operator = self.next()
            while self.peek() == ";":
                self.next()
            left = ("and" if operator == "&&" else "or", left, self.pipeline())
        return left

    def pipeline(self) -> Node:
        if self.peek() == "!":
            self.next()
            return ("not", self.pipeline())
        left = self.command()
        while self.peek() == "|":
            self.next()
            left = ("pipe", left, self.command())
        return left

    def command(self) -> Node:
        word = self.peek()
        if word == "if":
            return self.conditional()
        if word in ("while", "until"):
            self.next()
            condition = self.sequence("do")
            self.next()
            body = self.sequence("done")
            self.next()
            return ("while", condition, body, word == "until")
        if word == "for":
            self.next()
            name = self.next()
            values: Words = []
            if self.peek() == "in":
                self.next()
                while self.peek() not in (";", ""):
                    values.append(self.next())
            while self.peek() == ";":
                self.next()
            self.next()
            body = self.sequence("done")
            self.next()
            return ("for", name, values, body)
        if word in ("(", "{"):
            self.next()
            body = self.sequence(")" if word == "(" else "}")
            self.next()
            return body
        return self.simple()

    def conditional(self) -> Node:
        self.next()
        branches = []
        condition = self.sequence("then")
        self.next()
        branches.append((condition, self.sequence("elif", "else", "fi")))
        otherwise: Node | None = None
        while self.peek() in ("elif", "else"):
            if self.next() == "else":
                otherwise = self.sequence("fi")
            else:
                condition = self.sequence("then")
                self.next()
                branches.append((condition, self.sequence("elif", "else", "fi")))
        self.next()
        return ("if", branches, otherwise)

    def simple(self) -> Node:
        words: Words = []
        target, append = "", False
        while self.peek() and self.peek() not in (";", "&&", "||", "|", ")", "}", "&", ";;"):
            token = self.next()
            if token in (">", ">>", "2>", "<"):
                name = self.next()
                if token in (">", ">>"):
                    target, append = name, token == ">>"
            elif token != "2>&1":
                words.append(token)
        return ("cmd", words, target, append)


_VARIABLE = re.compile(
    r"\$\{(\w+)(?::-([^}]*))?\}|\$(\w+|\?|\$)|\$\(\(([^)]*)\)\)|\$\(((?:[^()]|\([^()]*\))*)\)|`([^`]*)`"
)


class Shell:
    """One run of a script."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.status = 0
        self._busy = 0

    async def run(self, script: str) -> int:
        """The exit code. The caller may cancel it: that is SIGKILL."""
        ended = await self._ended(self._script(script))
        return self.status if ended is None else ended

    async def line(self, text: str) -> int | None:
        """One line of an interactive shell; the exit code when it ended the shell."""
        return await self._ended(self._script(text))

    async def command(self, words: Words) -> int:
        """One command given as words, as exec does; the exit code."""
        ended = await self._ended(self._words(words))
        return self.status if ended is None else ended

    async def _script(self, script: str) -> None:
        await self.evaluate(Parser(tokenize(script)).sequence())

    async def _words(self, words: Words) -> None:
        self.status = await self.call(words)

    async def _ended(self, work: Awaitable[None]) -> int | None:
        """The code of `exit`, if the work came to it. What a script gets wrong is told as a shell tells it: status 2."""
        try:
            await work
        except Exit as end:
            return end.code
        except (Break, Continue):
            pass
        except TROUBLE as error:
            self.world.write(f"sh: syntax error: {error}" if str(error) else "sh: syntax error")
            self.status = 2
        return None

    async def evaluate(self, node: Node) -> None:
        kind = node[0]
        if kind == "seq":
            for part in node[1]:
                await self.evaluate(part)
        elif kind in ("and", "or"):
            await self.evaluate(node[1])
            if (self.status == 0) == (kind == "and"):
                await self.evaluate(node[2])
        elif kind == "not":
            await self.evaluate(node[1])
            self.status = int(self.status == 0)
        elif kind == "pipe":
            await self._pipe(node)
        elif kind == "if":
            await self._if(node)
        elif kind == "while":
            await self._while(node)
        elif kind == "for":
            await self._for(node)
        else:
            await self._command(node)

    async def _pipe(self, node: Node) -> None:
        captured: list[str] = []
        write, self.world.write = self.world.write, captured.append
        try:
            await self.evaluate(node[1])
        finally:
            self.world.write = write
        self.world.files["/dev/stdin"] = "\n".join(captured).encode()
        await self.evaluate(node[2])

    async def _if(self, node: Node) -> None:
        for condition, body in node[1]:
            await self.evaluate(condition)
            if self.status == 0:
                await self.evaluate(body)
                return
        self.status = 0
        if node[2] is not None:
            await self.evaluate(node[2])

    async def _while(self, node: Node) -> None:
        while True:
            await self.evaluate(node[1])
            if (self.status == 0) == node[3]:
                self.status = 0
                return
            try:
                await self.evaluate(node[2])
            except Break:
                return
            except Continue:
                continue

    async def _for(self, node: Node) -> None:
        values = " ".join([await self.expand(word) for word in node[2]]).split()
        for value in values:
            self.world.env[node[1]] = value
            try:
                await self.evaluate(node[3])
            except Break:
                return
            except Continue:
                continue

    async def expand(self, word: str) -> str:
        """A word without its quotes, its variables and substitutions put in."""
        result, position = "", 0
        while position < len(word):
            letter = word[position]
            if letter == "'":
                end = word.index("'", position + 1)
                result += word[position + 1 : end]
                position = end + 1
            elif letter == '"':
                end = position + 1
                while word[end] != '"':
                    end += 2 if word[end] == "\\" else 1
                inner = word[position + 1 : end]
                result += (await self._substitute(inner)).replace('\\"', '"').replace("\\$", "$").replace("\\\\", "\\")
                position = end + 1
            elif letter == "\\":
                result += word[position + 1 : position + 2]
                position += 2
            else:
                match = _VARIABLE.match(word, position)
                if match:
                    result += await self._value(match)
                    position = match.end()
                else:
                    result += letter
                    position += 1
        if len(result) > MAX_WORD:
            raise ValueError("word too long")
        return result

    async def _substitute(self, text: str) -> str:
        result, position = "", 0
        for match in _VARIABLE.finditer(text):
            result += text[position : match.start()] + await self._value(match)
            position = match.end()
        return result + text[position:]

    async def _value(self, match: re.Match[str]) -> str:
        braced, default, plain, sum_, command, ticks = match.groups()
        name = braced or plain
        if name == "?":
            return str(self.status)
        if name == "$":
            return "1"
        if name:
            return self.world.env.get(name) or default or ""
        if sum_ is not None:
            return str(self._arithmetic(sum_))
        captured: list[str] = []
        inner = Shell(
            World(self.world.env, self.world.hostname, captured.append, self.world.files, serves=self.world.serves)
        )
        self.status = await inner.run(command or ticks or "")
        return "\n".join(captured)

    def _arithmetic(self, text: str) -> int:
        text = re.sub(r"\$?([A-Za-z_]\w*)", lambda match: self.world.env.get(match[1]) or "0", text)
        match = re.fullmatch(r"\s*(-?\d+)\s*(?:([-+*/%])\s*(-?\d+))?\s*", text)
        if not match:
            return 0
        left, operator, right = int(match[1]), match[2], int(match[3] or 0)
        if operator in ("/", "%") and right == 0:
            return 0
        if operator is None:
            return left
        return int(_ARITHMETIC[operator](left, right))

    async def _command(self, node: Node) -> None:
        _, words, target, append = node
        expanded = [await self.expand(word) for word in words]
        while expanded and re.fullmatch(r"\w+=.*", expanded[0], re.DOTALL) and re.match(r"\w+=", words[0]):
            name, _, value = expanded.pop(0).partition("=")
            words = words[1:]
            self.world.env[name] = value
            self.status = 0
        if not expanded:
            return
        if target:
            captured: list[str] = []
            write, self.world.write = self.world.write, captured.append
            try:
                self.status = await self.call(expanded)
            finally:
                self.world.write = write
            name = await self.expand(target)
            text = "".join(f"{line}\n" for line in captured).encode()
            if name in ("/dev/stdout", "/dev/stderr", "/proc/1/fd/1"):
                for line in captured:
                    write(line)
            elif name != "/dev/null":
                self.world.files[name] = (self.world.files.get(name, b"") if append else b"") + text
            return
        self.status = await self.call(expanded)

    async def call(self, words: Words) -> int:
        """One command. Yields now and then, so that a busy loop leaves time to the rest of the cluster."""
        self._busy += 1
        if self._busy % BUSY == 0:
            await clock.sleep(0.1)
        name, args = words[0].rpartition("/")[2], words[1:]
        if name == "sleep":
            await clock.sleep(_seconds(args))
            self._busy = 0
            return 0
        handler = _COMMANDS.get(name)
        if handler is None:
            self.world.write(f"sh: {words[0]}: not found")
            return 127
        if name in ("sh", "bash", "ash"):
            script = next(
                (args[index + 1] for index, arg in enumerate(args[:-1]) if arg.startswith("-") and "c" in arg), ""
            )
            return await Shell(self.world).run(script) if script else 0
        if name in ("exec", "time", "nohup", "command"):
            return await self.call(args) if args else 0
        if name == "wait":
            return 0
        return handler(self, args)


def _seconds(args: Words) -> float:
    total = 0.0
    for arg in args or ["0"]:
        if arg in ("infinity", "inf"):
            return 10.0**9
        unit = {"s": 1, "m": 60, "h": 3600, "d": 86400}.get(arg[-1:], 0)
        try:
            total += float(arg[:-1]) * unit if unit else float(arg)
        except ValueError:
            return 0.0
    return total


def _echo(shell: Shell, args: Words) -> int:
    while args and args[0] in ("-n", "-e", "-ne"):
        args = args[1:]
    shell.world.write(" ".join(args))
    return 0


def _printf(shell: Shell, args: Words) -> int:
    if args:
        text = args[0]
        for value in args[1:]:
            text = re.sub(r"%[sd]", value.replace("\\", "\\\\"), text, count=1)
        for line in text.replace("\\n", "\n").removesuffix("\n").split("\n"):
            shell.world.write(line)
    return 0


def _exit(shell: Shell, args: Words) -> int:
    raise Exit(int(args[0]) & 255 if args and args[0].lstrip("-").isdigit() else shell.status)


def _date(shell: Shell, args: Words) -> int:
    form = next((arg[1:] for arg in args if arg.startswith("+")), "%a %b %e %H:%M:%S UTC %Y")
    shell.world.write(time.strftime(form.replace("%s", str(int(clock.now()))), time.gmtime(clock.now())))
    return 0


def _cat(shell: Shell, args: Words) -> int:
    for name in args or ["/dev/stdin"]:
        if name.startswith("-"):
            continue
        content = shell.world.files.get(name)
        if content is None:
            shell.world.write(f"cat: can't open '{name}': No such file or directory")
            return 1
        for line in content.decode("utf-8", "replace").removesuffix("\n").split("\n"):
            shell.world.write(line)
    return 0


def _touch(shell: Shell, args: Words) -> int:
    for name in args:
        shell.world.files.setdefault(name, b"")
    return 0


def _rm(shell: Shell, args: Words) -> int:
    status = 0
    for name in args:
        if (
            not name.startswith("-")
            and shell.world.files.pop(name, None) is None
            and "-f" not in args
            and "-rf" not in args
        ):
            shell.world.write(f"rm: can't remove '{name}': No such file or directory")
            status = 1
    return status


def _ls(shell: Shell, args: Words) -> int:
    wanted = [arg for arg in args if not arg.startswith("-")] or ["/"]
    for name in wanted:
        if name in shell.world.files:
            shell.world.write(name)
            continue
        below = sorted(
            {
                path[len(name.rstrip("/")) + 1 :].split("/")[0]
                for path in shell.world.files
                if path.startswith(name.rstrip("/") + "/")
            }
        )
        if not below and name not in ("/", "/tmp", "/etc", "/var"):  # noqa: S108
            shell.world.write(f"ls: {name}: No such file or directory")
            return 1
        for entry in below:
            shell.world.write(entry)
    return 0


def _test(shell: Shell, args: Words) -> int:
    words = [arg for arg in args if arg not in ("]", "]]")]
    negated = bool(words) and words[0] == "!"
    if negated:
        words = words[1:]
    result = _holds(shell, words)
    return int(result == negated)


def _holds(shell: Shell, words: Words) -> bool:
    if len(words) == 2 and words[0] in ("-f", "-e", "-r", "-s", "-d", "-x"):
        name = words[1].rstrip("/")
        return name in shell.world.files or any(path.startswith(name + "/") for path in shell.world.files)
    if len(words) == 2 and words[0] in ("-z", "-n"):
        return (words[1] == "") == (words[0] == "-z")
    if len(words) == 1:
        return words[0] != ""
    if len(words) == 3:
        left, operator, right = words
        if operator in ("=", "=="):
            return left == right
        if operator == "!=":
            return left != right
        try:
            a, b = int(left), int(right)
        except ValueError:
            return False
        return {"-eq": a == b, "-ne": a != b, "-lt": a < b, "-le": a <= b, "-gt": a > b, "-ge": a >= b}.get(
            operator, False
        )
    return False


def _env(shell: Shell, args: Words) -> int:
    for name, value in shell.world.env.items():
        shell.world.write(f"{name}={value}")
    return 0


def _export(shell: Shell, args: Words) -> int:
    for arg in args:
        name, equals, value = arg.partition("=")
        if equals:
            shell.world.env[name] = value
    return 0


def _trap(shell: Shell, args: Words) -> int:
    for signal in args[1:]:
        shell.world.traps[signal.removeprefix("SIG")] = args[0]
    return 0


def _grep(shell: Shell, args: Words) -> int:
    plain = [arg for arg in args if not arg.startswith("-")]
    if not plain:
        return 2
    names = plain[1:] or ["/dev/stdin"]
    found = 1
    for name in names:
        for line in shell.world.files.get(name, b"").decode("utf-8", "replace").splitlines():
            if plain[0] in line:
                found = 0
                if "-q" not in args:
                    shell.world.write(line)
    return found


def _fetch(shell: Shell, args: Words) -> int:
    """wget, curl, nc: only what the container itself serves can be reached."""
    for arg in args:
        if ("localhost" in arg or "127.0.0.1" in arg) and shell.world.serves is not None:
            status = shell.world.serves(arg)
            if status:
                return 0 if status < 400 else 22
    shell.world.write("can't connect to remote host: Connection refused")
    return 1


def _seq(shell: Shell, args: Words) -> int:
    numbers = [int(arg) for arg in args if arg.lstrip("-").isdigit()]
    first, last = (1, numbers[0]) if len(numbers) == 1 else (numbers[0], numbers[-1]) if numbers else (1, 0)
    for number in range(first, min(last, first + 10_000) + 1):
        shell.world.write(str(number))
    return 0


def _raise(error: type[Exception]) -> Callable[[Shell, Words], int]:
    def command(shell: Shell, args: Words) -> int:
        raise error

    return command


def _quiet(shell: Shell, args: Words) -> int:
    return 0


_COMMANDS: dict[str, Callable[[Shell, Words], int]] = {
    "echo": _echo,
    "printf": _printf,
    "exit": _exit,
    "date": _date,
    "cat": _cat,
    "touch": _touch,
    "rm": _rm,
    "ls": _ls,
    "test": _test,
    "[": _test,
    "[[": _test,
    "env": _env,
    "printenv": _env,
    "export": _export,
    "trap": _trap,
    "grep": _grep,
    "wget": _fetch,
    "curl": _fetch,
    "nc": _fetch,
    "seq": _seq,
    "break": _raise(Break),
    "continue": _raise(Continue),
    "true": _quiet,
    ":": _quiet,
    "false": lambda shell, args: 1,
    "hostname": lambda shell, args: _echo(shell, [shell.world.hostname]),
    "uname": lambda shell, args: _echo(shell, ["Linux"]),
    "whoami": lambda shell, args: _echo(shell, ["root"]),
    "id": lambda shell, args: _echo(shell, ["uid=0(root) gid=0(root)"]),
    "pwd": lambda shell, args: _echo(shell, ["/"]),
    **dict.fromkeys(
        (
            "set",
            "mkdir",
            "chmod",
            "chown",
            "sync",
            "cd",
            "ulimit",
            "umask",
            "unset",
            "read",
            "sh",
            "bash",
            "ash",
            "exec",
            "time",
            "nohup",
            "command",
            "wait",
            "kill",
            "cp",
            "mv",
            "ln",
            "tee",
            "head",
            "tail",
        ),
        _quiet,
    ),
}
# Commands that run until they are signalled.
FOREVER = frozenset(
    {
        "tail",
        "top",
        "yes",
        "httpd",
        "nginx",
        "redis-server",
        "postgres",
        "mysqld",
        "mongod",
        "python",
        "python3",
        "node",
        "java",
        "ruby",
        "php",
        "gunicorn",
        "uvicorn",
        "daphne",
    }
)
