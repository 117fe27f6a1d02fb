"""The rows a run stands on: those of a view, and those derived from them."""

from __future__ import annotations

from collections.abc import Callable, Collection, Hashable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Any, Final

import pyarrow as pa

from mingjian.base.values import Period
from mingjian.declare import EvidenceType, Field, Scheme
from mingjian.reckon.measures._derive import Deriver, Row, Source
from mingjian.reckon.measures._parts import part
from mingjian.reckon.measures._plan import evidence_of
from mingjian.record.evidence import View

_DERIVED: Final = "_derived"  # the name of a derivation's rows in a query


class Ground:
    """A view's rows by kind, with the derivations of its scheme worked out once for each day they are asked for.

    With ``subjects``, derived rows are those about any of them (and such as these hang together with).
    """

    def __init__(self, scheme: Scheme, view: View, subjects: Collection[str] | None = None) -> None:
        self.scheme, self.view = scheme, view
        self._subjects = subjects
        self._lists: dict[str, Sequence[Row]] = {}
        self._derivers: dict[tuple[str, date], Deriver] = {}
        self._tables: dict[tuple[str, date], pa.Table] = {}

    def until(self, end: date) -> Until:
        """The rows that are there before ``end``."""
        return Until(self, end)

    def listed(self, kind: str) -> Sequence[Row]:
        """An evidence type's rows as dicts."""
        if kind not in self._lists:
            self._lists[kind] = self.view.arrow(kind).to_pylist()
        return self._lists[kind]

    def members(self, kind: str, end: date) -> Sequence[Row]:
        """A dimension's members as they stand before ``end``: of each the row that was dated last."""
        evidence = self.scheme.evidence[kind]
        rows = [row for row in self.listed(kind) if not evidence.date or row["_date"] < end]  # type: ignore[operator]
        rows.sort(key=lambda row: (row["_date"], row["_entry"], row["_row"]) if evidence.date else ())
        return list({tuple(row[k] for k in evidence.thread): row for row in rows}.values())

    def derived(self, name: str, end: date) -> Sequence[Row]:
        """A derivation's rows before ``end``."""
        return self._deriver(name, end).rows(name)

    def origins(self, name: str, end: date) -> Mapping[tuple[int, int], Collection[Source]]:
        """For each derived row (by its own entry and row) the evidence it was made from."""
        deriver = self._deriver(name, end)
        pairs = zip(deriver.rows(name), deriver.sources(name), strict=True)
        return {(row["_entry"], row["_row"]): found for row, found in pairs}  # type: ignore[misc]

    def _deriver(self, name: str, end: date) -> Deriver:
        """Of all rows one works out every derivation; among ``subjects`` each has a part of the rows of its own."""
        key = ("" if self._subjects is None else name, end)
        if key not in self._derivers:
            last = Period.of(end - timedelta(days=1), "day")
            self._derivers[key] = Deriver(self.scheme, self._rows_for(name), last)
        return self._derivers[key]

    def _rows_for(self, name: str) -> Callable[[str], Sequence[Row]]:
        """The rows of evidence that a derivation is made from, by type."""
        if self._subjects is None:
            return self.listed
        found = part(self.scheme, name, self.view.arrow, self._subjects)
        return lambda kind: found[kind].to_pylist()

    def derived_table(self, name: str, end: date) -> pa.Table:
        """A derivation's rows as a table."""
        if (name, end) not in self._tables:
            self._tables[name, end] = arrow_of(evidence_of(self.scheme, name), self.derived(name, end))
        return self._tables[name, end]


def members(scheme: Scheme, view: View, kind: str, period: Period) -> Sequence[Row]:
    """The members of dimension ``kind`` in force at the end of a period, as rows: those that an index grows from."""
    return Ground(scheme, view).members(kind, period.end)


@dataclass(frozen=True, slots=True)
class Until:
    """The rows of a `Ground` before a day."""

    ground: Ground
    end: date

    @property
    def zone(self) -> str:
        """The scheme's zone."""
        return self.ground.scheme.zone

    def rows(self, kind: str) -> Any:
        """The rows of an evidence type or derivation as an Ibis table; `select` gives it those of a derivation."""
        if kind not in self.ground.scheme.derivations:
            return self.ground.view.rows(kind)
        import ibis

        return ibis.table(ibis.Schema.from_pyarrow(self.ground.derived_table(kind, self.end).schema), name=_DERIVED)

    def select(
        self,
        key: Hashable,
        expression: Callable[[], Any],
        kind: str,
        given: Mapping[str, pa.Table],
        among: tuple[str, Sequence[str]] | None,
    ) -> pa.Table:
        """What an Ibis expression over the rows of ``kind`` and ``given`` tables gives; its key need not name the scheme."""
        scheme = self.ground.scheme
        if kind in scheme.derivations:
            given = {**given, _DERIVED: self.ground.derived_table(kind, self.end)}
        return self.ground.view.select((scheme.id, scheme.fingerprint, key), expression, given, among)


def arrow_of(evidence: EvidenceType, rows: Sequence[Row]) -> pa.Table:
    """Rows as an Arrow table: the declared fields, with whole numbers as decimals of 38 digits, and where they stand."""
    columns = {
        name: pa.array([_plain(row.get(name)) for row in rows], _type(field)) for name, field in evidence.fields.items()
    }
    for name, kind in (("_entry", pa.int64()), ("_row", pa.int64()), ("_date", pa.date32())):
        columns[name] = pa.array([row.get(name) for row in rows], kind)
    return pa.table(columns)


def _type(field: Field) -> pa.DataType:
    match field.type:
        case "flag":
            return pa.bool_()
        case "date":
            return pa.date32()
        case "time":
            return pa.timestamp("us", "UTC")
        case "integer" | "quantity":
            return pa.decimal128(38, 0)
        case "decimal":
            return pa.decimal128(38, field.decimals)
    return pa.string()


def _plain(value: object) -> object:
    return Decimal(value) if isinstance(value, int) and not isinstance(value, bool) else value
