"""From a folder to a frozen scheme, or to everything that is wrong with it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from mingjian.base.errors import Fault, Finding, Misuse
from mingjian.declare._check_folder import check_folder
from mingjian.declare._code import read_code, record_formulas
from mingjian.declare._data import meaning
from mingjian.declare._model import Scheme
from mingjian.declare._reader import read_scheme
from mingjian.declare._section import Report


def load(folder: Path) -> Scheme:
    """The scheme that a folder declares: ``scheme.toml``, ``measures.py``, ``cases/*.toml``.

    Runs ``measures.py``. Raises Fault with every Finding at once, each with file and line, and Misuse when there is no
    such folder.
    """
    scheme, findings = inspect(folder)
    if scheme is None:
        raise Fault(f"the scheme in {folder} does not hold together", findings=findings)
    return scheme


def inspect(folder: Path) -> tuple[Scheme | None, tuple[Finding, ...]]:
    """The scheme and no findings, or None and all of them, in order of file and line. Raises Misuse without a folder."""
    if not folder.is_dir():
        raise Misuse(f"{folder} is no folder", remedy="`mingjian new scheme` makes one")
    report = Report()
    scheme = read_scheme(folder, report)
    if scheme is None:
        return None, tuple(report.findings)
    code = read_code(folder, report)
    if code is not None:
        scheme = record_formulas(scheme, code, report)
    check_folder(scheme, code, report)
    if report.findings:
        return None, tuple(sorted(report.findings, key=_position))
    return replace(scheme, fingerprint=meaning(scheme)), ()


def _position(finding: Finding) -> tuple[str, int]:
    file, _, line = finding.place.file.partition(":")
    return file, int(line or 0)
