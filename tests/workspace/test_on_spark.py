"""What a workspace is run on changes no byte of what it says: a directory and DuckDB, or PostgreSQL, S3 and Spark."""

from __future__ import annotations

import random
import shutil
import stat
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from mingjian.base.errors import Misuse
from mingjian.base.keys import SigningKey
from mingjian.base.values import Period
from mingjian.workspace import Order, Settings, Workspace, issue_into, sample_rows

UNITS = [f"U{n:02}" for n in range(1, 9)]
MEASURED = ("subject", "indicator", "task", "adjustment", "form", "item")  # what other types tell enters no measure
ORDERS = {
    "three_portraits": Order(Period.parse("2021Q3"), {"unit_portrait": UNITS[:2], "leader_portrait": ["L001", "L002"]}),
    "green_power": Order(Period.parse("2021"), {"green_certificate": None}, "auditor"),
}
Statements = Mapping[str, bytes]


@pytest.fixture(scope="module")
def rows(tmp_path_factory) -> Mapping[str, Mapping[str, Path]]:
    """By scheme and type, the sample's rows as files: all of green power, and of the district those of eight units."""
    folder = tmp_path_factory.mktemp("rows")
    files: dict[str, dict[str, Path]] = {}
    for scheme in ORDERS:
        for kind, table in sample_rows(scheme, 20210907).items():
            if scheme == "green_power" or kind in MEASURED:
                found = (
                    table.filter(pc.is_in(table["unit"], pa.array(UNITS))) if "unit" in table.column_names else table
                )
                files.setdefault(scheme, {})[kind] = folder / f"{scheme}-{kind}.parquet"
                pq.write_table(found, files[scheme][kind])
    return files


class Clock:
    """Each look at it is a second later."""

    def __init__(self) -> None:
        self.time = datetime(2021, 10, 8, 8, tzinfo=UTC)

    def __call__(self) -> datetime:
        self.time += timedelta(seconds=1)
        return self.time


class Drawn:
    """What was drawn by chance, drawn alike in each workspace: keys, the salts of rows and values, the order of ballots."""

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        self._patch = patch

    def anew(self, what: str) -> None:
        for room in (
            "record.ledger._writer",
            "record.ledger._payload",
            "record.evidence._intake",
            "attest.issue._contents",
        ):
            chance = random.Random(f"{what} {room}")
            drawn = SimpleNamespace(token_bytes=chance.randbytes, randbits=chance.getrandbits)
            self._patch.setattr(f"mingjian.{room}.secrets", drawn)  # what names files in a place is drawn apart
        keys = random.Random(what)
        self._patch.setattr(SigningKey, "generate", lambda: SigningKey.from_seed(keys.randbytes(32)))


@pytest.fixture(scope="module")
def drawn() -> Iterator[Drawn]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("mingjian.workspace._workspace.want_passed", lambda *_: None)  # cases are tried where schemes are
        yield Drawn(patch)


@pytest.fixture(scope="module")
def fill(drawn, rows) -> Callable[[Path, Settings], Workspace]:
    """Make a workspace with the rows of both schemes."""

    def fill(folder: Path, settings: Settings) -> Workspace:
        drawn.anew("rows")
        workspace = Workspace.create(folder, origin="example.org/two", clock=Clock(), settings=settings)
        for name, files in rows.items():
            scheme = workspace.adopt(name, "tester")
            for kind, file in files.items():
                assert workspace.add_file(scheme, kind, file, "tester", synthetic=True).rows
        return workspace

    return fill


@pytest.fixture(scope="module")
def issue(drawn) -> Callable[[Workspace, Path, str], Statements]:
    """Issue what the order for a scheme says; the bytes of each file."""

    def issue(workspace: Workspace, into: Path, name: str) -> Statements:
        drawn.anew(name)
        issue_into(workspace, workspace.scheme(name), ORDERS[name], into, by="tester")
        return {file.name: file.read_bytes() for file in sorted(into.iterdir())}

    return issue


@pytest.fixture(scope="module")
def here(fill, issue, tmp_path_factory) -> tuple[Path, datetime, Mapping[str, Statements]]:
    """A directory with rows of both schemes and nothing issued, when it was filled, and what is issued of it with DuckDB.

    The certificates are issued first.
    """
    folder = tmp_path_factory.mktemp("here")
    made = fill(folder / "filled", Settings())
    then = made.clock.time
    shutil.copytree(made.folder, folder / "copy")
    workspace = opened(folder / "copy", then)
    return (
        made.folder,
        then,
        {name: issue(workspace, folder / name, name) for name in ("green_power", "three_portraits")},
    )


def opened(folder: Path, then: datetime) -> Workspace:
    """A workspace whose clock stands where it stood then."""
    clock = Clock()
    clock.time = then
    return Workspace.open(folder, clock=clock)


def test_statements_of_both_schemes_have_the_same_bytes_on_spark(here, issue, spark, tmp_path):
    folder, then, expected = here
    shutil.copytree(folder, tmp_path / "there")
    Settings(engine=spark).save(tmp_path / "there")
    there = opened(tmp_path / "there", then)
    assert {name: issue(there, tmp_path / name, name) for name in expected} == expected
    assert {name: len(files) for name, files in expected.items()} == {
        "green_power": 4 + 2, "three_portraits": 4 + 2,  # a status list, and whom to trust
    }  # fmt: skip


def test_certificates_have_the_same_bytes_on_postgresql_s3_and_spark(
    here, fill, issue, spark, postgresql, s3, tmp_path
):
    _, then, expected = here
    made = fill(tmp_path / "there", Settings(postgresql, s3, spark))
    there = opened(made.folder, then)
    assert not (there.folder / "ledger.db").exists()
    assert there.ledger.blobs()  # of the forms, which are many
    assert issue(there, tmp_path / "issued", "green_power") == expected["green_power"]


def test_rows_that_a_killed_process_left_for_a_cluster_go_with_the_projection(tmp_path):
    workspace = Workspace.create(tmp_path / "w", origin="example.org/w")
    left = workspace.projection.laid_out / "tmpx" / "0-item.parquet"
    left.parent.mkdir(parents=True)
    left.write_bytes(b"rows")
    workspace.forget()  # as an erasure does
    assert not workspace.projection.laid_out.exists()


def test_what_a_workspace_is_run_on_is_said_once_and_seen_by_its_owner(tmp_path):
    made = Workspace.create(tmp_path / "w", origin="example.org/w", settings=Settings(engine="local[1]"))
    file = made.folder / "workspace.toml"
    assert file.read_text() == 'engine = "local[1]"\n'
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert Workspace.open(made.folder).settings == made.settings
    plain = Workspace.create(tmp_path / "plain", origin="example.org/plain")
    assert not (plain.folder / "workspace.toml").exists()
    assert Workspace.open(plain.folder).settings == Settings()


@pytest.mark.parametrize("text", ['engin = "x"', "engine = 7", "engine"], ids=["name", "number", "toml"])
def test_settings_that_say_anything_else_are_refused(tmp_path, text):
    made = Workspace.create(tmp_path / "w", origin="example.org/w")
    (made.folder / "workspace.toml").write_text(text)
    with pytest.raises(Misuse) as error:
        Workspace.open(made.folder)
    assert "ledger, blobs, engine" in error.value.remedy
