"""How every command answers: text for a person or JSON for a program, and one exit code."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import orjson

from mingjian.base.errors import Finding, MingjianError
from mingjian.base.values import unit_word
from mingjian.cli._words import Language, word

if TYPE_CHECKING:
    from rich.console import Console

WIDEST = 100_000  # columns where nobody looks: a proof is never cut


@dataclass(frozen=True)
class Face:
    """One command's way of answering."""

    json: bool
    language: Language

    def say(self, data: Any, text: Callable[[Console], object]) -> None:
        """Answer with ``data`` as JSON, or by having ``text`` write to a console."""
        if self.json:
            sys.stdout.buffer.write(orjson.dumps(data, default=_plain, option=orjson.OPT_INDENT_2) + b"\n")
            sys.stdout.flush()
        else:
            text(self.console())

    def lines(self, data: Any, lines: Iterable[str]) -> None:
        """Answer with ``data`` as JSON, or line by line."""
        self.say(data, lambda console: console.print("\n".join(lines), markup=False))

    def console(self, *, stderr: bool = False) -> Console:
        """Where text goes; tables are never cut where the output is no terminal."""
        from rich.console import Console

        console = Console(stderr=stderr, highlight=False, soft_wrap=True, emoji=False)
        if not console.is_terminal:
            console.width = WIDEST
        return console

    def word(self, key: str) -> str:
        """A word in the face's language."""
        return word(key, self.language)

    def unit(self, name: str) -> str:
        """A unit in the face's language."""
        return unit_word(name, self.language)

    def fail(self, error: MingjianError) -> int:
        """Say what went wrong; the exit code it asks for."""
        if self.json:
            sys.stdout.buffer.write(orjson.dumps(error.to_json(), option=orjson.OPT_INDENT_2) + b"\n")
            sys.stdout.flush()
        else:
            self.console(stderr=True).print(error.said(self.language), style="red", markup=False)
        return error.exit_code

    def findings(self, found: tuple[Finding, ...], console: Console) -> None:
        """The findings, one a line."""
        for finding in found:
            console.print(f"  - {finding}", markup=False)

    @contextmanager
    def progress(self) -> Iterator[Callable[[str, int, int], None]]:
        """A progress bar on long work, on the error stream and only on a terminal: call with (what, done, of)."""
        if self.json or not sys.stderr.isatty():
            yield lambda what, done, of: None
            return
        from rich.progress import Progress

        with Progress(console=self.console(stderr=True), transient=True) as bar:
            tasks: dict[str, Any] = {}

            def advance(what: str, done: int, of: int) -> None:
                if what not in tasks:
                    tasks[what] = bar.add_task(what, total=of)
                bar.update(tasks[what], completed=done, total=of)

            yield advance


def _plain(value: object) -> object:
    to_json = getattr(value, "to_json", None)
    return to_json() if to_json is not None else str(value)
