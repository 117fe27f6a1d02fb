"""Files that are whole under their names, or still what they were before, whatever happens while they are written."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from mingjian.base.errors import MingjianError

DRAFT: Final = ".draft"  # one a folder: what somebody left in it who died is written over by whoever comes next


@contextmanager
def drafting(folder: Path, what: str) -> Iterator[Path]:
    """The draft of a folder, to be written and then given its name. Writers to one folder queue, of other processes too.

    Raises MingjianError that ``what`` was not written where it cannot be, as on a full disk.
    """
    draft = folder / DRAFT
    try:
        held = os.open(folder, os.O_RDONLY)
        try:
            fcntl.flock(held, fcntl.LOCK_EX)  # the system frees the lock of a process that dies
            try:
                yield draft
            finally:
                draft.unlink(missing_ok=True)
        finally:
            os.close(held)
    except OSError as fault:
        remedy = "make room, or mend the disk or its permissions, and try again"
        why = fault.strerror or str(fault)
        raise MingjianError(f"{what} was not written", why=why, where=str(folder), remedy=remedy) from fault


def write_whole(file: Path, data: bytes) -> None:
    """Write ``data`` as ``file``, on disk before it gets its name. Raises as `drafting` does; the file is then what it was."""
    with drafting(file.parent, file.name) as draft:
        with draft.open("wb") as opened:
            opened.write(data)
            opened.flush()
            os.fsync(opened.fileno())
        draft.replace(file)


def keep_names(folder: Path) -> None:
    """Make the names in a folder, new ones and those that were given to other files, last through a power cut.

    Raises OSError where the folder cannot be read.
    """
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
