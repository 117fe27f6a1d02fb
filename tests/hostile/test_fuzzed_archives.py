"""What comes back from elsewhere, a package or a backup: an answer or a refusal, whatever was done to it."""

from __future__ import annotations

import copy
import json
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mingjian.attest.verify import Report
from mingjian.base.errors import MingjianError
from mingjian.base.values import Period
from mingjian.workspace import (
    STATUS_FILE,
    TRUST_FILE,
    Order,
    Workspace,
    back_up,
    issue_into,
    level_of,
    read_trust,
    restore,
    verify_files,
)

hostile = settings.get_profile("hostile")
SMALL = Path(__file__).parents[1] / "workspace" / "small"
SINCE = {"from": "2021-01-01"}
ROWS: dict[str, list[dict[str, Any]]] = {
    "subject": [
        {"id": "D", "type": "district", "zh": "区", "en": "District", **SINCE},
        {"id": "U1", "type": "unit", "parent": "D", "zh": "一单位", "en": "Unit one", **SINCE},
    ],
    "task": [{"task": "1", "unit": "U1", "quarter": "2021Q3", "possible": "10", "awarded": "8.5"}],
    "reading": [{"unit": "U1", "month": "2021-07", "wh": 1000}],
    "ballot": [{"day": "2021-08-01", "unit": "U1", "grade": "good"}] * 12,
}
NOW = datetime(2021, 10, 8, tzinfo=UTC)
LATER = datetime(2021, 11, 1, tzinfo=UTC)
OTHER = st.recursive(
    st.none()
    | st.booleans()
    | st.sampled_from(
        [0, 1, -1, 2**63, 10**400, 1e308, "", "0", "1", "=", "a" * 70_000, "\ud800", "9" * 5000, "U1", "z"]
    )
    | st.integers()
    | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=5,
)
NESTED = ['{"a":' * 100_000, "[" * 100_000]


@dataclass(frozen=True)
class Sent:
    """A workspace that issued a portrait, the folder it lies in with its trust and status list, and a backup of all."""

    workspace: Workspace
    package: Path
    backup: Path

    def check(self, package: Path) -> Report:
        """What a reader is told of a package."""
        near = self.package.parent
        return verify_files([package], trust=read_trust(near / TRUST_FILE), now=LATER, status=[near / STATUS_FILE])


@pytest.fixture(scope="module")
def sent(tmp_path_factory: pytest.TempPathFactory) -> Sent:
    folder = tmp_path_factory.mktemp("sent")
    workspace = Workspace.create(folder / "workspace", origin="example.org/sent", clock=lambda: NOW)
    scheme = workspace.adopt(str(SMALL), "tester")
    for kind, rows in ROWS.items():
        file = folder / f"{kind}.jsonl"
        file.write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
        workspace.add_file(scheme, kind, file, "tester")
    order = Order(Period.parse("2021Q3"), {"portrait": None}, level_of("auditor"))
    written = issue_into(workspace, scheme, order, folder / "out", by="tester")
    back_up(workspace, folder / "backup.tar")
    return Sent(workspace, written.files[0], folder / "backup.tar")


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The way to every value inside."""
    if path:
        yield path
    if isinstance(value, dict | list):
        for key, child in value.items() if isinstance(value, dict) else enumerate(value):
            yield from places(child, (*path, key))


def changed(document: Any, path: tuple[Any, ...], value: Any, how: str) -> Any:
    """The document with that value in that place, or nothing, or what is there twice."""
    made = copy.deepcopy(document)
    above = made
    for step in path[:-1]:
        above = above[step]
    if how == "gone":
        del above[path[-1]]
    elif how == "twice" and isinstance(above, list):
        above.append(above[path[-1]])
    else:
        above[path[-1]] = value
    return made


def test_it_is_good_before_anybody_touches_it(sent: Sent) -> None:
    assert sent.check(sent.package).good


@settings(hostile)
@given(data=st.data(), value=OTHER, how=st.sampled_from(["other", "other", "gone", "twice"]))
def test_a_package_with_anything_in_any_place(
    sent: Sent, tmp_path_factory: Any, data: st.DataObject, value: Any, how: str
) -> None:
    document = json.loads(sent.package.read_bytes())
    path = data.draw(st.sampled_from(list(places(document))))
    other = changed(document, path, value, how)
    package = tmp_path_factory.getbasetemp() / "changed.json"
    package.write_text(json.dumps(other), "utf-8")
    (told,) = sent.check(package).packages  # an answer, whatever it is; any exception is a failure
    if other != document and path[0] == "credential":
        assert not told.good


@pytest.mark.parametrize("text", NESTED, ids=["objects", "lists"])
def test_a_package_that_nests_without_an_end_is_answered(sent: Sent, tmp_path: Path, text: str) -> None:
    package = tmp_path / "deep.json"
    package.write_text(text)
    assert not sent.check(package).good


@settings(hostile)
@given(
    flips=st.lists(
        st.tuples(st.floats(0, 1, exclude_max=True), st.binary(min_size=1, max_size=6)), min_size=1, max_size=3
    ),
    cut=st.floats(0, 1) | st.just(1.0),
)
def test_a_backup_of_any_bytes(sent: Sent, tmp_path_factory: Any, flips: list[tuple[float, bytes]], cut: float) -> None:
    data = sent.backup.read_bytes()
    other = bytearray(data[: int(cut * len(data))])
    for where, new in flips:
        at = int(where * len(other))
        other[at : at + len(new)] = new[: len(other) - at]
    place: Path = tmp_path_factory.mktemp("again")
    (place / "backup.tar").write_bytes(other)
    try:
        restore(place / "backup.tar", place / "workspace", clock=lambda: LATER)
    except MingjianError:
        assert [path.name for path in place.iterdir()] == ["backup.tar"]  # nothing is left of it
    else:  # what was changed is of no file: padding, or what a tar's header says that is not read
        head = Workspace.open(place / "workspace").ledger
        assert (head.size, head.state().root()) == (sent.workspace.ledger.size, sent.workspace.ledger.state().root())
        assert head.audit() == []
    shutil.rmtree(place)
