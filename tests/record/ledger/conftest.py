"""A place for a ledger, in each kind of store: what holds over one must hold over the other."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from mingjian.record.ledger import Ledger

Place = dict[str, Any]


@pytest.fixture(params=["sqlite", "postgresql"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Place:
    """Where a ledger may be made: what `Ledger.create` and `Ledger.open` are told. Its blobs lie in ``tmp_path / "blobs"``."""
    if request.param == "sqlite":
        return {"where": tmp_path / "log", "blobs": tmp_path / "blobs"}
    return {"where": request.getfixturevalue("postgresql"), "blobs": tmp_path / "blobs"}


@pytest.fixture
def query() -> Callable[..., list[tuple[Any, ...]]]:
    """Run a statement over the tables of a ledger, as somebody may who has the database in hand."""

    def run(ledger: Ledger, sql: str, *values: object) -> list[tuple[Any, ...]]:
        names = iter(f"value{number}" for number in range(len(values)))
        statement = sa.text(re.sub(r"\?", lambda _: f":{next(names)}", sql))
        with ledger._store.database.alone() as connection:
            found = connection.execute(statement, {f"value{n}": value for n, value in enumerate(values)})
            rows = [tuple(row) for row in found] if found.returns_rows else []
            connection.commit()
        return rows

    return run


@pytest.fixture
def files(place: Place, query: Callable[..., list[tuple[Any, ...]]]) -> Callable[[Ledger], Iterator[tuple[str, bytes]]]:
    """Name and bytes of every file in which the tables and the blobs of a ledger lie; of a server's, those of its database."""

    def found(ledger: Ledger) -> Iterator[tuple[str, bytes]]:
        folder = Path(place["where"])
        if not folder.is_dir():
            with ledger._store.database.reading() as connection:
                connection.execute(sa.text("CHECKPOINT"))
            [[data, oid]] = query(
                ledger,
                "SELECT current_setting('data_directory'), oid FROM pg_database WHERE datname = current_database()",
            )
            folder = Path(data, "base", str(oid))
            if not os.access(folder, os.R_OK):
                pytest.skip("the server's files are somebody else's")
        for top in (folder, Path(place["blobs"])):
            for file in sorted(path for path in top.rglob("*") if path.is_file()):
                yield str(file), file.read_bytes()

    return found
