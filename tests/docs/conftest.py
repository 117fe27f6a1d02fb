"""Pages that are run: their files are written, their commands typed, and what they show is what must come out."""

from __future__ import annotations

import os
import re
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

_FENCE = re.compile(r"^```(?P<info>[^\n`]*)\n(?P<body>.*?)^```$", re.MULTILINE | re.DOTALL)
# What is typed instead of `mingjian`: it hands itself over to the process of warm.py, and ends with what that answers.
_MINGJIAN = """#!{python} -SIE
import json, os, socket, sys
with socket.socket(socket.AF_UNIX) as line:
    line.connect({address!r})
    typed = json.dumps([sys.argv, os.getcwd(), dict(os.environ)]).encode()
    socket.send_fds(line, [len(typed).to_bytes(4, "big")], [0, 1, 2])
    line.sendall(typed)
    sys.exit(line.recv(1)[0])
"""
_ANYTHING = "…"  # in a page: whatever differs from run to run; on a line of its own, any number of lines


@dataclass(frozen=True)
class Step:
    """One thing that a page tells its reader to do: write ``file`` (or add to it), or type ``command``."""

    line: int
    text: str
    file: str = ""
    adds: bool = False
    command: str = ""


def steps(page: str) -> Iterator[Step]:
    """The steps of a page: blocks whose info names a file, and the commands of ``console`` blocks with their output."""
    for fence in _FENCE.finditer(page):
        line = page.count("\n", 0, fence.start()) + 2
        language, *rest = fence["info"].split() or [""]
        if language == "console":
            yield from _commands(fence["body"], line)
        elif rest:
            yield Step(line, fence["body"], file=rest[0], adds="+" in rest[1:])


def _commands(body: str, line: int) -> Iterator[Step]:
    for part in re.split(r"^(?=\$ )", body, flags=re.MULTILINE):
        if part:
            command, _, output = part.partition("\n")
            assert command.startswith("$ "), f"line {line}: output without a command"
            yield Step(line, output, command=command[2:])
        line += part.count("\n")


def matches(shown: str, printed: str) -> bool:
    """Whether the page shows what was printed; spaces at the end of a line do not count."""
    said = [line.rstrip() for line in printed.rstrip("\n").split("\n")]
    ends = {0}  # after how many of the lines that were said the page may have come to here
    for line in shown.rstrip("\n").split("\n"):
        if line == _ANYTHING:
            ends = set(range(min(ends), len(said) + 1))
        else:
            pattern = re.compile(".*".join(map(re.escape, line.rstrip().split(_ANYTHING))))
            ends = {end + 1 for end in ends if end < len(said) and pattern.fullmatch(said[end])}
        if not ends:
            return False
    return len(said) in ends


@dataclass
class Reader:
    """Somebody who does in ``folder`` what pages say, with other commands ``instead`` of some; a .zh.md reader's is Chinese.

    ``scripts`` is where `mingjian` is found.
    """

    folder: Path
    scripts: Path
    instead: Mapping[str, str]
    status: int = 0
    language: str = "C.UTF-8"

    def follow(self, page: Path) -> None:
        """Do every step of a page. Fails where a command prints something else, or fails without `echo $?` after it."""
        self.language = "zh_CN.UTF-8" if page.name.endswith(".zh.md") else "C.UTF-8"
        following = list(steps(page.read_text("utf-8")))
        for step, after in zip(following, [*following[1:], None], strict=False):  # a page may have no steps
            where = f"{page.name}:{step.line}"
            if step.file:
                target = self.folder / step.file
                target.parent.mkdir(parents=True, exist_ok=True)
                before = target.read_text("utf-8") + "\n" if step.adds else ""
                target.write_text(before + step.text, "utf-8")
                continue
            printed = self.type(step.command)
            assert matches(step.text, printed), (
                f"{where}: $ {step.command}\n{printed}\n--- but the page says\n{step.text}"
            )
            told = after is not None and after.command == "echo $?"
            assert told or self.status == 0, f"{where}: $ {step.command} ends with {self.status} and the page is silent"

    def type(self, command: str) -> str:
        """What a command prints; its exit status is kept for ``echo $?``."""
        environment = {
            "PATH": f"{self.scripts}{os.pathsep}{os.environ['PATH']}",
            "HOME": str(self.folder),
            "LANG": self.language,
            "MINGJIAN_USER": "reader",
        }
        script = f"(exit {self.status}); {self.instead.get(command, command)}"
        done = subprocess.run(
            ["bash", "-c", script],
            cwd=self.folder,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            check=False,
        )
        self.status = done.returncode
        return done.stdout.decode()


@pytest.fixture(scope="session")
def scripts(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder with a `mingjian` that answers without importing itself anew."""
    folder = tmp_path_factory.mktemp("scripts")
    command, address = folder / "mingjian", str(folder / "line")
    command.write_text(_MINGJIAN.format(python=sys.executable, address=address), "utf-8")
    command.chmod(0o755)
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(address)
        listening.listen()
        with subprocess.Popen([sys.executable, Path(__file__).with_name("warm.py")], stdin=listening) as warm:
            yield folder
            warm.terminate()


@pytest.fixture(scope="session")
def reader(scripts: Path) -> Callable[..., Reader]:
    """Makes readers."""

    def make(folder: Path, instead: Mapping[str, str] | None = None) -> Reader:
        return Reader(folder, scripts, instead or {})

    return make
