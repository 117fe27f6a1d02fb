"""Verifying files as whoever holds them would: from the files alone."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from mingjian.attest.verify import Report, Trust, verify
from mingjian.base.errors import Misuse
from mingjian.base.values import read_json


def verify_files(
    files: Sequence[Path],
    *,
    trust: Trust,
    now: datetime,
    status: Iterable[Path] = (),
    keys: Iterable[Path] = (),
) -> Report:
    """Verify package files in one run. ``status`` are the files of signed status lists at hand, ``keys`` those of key histories.

    Raises Misuse for a file that is not there, Fault for a status list or a key history that is none.
    """
    if not files:
        raise Misuse("nothing to verify", remedy="name the files of statements")
    packages = ((str(file), read_bytes(file)) for file in files)
    lists, histories = ([_json(file) for file in files] for files in (status, keys))
    return verify(packages, now=now, trust=trust, status_lists=lists, key_histories=histories)


def read_trust(file: Path) -> Trust:
    """Whom a trust file names: a JSON object with ``issuers`` (did:key ...) and ``ledgers`` (checkpoint keys).

    Raises Misuse for another file.
    """
    said = _json(file)
    names = ("issuers", "ledgers")
    lists = [said.get(name, []) for name in names] if isinstance(said, dict) and {*said} & {*names} else []
    if not lists or not all(isinstance(x, list) and all(isinstance(t, str) for t in x) for x in lists):
        raise Misuse(
            f"{file} is no trust file", remedy='write {"issuers": ["did:key:..."], "ledgers": ["name+id+key"]}'
        )
    return Trust.of(*lists)


def read_bytes(file: Path) -> bytes:
    """A file's bytes. Raises Misuse where there is none."""
    if not file.is_file():
        raise Misuse(f"there is no file {file}", remedy="name a file that is there")
    return file.read_bytes()


def _json(file: Path) -> Any:
    try:
        return read_json(read_bytes(file))
    except (ValueError, RecursionError) as fault:
        raise Misuse(f"{file} is not JSON", why=str(fault), remedy="fetch it anew, or name another file") from fault
