"""What a form of an act says, and where in the form a finding belongs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from mingjian.base.errors import Finding, Place
from mingjian.declare import Act, Field
from mingjian.web._forms import Form as Typed
from mingjian.web._forms import Posted
from mingjian.workspace import Form

ATTACHMENT: Final = "attachment"
MOST_ROWS: Final = 100  # of one type in one form
BLANK_ROWS: Final = 2  # that stand there at first, where any number may come along


@dataclass(frozen=True, slots=True)
class Given:
    """An act as it was filled in: ``numbers`` has, by type, where in the form each of its ``rows`` stands (from 1)."""

    fills: Mapping[str, str]
    rows: Mapping[str, Sequence[Mapping[str, str]]]
    numbers: Mapping[str, Sequence[int]]
    counts: Mapping[str, int]

    def placed(self, found: Finding, of: str) -> Finding:
        """The finding at the name of its field in the form."""
        sheet, row, field = found.place.sheet, found.place.row, found.place.field
        name = ""
        if sheet == of and row is None:
            name = fill_name(field)
        elif sheet == "act":
            name = field
        elif row is not None and row <= len(self.numbers.get(sheet, ())):
            name = row_name(sheet, self.numbers[sheet][row - 1], field)
        elif not sheet and found.place.file:
            name = "files"
        return replace(found, place=Place(found.place.file, field=name))


def fill_name(field: str) -> str:
    """The name in the form of a field of the case's own row."""
    return f"fill.{field}"


def row_name(kind: str, number: int, field: str) -> str:
    """The name in the form of a field of a row that comes along."""
    return f"row.{kind}.{number}.{field}"


def given(form: Posted, fills: Iterable[Field], forms: Iterable[Form]) -> Given:
    """What was filled in. Rows in which nothing stands are none, except the one that an act cannot do without."""
    rows: dict[str, list[dict[str, str]]] = {}
    numbers: dict[str, list[int]] = {}
    counts: dict[str, int] = {}
    for one in forms:
        kind = one.kind.id
        counts[kind] = counted(form, one)
        for number in range(1, counts[kind] + 1):
            row = {field.name: form.text(row_name(kind, number, field.name)) for field in one.fields}
            if any(row.values()) or one.amount == "one":
                rows.setdefault(kind, []).append(row)
                numbers.setdefault(kind, []).append(number)
    return Given({field.name: form.text(fill_name(field.name)) for field in fills}, rows, numbers, counts)


def counted(form: Posted, one: Form) -> int:
    """How many rows of a type the form has; one more where somebody asked for that."""
    text = form.text(f"rows.{one.kind.id}")
    there = int(text) if text.isascii() and text.isdigit() and len(text) < 4 else first_count(one)
    wanted = there + (form.text("more") == one.kind.id)
    return 1 if one.amount == "one" else min(max(wanted, 1), MOST_ROWS)


def first_count(one: Form) -> int:
    """How many rows of a type a form has at first."""
    return 1 if one.amount == "one" else BLANK_ROWS


def names_in(act: Act, fills: Iterable[Field], forms: Iterable[Form], counts: Mapping[str, int]) -> set[str]:
    """Every field of a form."""
    rows = {
        row_name(one.kind.id, number, field.name)
        for one in forms
        for number in range(1, counts.get(one.kind.id, first_count(one)) + 1)
        for field in one.fields
    }
    files = {"files"} if ATTACHMENT in act.takes else set()
    return rows | files | {fill_name(field.name) for field in fills} | {"note"}


def typed_texts(typed: Typed, names: Iterable[str]) -> list[str]:
    """What somebody typed, for a form that is no longer there."""
    return [text for name in sorted(names) if (text := typed.value(name).strip())]
