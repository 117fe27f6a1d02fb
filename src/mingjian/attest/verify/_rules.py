"""The scheme as a package carries it: read as data, held against what was signed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mingjian.attest.statements import Package, Statement, because
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
            return _other("scheme-unreadable", detail=fault), None
        if scheme is None:
            return _other("scheme-digest"), None
        if scheme.fingerprint != basis.fingerprint:
            return _other("scheme-fingerprint", found=scheme.fingerprint), None
        declared = scheme.statements.get(statement.type)
        if (scheme.id, scheme.version) != (basis.scheme, basis.version) or declared is None:
            found, signed = f"{scheme.id} {scheme.version}", f"{basis.scheme} {basis.version}"
            return _other("scheme-other", found=found, signed=signed), None
        if declared.of != statement.subject_type or declared.kind != statement.kind:
            return _other("scheme-statement", statement=declared.id, kind=declared.kind, of=declared.of), None
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


def _other(code: str, **params: object) -> Rules:
    return Rules("tampered", reason=because(code, **params))
