"""Where schemes come from: a folder, or an installed package that offers one."""

from __future__ import annotations

from importlib.metadata import entry_points
from importlib.util import find_spec
from pathlib import Path
from typing import Final

import orjson
import pyarrow as pa

from mingjian.base.errors import Fault, Misuse
from mingjian.declare import Scheme, scheme_data, scheme_from_data
from mingjian.record.ledger import Batch, LedgerState
from mingjian.workspace._cases import run_cases

GROUP: Final = "mingjian.schemes"
KIND: Final = "scheme"
_SCHEMA: Final = pa.schema([(name, pa.string()) for name in ("id", "version", "fingerprint", "data")])


def scheme_folder(name: str) -> Path:
    """The folder of a scheme: ``name`` is a path to one, or the name under which an installed package offers it.

    Packages offer schemes through the entry point group ``mingjian.schemes``, whose value is the module in whose folder
    scheme.toml lies. Raises Misuse, naming those there are.
    """
    path = Path(name)
    if (path / "scheme.toml").is_file():
        return path
    offered = {point.name: point.value for point in entry_points(group=GROUP)}
    spec = find_spec(offered[name]) if name in offered else None
    if spec is None or spec.origin is None:
        raise Misuse(
            f"there is no scheme {name}",
            why="it is neither a folder with a scheme.toml nor offered by an installed package",
            remedy=f"installed are {', '.join(sorted(offered)) or 'none'}",
        )
    return Path(spec.origin).parent


def scheme_batch(scheme: Scheme, by: str) -> Batch:
    """A version of a scheme as a batch: its declarations as data, so that old results keep the rules of their day."""
    row = {
        "id": scheme.id,
        "version": scheme.version,
        "fingerprint": scheme.fingerprint,
        "data": _text(scheme),
    }
    source = {"fingerprint": scheme.fingerprint}
    return Batch(KIND, scheme.id, by, pa.Table.from_pylist([row], schema=_SCHEMA), source)


def adopted(state: LedgerState, scheme: Scheme) -> bool:
    """Whether a scheme is in force at a state just as it is, to the last title and role."""
    rows = [*_versions(state, scheme.id).values()]
    return bool(rows) and rows[-1]["data"] == _text(scheme)


def want_unambiguous(state: LedgerState, scheme: Scheme) -> None:
    """Raises Misuse where the version is recorded with another meaning: whoever reads "version 2" must know which."""
    for index, row in _versions(state, scheme.id).items():
        if row["version"] == scheme.version and row["fingerprint"] != scheme.fingerprint:
            raise Misuse(
                f"version {scheme.version} of {scheme.id} is recorded with another meaning",
                why=f"entry {index} has {row['fingerprint']}, this is {scheme.fingerprint}",
                remedy="raise the version in scheme.toml",
            )


def want_passed(scheme: Scheme, name: str) -> None:
    """Raises Fault with every case of the scheme that does not come out as its author says it must."""
    found = run_cases(scheme)
    if found:
        raise Fault(
            f"scheme {scheme.id} does not pass its own cases",
            remedy=f"`mingjian check {name}` until it does, then record it",
            findings=found,
        )


def latest(state: LedgerState, scheme: str) -> int:
    """The entry with the version of a scheme that is in force at a state of the ledger. Misuse where there is none."""
    last = None
    for entry in state.entries(kind=KIND, scheme=scheme):
        last = entry.index
    if last is None:
        there = sorted({entry.scheme for entry in state.entries(kind=KIND)})
        raise Misuse(
            f"this workspace does not run scheme {scheme}",
            remedy=f"it runs {', '.join(there)}" if there else "`mingjian add` its folder",
        )
    return last


def recorded(state: LedgerState, version: int) -> Scheme:
    """The version of a scheme that entry `latest` holds."""
    return scheme_from_data(orjson.loads(state.table(version)["data"][0].as_py()))


def _text(scheme: Scheme) -> str:
    return orjson.dumps(scheme_data(scheme), option=orjson.OPT_SORT_KEYS).decode()


def _versions(state: LedgerState, scheme: str) -> dict[int, dict[str, str]]:
    """What was recorded of a scheme, by entry, in order."""
    return {entry.index: state.table(entry.index).to_pylist()[0] for entry in state.entries(kind=KIND, scheme=scheme)}
