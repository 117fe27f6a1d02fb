"""Pages keep their promises: what they link to exists, the tests they name exist, and the reader of pages notices lies."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("src/**/*.md")])

_LINK = re.compile(r"\]\(([^)#\s]+)(?:#[^)\s]*)?\)|(?:src|href)=\"([^\"#]+)\"")
_TEST = re.compile(r"`(tests/[\w/]+\.py)(?:::(\w+))?`")


def named(page: Path) -> str:
    """A page's path, as a test's id."""
    return str(page.relative_to(ROOT))


@pytest.mark.parametrize("page", PAGES, ids=named)
def test_what_a_page_links_to_is_there(page: Path) -> None:
    targets = {a or b for a, b in _LINK.findall(page.read_text("utf-8"))}
    local = {target for target in targets if "://" not in target}
    gone = sorted(target for target in local if not (page.parent / target).exists())
    assert not gone


@pytest.mark.parametrize("page", PAGES, ids=named)
def test_tests_that_a_page_names_are_there(page: Path) -> None:
    for file, function in _TEST.findall(page.read_text("utf-8")):
        assert (ROOT / file).is_file(), f"{named(page)} names {file}"
        tree = ast.parse((ROOT / file).read_text("utf-8"))
        names = {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}
        assert not function or function in names, f"{named(page)} names {file}::{function}"


@pytest.mark.parametrize(
    "page",
    [
        "```console\n$ echo one\ntwo\n```\n",
        "```console\n$ echo one\n```\n",  # it prints something and the page is silent
        "```console\n$ echo one; echo two\none\n```\n",
        "```console\n$ echo one; echo two\n…\none\n```\n",
        "```console\n$ false\n```\n",  # it fails and the page is silent
        "```console\n$ exit 2\n$ echo $?\n1\n```\n",
        "```console\none\n$ echo one\n```\n",
    ],
)
def test_a_page_that_lies_is_found_out(page: str, tmp_path: Path, reader: Callable[..., Any]) -> None:
    file = tmp_path / "page.md"
    file.write_text(page, "utf-8")
    with pytest.raises(AssertionError):
        reader(tmp_path).follow(file)


def test_a_page_that_does_not_is_followed(tmp_path: Path, reader: Callable[..., Any]) -> None:
    file = tmp_path / "page.md"
    file.write_text(
        "```text notes/a.txt\none\n```\n```text notes/a.txt +\ntwo\n```\n"
        "```console\n$ cat notes/a.txt\none\n\ntwo\n$ seq 9\n1\n…\n9\n$ echo a 17 b\na … b\n$ ls gone\n…\n$ echo $?\n2\n```\n",
        "utf-8",
    )
    reader(tmp_path).follow(file)
