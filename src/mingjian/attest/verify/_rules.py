"""The scheme as a package carries it: read as data, held against what was signed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mingjian.attest.statements import Package, Statement
from mingjian.attest.verify._report import Rules
from mingjian.base.errors import MingjianError
from mingjian.base.values import digest
from mingjian.declare import Scheme, scheme_from_data


class Schemes:
    """The schemes met so far, so that the one scheme of a run's many packages is read once."""

    def __init__(self) -> None:
        self._known: dict[str, tuple[Mapping[str, Any], Scheme]] = {}

    def check(self, package: Package, statement: Statement) -> tuple[Rules, Scheme | None]:
        """Whether the package's scheme is the one signed for, and the scheme if so."""
        basis = statement.basis
        try:
            scheme = self._read(package.scheme, basis.scheme_digest)
        except MingjianError as fault:
            return Rules("tampered", str(fault)), None
        if scheme is None:
            return Rules("tampered", "the scheme's data has another digest than the one signed"), None
        if scheme.fingerprint != basis.fingerprint:
            return Rules("tampered", f"its formulas have the fingerprint {scheme.fingerprint}"), None
        declared = scheme.statements.get(statement.type)
        if (scheme.id, scheme.version) != (basis.scheme, basis.version) or declared is None:
            return Rules("tampered", f"it is {scheme.id} {scheme.version}, not {basis.scheme} {basis.version}"), None
        if declared.of != statement.subject_type or declared.kind != statement.kind:
            return Rules("tampered", f"a {declared.id} is a {declared.kind} of a {declared.of}"), None
        return Rules("same"), scheme

    def _read(self, data: Mapping[str, Any], signed: str) -> Scheme | None:
        if signed in self._known:
            known, scheme = self._known[signed]
            # Comparing costs a tenth of making canonical.
            return scheme if known == data else None
        if digest(data) != signed:
            return None
        scheme = scheme_from_data(data)
        self._known[signed] = (data, scheme)
        return scheme
