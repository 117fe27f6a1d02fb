"""Files that people take away: under its name each is whole, or still what it was before."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path
from typing import Final

from mingjian.base.errors import MingjianError

DRAFT: Final = ".draft"  # one a folder: what somebody left in it who died is written over by whoever comes next


def write_whole(file: Path, data: bytes) -> None:
    """Write ``data`` as ``file``, on disk before it gets its name. Writers to one folder queue, also those of other processes.

    Raises MingjianError where it cannot be written, as on a full disk; the file is then what it was.
    """
    draft = file.with_name(DRAFT)
    try:
        folder = os.open(file.parent, os.O_RDONLY)
        try:
            fcntl.flock(folder, fcntl.LOCK_EX)  # the system frees the lock of a process that dies
            with draft.open("wb") as opened:
                opened.write(data)
                opened.flush()
                os.fsync(opened.fileno())
            draft.replace(file)
        finally:
            os.close(folder)
    except OSError as fault:
        remedy = "make room, or mend the disk or its permissions, and try again"
        raise MingjianError(
            f"{file.name} was not written", why=fault.strerror or "", where=str(file.parent), remedy=remedy
        ) from fault
