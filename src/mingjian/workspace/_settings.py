"""What a workspace is run on, said in one place: ``workspace.toml`` in its directory. Without it, this machine does it all."""

from __future__ import annotations

import json
import os
import tomllib
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Final

from mingjian.base.errors import Misuse

SETTINGS: Final = "workspace.toml"


@dataclass(frozen=True, slots=True)
class Settings:
    """Where the ledger lies (a ``postgresql://`` URL), where its blobs do (``s3://bucket/prefix``), and the master of the Spark
    that reckons measures. What is "" is here: in the workspace's directory, in this process.
    """

    ledger: str = ""
    blobs: str = ""
    engine: str = ""

    def places(self, folder: Path) -> tuple[str | Path, str | None]:
        """Where the ledger of a workspace in that directory lies; where its blobs do, None for beside it."""
        return self.ledger or folder, self.blobs or None

    def save(self, folder: Path) -> None:
        """Write what is not here into the directory, for its owner's eyes: a URL may have a password in it."""
        lines = [f"{name} = {json.dumps(value)}\n" for name, value in asdict(self).items() if value]
        if lines:
            with open(os.open(folder / SETTINGS, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
                file.writelines(lines)


def read_settings(folder: Path) -> Settings:
    """The settings of a workspace's directory. Raises Misuse for a file that says anything else."""
    file = folder / SETTINGS
    if not file.is_file():
        return Settings()
    known = [field.name for field in fields(Settings)]
    remedy = f"it is TOML, and may say {', '.join(known)}, each a text"
    try:
        said = tomllib.loads(file.read_text("utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as fault:
        raise Misuse(
            "the settings of the workspace cannot be read", why=str(fault), where=str(file), remedy=remedy
        ) from fault
    for name, value in said.items():
        if name not in known or not isinstance(value, str):
            raise Misuse(f"there is no such setting: {name}", where=str(file), remedy=remedy)
    return Settings(**said)
