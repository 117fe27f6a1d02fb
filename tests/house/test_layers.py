"""Imports run strictly backwards: every room knows those before it, a scheme knows only the public face.

There is no list of exceptions. A new room is written into `HOUSE` first.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from itertools import chain
from pathlib import Path

import pytest

import mingjian

SOURCE = Path(mingjian.__file__).parent
LINES, FUNCTION_LINES = 600, 60

# The order of the house. A floor is divided into rooms or is one room itself; "mingjian" is the face for authors.
HOUSE = (
    ("mingjian.base", ("errors", "files", "values", "keys", "typeset")),
    ("mingjian.declare", ()),
    ("mingjian", ()),
    ("mingjian.record", ("ledger", "access", "evidence", "process", "ballots", "holdings")),
    ("mingjian.reckon", ("index", "measures", "release", "claims")),
    ("mingjian.attest", ("statements", "issue", "verify")),
    ("mingjian.workspace", ()),
    ("mingjian.cli", ()),
    ("mingjian.web", ()),
)
FLOORS = {floor: rooms for floor, rooms in HOUSE if rooms}
ROOMS = tuple(chain.from_iterable([f"{floor}.{room}" for room in rooms] or [floor] for floor, rooms in HOUSE))
FACES = ("mingjian", "mingjian.workspace", "mingjian.cli", "mingjian.web")
SCHEMES = "mingjian.schemes"
APART = {"mingjian.attest.issue", "mingjian.attest.verify"}

IMPORTERS = {"import_module", "__import__", "find_spec", "resolve_name", "run_module"}


def room_of(module: str) -> str:
    """The room in which a module stands: a room, a floor's own `__init__`, or a scheme; "" when nobody has listed it."""
    if module in FLOORS or module == SCHEMES:
        return module
    if module.startswith(f"{SCHEMES}."):
        return ".".join(module.split(".")[:3])
    within = [room for room in ROOMS if room != "mingjian" and f"{module}.".startswith(f"{room}.")]
    return within[0] if within else "mingjian" if module == "mingjian" or _is_private(module) else ""


def _is_private(module: str) -> bool:
    return module.split(".")[1].startswith("_")


def faults(module: str, source: str) -> list[str]:
    """What a module's imports break."""
    tree, here = ast.parse(source), room_of(module)
    if not here:
        return [f"{module} stands in a room that is not listed"]
    if here in FLOORS or here == SCHEMES:
        return [f"{module} holds code, and a floor holds only rooms" for node in tree.body if not _is_text(node)][:1]
    return [f"{module}:{line}: {why}" for line, target in imports(tree) if (why := refused(here, target))]


def _is_text(node: ast.stmt) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)


def imports(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """Every import with its line, wherever it stands: ``room:name``, ``room`` for a whole module, "" where it is computed."""
    for node in ast.walk(tree):
        match node:
            case ast.ImportFrom(module=origin, names=names, level=level):
                for alias in names:
                    hidden = alias.name in IMPORTERS and alias.asname  # under another name its calls are not found
                    yield node.lineno, "" if hidden else f"{'.' * level}{origin or ''}:{alias.name}"
            case ast.Import(names=names):
                yield from ((node.lineno, alias.name) for alias in names)
            case ast.Call(func=ast.Name(id=name) | ast.Attribute(attr=name)) if name in IMPORTERS:
                literal = node.args[0] if node.args else None
                if isinstance(literal, ast.Constant) and isinstance(literal.value, str):
                    yield node.lineno, literal.value
                elif name != "find_spec":  # looking for a module that an entry point names does not run it
                    yield node.lineno, ""


def refused(here: str, target: str) -> str:
    """Why a room may not import that, or ""."""
    module, _, name = target.partition(":")
    if not target:
        return "imports what only a run can tell"
    if module.startswith("."):
        return "imports by dots; write the room's full name"
    if module.split(".")[0] != "mingjian":
        return ""
    if not name:
        return f"imports {module} whole; take names from a room"
    if here.startswith(SCHEMES):
        if module != "mingjian":
            return f"a scheme imports from {module}; it has the public names of mingjian and nothing else"
        return "" if name in mingjian.__all__ else f"a scheme imports {name}, which is no public name of mingjian"
    if module == "mingjian":
        return "the kernel and its faces never import the face made for authors"
    return _refused_room(here, module, name)


def _refused_room(here: str, module: str, name: str) -> str:
    if module in FLOORS:
        module, name = f"{module}.{name}", "__init__"
    there = room_of(module)
    if not there:
        return f"imports {module}, a room that is not listed"
    if there == here:
        return ""
    if there.startswith(SCHEMES):
        return f"imports the scheme {module}"
    if module != there or (name.startswith("_") and name != "__init__"):
        return f"reaches into {there} for {module if module != there else name}"
    if {here, there} == APART:
        return f"{here} and {there} never import each other"
    return f"imports {there}, which comes later" if ROOMS.index(there) > ROOMS.index(here) else ""


# -- the house as it stands -------------------------------------------------------------------------------------------
def modules() -> Iterator[tuple[str, Path]]:
    """Every module of the source with its path."""
    for path in sorted(SOURCE.rglob("*.py")):
        parts = path.relative_to(SOURCE.parent).with_suffix("").parts
        yield ".".join(parts[:-1] if parts[-1] == "__init__" else parts), path


def test_every_import_runs_backwards() -> None:
    found = [fault for module, path in modules() for fault in faults(module, path.read_text("utf-8"))]
    assert not found, "\n".join(found)


def test_every_folder_is_a_listed_room_and_has_one_public_face() -> None:
    for folder in sorted({path.parent for _, path in modules()}):
        name = ".".join(folder.relative_to(SOURCE.parent).parts)
        assert room_of(name), f"{name} is not listed in HOUSE"
        if not name.startswith(SCHEMES):
            assert (folder / "__init__.py").is_file(), name
            public = [path.name for path in folder.glob("*.py") if not path.name.startswith("_")]
            assert not public, f"{name} has public modules besides its __init__: {public}"


def test_no_file_and_no_function_is_too_long() -> None:
    tests = Path(__file__).parent.parent
    for path in [path for _, path in modules()] + sorted(set(tests.rglob("*.py")) - set(tests.glob("bad/**/*.py"))):
        text = path.read_text("utf-8")
        assert text.count("\n") <= LINES, f"{path} has more than {LINES} lines"
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                long = (node.end_lineno or 0) - node.lineno + 1
                assert long <= FUNCTION_LINES, f"{path}:{node.lineno}: {node.name} has {long} lines"


# -- the test itself is tried -----------------------------------------------------------------------------------------
MEASURES = "mingjian.reckon.measures._evaluate"
LEDGER = "mingjian.record.ledger._store"
PORTRAITS = "mingjian.schemes.three_portraits.measures"


@pytest.mark.parametrize(
    ("module", "source"),
    [
        (LEDGER, "from mingjian.reckon.measures import evaluate"),  # a later floor
        (LEDGER, "from mingjian.record.evidence import View"),  # a later room of the same floor
        (LEDGER, "from mingjian.record import evidence"),  # the same by way of the floor
        (LEDGER, "def late():\n    from mingjian.cli import main\n"),  # inside a function
        (LEDGER, "import importlib\nimportlib.import_module('mingjian.cli')"),
        (LEDGER, "import importlib\nimportlib.import_module('mingjian.' + room)"),
        (LEDGER, "__import__('mingjian.workspace')"),
        (LEDGER, "import importlib.util\nimportlib.util.find_spec('mingjian.schemes.green_power')"),
        (LEDGER, "from importlib import import_module as fetch"),
        (LEDGER, "if TYPE_CHECKING:\n    from mingjian.workspace import Workspace\n"),
        (LEDGER, "import mingjian.cli"),
        (LEDGER, "import mingjian.cli as face"),
        (LEDGER, "from ..evidence import View"),
        (LEDGER, "from mingjian.schemes.green_power.measures import gec"),
        (LEDGER, "from mingjian.schemes import green_power"),
        (LEDGER, "from mingjian import split"),
        (LEDGER, "from mingjian import declare"),
        (LEDGER, "import mingjian"),
        (LEDGER, "from mingjian.stray import thing"),
        (MEASURES, "from mingjian.record.ledger._store import Store"),  # another room's private module
        (MEASURES, "from mingjian.record.ledger import _store"),
        (MEASURES, "from mingjian.declare._expressions import Expr"),
        ("mingjian.attest.verify._check", "from mingjian.attest.issue import issue"),
        ("mingjian.attest.issue._run", "from mingjian.attest.verify import verify"),
        ("mingjian.base.values._units", "from mingjian.base.keys import SigningKey"),
        ("mingjian", "from mingjian.workspace import Workspace"),
        ("mingjian.stray._thing", "x = 1"),
        ("mingjian.record.stray", "x = 1"),
        ("mingjian.record", "from mingjian.record.ledger import Ledger"),
        (PORTRAITS, "from mingjian.declare import previous"),
        (PORTRAITS, "from mingjian import Workspace"),
        (PORTRAITS, "from mingjian import declare"),
        (PORTRAITS, "import mingjian"),
        (PORTRAITS, "from mingjian.schemes.green_power.measures import gec"),
        (PORTRAITS, "from mingjian.schemes.three_portraits.sample import rows"),
    ],
)
def test_a_bad_import_is_refused(module: str, source: str) -> None:
    assert faults(module, source)


@pytest.mark.parametrize(
    ("module", "source"),
    [
        (LEDGER, "import sqlite3\nfrom mingjian.base.errors import Tampered"),
        (LEDGER, "from mingjian.record.ledger._tiles import extended"),  # its own room
        (MEASURES, "from mingjian.declare import Expr\nfrom mingjian.reckon.index import Stats"),
        ("mingjian.workspace._workspace", "from mingjian.attest.verify import verify\nfind_spec(name)"),
        ("mingjian", "from mingjian.declare import where"),
        (PORTRAITS, "from mingjian import previous, where\nimport numpy"),
        ("mingjian.reckon", '"""What it amounts to."""'),
    ],
)
def test_a_good_import_is_not(module: str, source: str) -> None:
    assert not faults(module, source)
