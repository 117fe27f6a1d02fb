"""What holds of every file of the repository, and of every public name."""

from __future__ import annotations

import importlib
import inspect
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

import mingjian

ROOT = Path(__file__).parents[2]
SOURCE = Path(mingjian.__file__).parent

# The patterns are put together from parts, so that this file passes its own test.
NOWHERE = {
    "the path of somebody's machine": re.compile(
        "|".join(("/" + "work/", "/" + "home/", "/" + "Users/", r"[A-Z]:\\U" + "sers"))
    ),
    "the address of a package registry": re.compile(
        "|".join(("pypi" + r"\.", "files" + r"\.pythonhosted", "--(extra-)?index" + "-url", "--find" + "-links"))
    ),
    "how the work is organised": re.compile(
        "|".join(
            (
                r"\bsub" + "-?agents?",
                "Co-" + "Authored-By",
                r"\bissue" + r" #?\d",
                r"\bTO" + "DO",
                r"\bFIX" + "ME",
                r"\bX" + "XX",
            )
        )
    ),
}
IN_SOURCE = {"a folder of this machine": re.compile("/" + "tmp/|/" + "opt/|/" + "var/")}


def texts() -> Iterator[tuple[str, str]]:
    """Every file under version control that is text (in whatever encoding), with its path from the root."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True).stdout
    for name in sorted(filter(None, listed.decode().split("\0"))):
        path = ROOT / name
        if path.is_file() and b"\0" not in (content := path.read_bytes())[:8000]:
            yield name, content.decode("utf-8", "replace")


def test_no_file_says_where_it_was_made() -> None:
    if not (ROOT / ".git").exists():
        pytest.skip("not a checkout: nothing lists the files")
    found = []
    for name, text in texts():
        patterns = NOWHERE | (IN_SOURCE if name.startswith("src/") else {})
        for what, pattern in patterns.items():
            found += [f"{name}: {what}: {hit.group()!r}" for hit in pattern.finditer(text)]
    assert not found, "\n".join(found)


@pytest.mark.parametrize(
    ("what", "line"),
    [
        ("the path of somebody's machine", "see /" + "home/li/mingjian"),
        ("the address of a package registry", "https://" + "pypi" + ".org/simple"),
        ("the address of a package registry", "--extra-index" + "-url file:///mirror"),
        ("how the work is organised", "closes issue" + " #12"),
        ("how the work is organised", "# TO" + "DO later"),
    ],
)
def test_the_patterns_find_what_they_are_for(what: str, line: str) -> None:
    assert NOWHERE[what].search(line)


# -- public names -----------------------------------------------------------------------------------------------------
def rooms() -> list[str]:
    """Every public package of the source."""
    return [".".join(path.parent.relative_to(SOURCE.parent).parts) for path in sorted(SOURCE.rglob("__init__.py"))]


@pytest.mark.parametrize("room", rooms())
def test_every_public_name_exists_and_says_what_it_is(room: str) -> None:
    module = importlib.import_module(room)
    assert module.__doc__, f"{room} does not say what it is"
    for name in getattr(module, "__all__", ()):
        assert hasattr(module, name), f"{room} promises {name} and does not have it"
        thing = getattr(module, name)
        if inspect.isclass(thing) or inspect.isroutine(thing):
            assert _said(thing), f"{room}.{name} has no docstring"


def _said(thing: object) -> bool:
    """Whether somebody wrote the docstring: a dataclass makes one of its own, which says nothing."""
    text = getattr(thing, "__doc__", None)
    return bool(text) and not str(text).startswith(f"{getattr(thing, '__name__', '')}(")


@pytest.mark.parametrize("room", rooms())
def test_every_public_method_says_what_it_does(room: str) -> None:
    module = importlib.import_module(room)
    for name in getattr(module, "__all__", ()):
        thing = getattr(module, name)
        if not inspect.isclass(thing):
            continue
        for method, function in vars(thing).items():
            inner = function.fget if isinstance(function, property) else getattr(function, "__func__", function)
            if method.startswith("_") or not inspect.isfunction(inner):
                continue
            assert inner.__doc__, f"{room}.{name}.{method} has no docstring"
