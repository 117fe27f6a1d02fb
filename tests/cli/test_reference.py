"""docs/cli.md is what the commands say of themselves; ``RECORD=1 pytest tests/cli/test_reference.py`` writes it anew."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from mingjian.cli import app

PAGE = Path(__file__).parents[2] / "docs" / "cli.md"
HEAD = """\
# The command line

<!-- Written from each command's --help by: RECORD=1 pytest tests/cli/test_reference.py -->

Every command takes `--json` and then answers in JSON, errors included. Exit codes: 0 good; 1 findings, a differing verdict or a
refusal; 2 misuse. Errors say what, where, why and the remedy, on the error stream.

| variable | what it sets |
| --- | --- |
| `MINGJIAN_WORKSPACE` | the workspace's directory, as `--workspace` does (default: here) |
| `MINGJIAN_LANG` | `zh` for Chinese, `en` for English (default: by `LANG`) |
| `MINGJIAN_USER` | who acts, as `--by` does (default: the user of this machine) |
| `MINGJIAN_OIDC_ISSUER`, `MINGJIAN_OIDC_CLIENT_ID`, `MINGJIAN_OIDC_CLIENT_SECRET` | \
an OpenID provider with which `serve` lets people sign in |
"""


def commands(command: Any, words: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    """A command and all below it, by the words that name them."""
    yield words
    for name, below in getattr(command, "commands", {}).items():
        yield from commands(below, (*words, name))


def reference() -> str:
    """The page."""
    parts = [HEAD]
    for words in ALL:
        said = CliRunner().invoke(
            app, [*words[1:], "--help"], prog_name="mingjian", terminal_width=100, max_content_width=100
        )
        assert said.exit_code == 0, said.output
        parts.append(f"## {' '.join(words)}\n\n```text\n{said.output.strip()}\n```\n")
    return "\n".join(parts)


ALL = list(commands(typer.main.get_command(app), ("mingjian",)))


def test_the_reference_says_what_the_commands_say(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "dumb")
    if os.environ.get("RECORD"):
        PAGE.write_text(reference(), "utf-8")
    assert PAGE.read_text("utf-8") == reference(), (
        "RECORD=1 pytest tests/cli/test_reference.py, then review the difference"
    )


@pytest.mark.parametrize("words", ALL, ids=" ".join)
def test_every_command_explains_itself_and_answers_programs(words: tuple[str, ...]) -> None:
    command: Any = typer.main.get_command(app)
    for word in words[1:]:
        command = command.commands[word]
    assert command.help
    for parameter in command.params:
        assert getattr(parameter, "help", "") or parameter.name in ("help",), parameter.name
    if not getattr(command, "commands", {}):
        assert "json" in {parameter.name for parameter in command.params}


def test_the_verbs_are_those_promised() -> None:
    promised = [
        "new",
        "check",
        "template",
        "add",
        "measure",
        "explain",
        "issue",
        "verify",
        "claims",
        "ledger",
        "demo",
        "tasks",
        "act",
        "erase",
        "expire",
        "table",
        "letter",
    ]
    assert set(promised) <= {words[1] for words in ALL if len(words) == 2}
