"""Evaluation tables: the numbers of all subjects of a statement type in one period, as a workbook and on paper.

Rows stand in the order of their ids, under the subject above them: a table of people ranks nobody.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from io import BytesIO
from typing import Any, Final

import xlsxwriter

from mingjian.base.errors import Misuse
from mingjian.base.typeset import Typesetter
from mingjian.base.values import Period, unit_word
from mingjian.declare import Scheme, Title
from mingjian.reckon.measures import Value
from mingjian.workspace._paper_facts import Facts, grade, titles
from mingjian.workspace._papers import run_in
from mingjian.workspace._workspace import Workspace

_MADE: Final = datetime(2000, 1, 1, tzinfo=UTC)  # the same table is the same file
_SURE_DIGITS: Final = 15  # of a number in Excel; what has more stands as text
_LONGEST_TEXT: Final = 32_767  # characters in a cell of Excel
_RISKY: Final = ("=", "+", "-", "@", "\t", "\r")  # a text that begins so would be a formula once its cell is edited
_NUMBER: Final = re.compile(r"-?[0-9]+([.][0-9]+)?")
_PAPER: Final = '#import "@mingjian/evaluation:1.0.0": evaluation\n#evaluation'
_SIDE_BY_SIDE: Final = 13  # columns that fit on a page beside each other, some of them grades
_NAMED: Final = 8  # of a breakdown with more members each is headed by its code, and a key says what the codes are

_WORDS: Final = {
    "table": Title("Evaluation table", "评价表"),
    "basis": Title("Basis", "依据"),
    "id": Title("Id", "编号"),
    "grade": Title("Grade", "等次"),
    "withheld": Title("withheld", "不公布"),
    "none": Title("—", "—"),
    "period": Title("Period", "期间"),
    "scheme": Title("Scheme", "方案"),
    "version": Title("Version", "版本"),
    "fingerprint": Title("Fingerprint of the rules", "规则指纹"),
    "origin": Title("Ledger", "账本"),
    "size": Title("Entries in the ledger", "账本条目数"),
    "root": Title("Root of the ledger", "账本树根"),
    "rows": Title("Rows", "行数"),
    "law": Title("Law", "法规依据"),
    "order": Title("Order", "排列"),
    "by_id": Title("by id; the table ranks nobody", "按编号排列，不作排名"),
    "marks": Title("Marks", "标注"),
    "marks_mean": Title(
        "withheld: counted from too few ballots to be shown; —: there is no value",
        "不公布：票数不足最低公布数；—：没有数值",
    ),
    "use": Title("Use", "使用"),
    "use_means": Title(
        "a table informs a decision and never makes one; each use names the person who decides",
        "本表供决策参考，不代替决策；每次使用须写明作出决定的人",
    ),
    "synthetic": Title("SYNTHETIC 合成数据", "合成数据 SYNTHETIC"),
}


@dataclass(frozen=True, slots=True)
class Column:
    """A measure, or one member of its breakdown, or the grade that it reaches."""

    measure: str
    member: str
    title: Title
    group: Title | None
    unit: str
    decimals: int
    grade: bool = False


@dataclass(frozen=True, slots=True)
class Line:
    """A subject and its values, as many as there are columns; None where nothing was measured."""

    id: str
    title: Title
    above: Title | None
    values: tuple[Value | None, ...]


@dataclass(frozen=True, slots=True)
class Table:
    """Everything that a workbook or a paper is made of. ``above`` is there where not all stand under the same subject,
    ``head`` is in whose name it is drawn up.
    """

    scheme: Scheme
    title: Title
    subject: Title
    above: Title | None
    period: str
    columns: tuple[Column, ...]
    lines: tuple[Line, ...]
    synthetic: bool
    head: Title
    origin: str
    size: int
    root: str


def evaluation(workspace: Workspace, scheme: Scheme, statement: str, period: Period) -> Table:
    """The table of a statement type's subjects in a period, as of now: its shown measures, breakdowns in columns of their own.

    Raises Misuse for an unknown statement type and for one that is about another kind of period.
    """
    names = workspace.subjects(scheme, statement, period)
    declared = scheme.statements[statement]
    if declared.period != period.kind:
        raise Misuse(f"a {statement} is about a {declared.period}", why=f"{period} is a {period.kind}")
    state = workspace.ledger.state()
    with workspace.view(scheme, state.size) as view:
        facts = Facts(run_in(workspace, scheme, view, period), view)
    columns = tuple(_columns(facts, declared.show, names))
    lines = _lines(facts, names, columns)
    parent = scheme.subjects[declared.of].parent if len({line.above for line in lines}) > 1 else ""
    return Table(
        scheme=scheme,
        title=declared.title,
        subject=scheme.subjects[declared.of].title,
        above=scheme.subjects[parent].title if parent else None,
        period=str(period),
        columns=columns,
        lines=lines,
        synthetic=facts.run.synthetic,
        head=facts.head(workspace.ledger.origin),
        origin=workspace.ledger.origin,
        size=state.size,
        root=state.root().hex(),
    )


def _columns(facts: Facts, shown: Sequence[str], names: Sequence[str]) -> Iterator[Column]:
    """The columns: first what stands for itself, with its grade, then one group for each breakdown."""
    members: dict[str, set[str]] = {measure: set() for measure in shown}
    for name in names:
        for value in facts.by_subject.get(name, ()):
            if value.measure in members:
                members[value.measure].add(value.member)
    for measure in shown:
        declared = facts.scheme.measures.get(measure) or facts.scheme.indices[measure]
        if "" in members[measure]:
            yield Column(measure, "", declared.title, None, declared.unit, declared.decimals)
            if declared.grades:
                yield Column(measure, "", _WORDS["grade"], None, "", 0, grade=True)
    for measure in shown:
        declared = facts.scheme.measures.get(measure) or facts.scheme.indices[measure]
        for member in sorted(members[measure] - {""}):
            title = _member_title(facts, member)
            yield Column(measure, member, title, declared.title, declared.unit, declared.decimals)


def _member_title(facts: Facts, member: str) -> Title:
    groups = {said["group"]["id"]: said["group"] for said in facts.members.values() if "group" in said}
    told = facts.members.get(member) or groups.get(member)
    if told is not None:
        return Title(told.get("en", member), told.get("zh", member))
    subject = facts.run.hierarchy.subject(member)
    return subject.title if subject is not None else facts.choices.get(member, Title(member, member))


def _lines(facts: Facts, names: Sequence[str], columns: Sequence[Column]) -> tuple[Line, ...]:
    """Under the subject above, then by id: whoever reads it is told no order of merit."""
    placed = []
    for name in names:
        subject = facts.subject(name)
        above = facts.above(subject)
        found = {(value.measure, value.member): value for value in facts.by_subject.get(name, ())}
        values = tuple(found.get((column.measure, column.member)) for column in columns)
        line = Line(name, subject.title, above.title if above is not None else None, values)
        placed.append((above.id if above is not None else "", name, line))
    return tuple(line for *_, line in sorted(placed, key=lambda place: place[:2]))


# -- as a workbook -----------------------------------------------------------------------------------------------------


def workbook(table: Table, language: str) -> bytes:
    """The table as an Excel workbook in "zh" or "en": the numbers on one sheet, what they stand on on another.

    Numbers are numbers, with their declared decimals; all else is text and can never become a formula. The same table
    gives the same bytes. Raises Misuse for a text that no cell of Excel holds.
    """
    out = BytesIO()
    options = {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
    with xlsxwriter.Workbook(out, options) as book:
        book.set_properties({"title": said(table.title, language), "created": _MADE})
        writer = _Writer(book, table, language)
        writer.numbers()
        writer.basis()
    return out.getvalue()


class _Writer:
    """Writes one workbook."""

    def __init__(self, book: xlsxwriter.Workbook, table: Table, language: str) -> None:
        self.book, self.table, self.language = book, table, language
        self._formats: dict[tuple[tuple[str, Any], ...], Any] = {}

    def style(self, **looks: Any) -> Any:
        """One format for all cells that look the same."""
        looks = {
            "font_name": "Noto Sans CJK SC",
            "font_size": 10,
            "font_color": "#1b2430",
            "valign": "vcenter",
            **looks,
        }
        key = tuple(sorted(looks.items()))
        if key not in self._formats:
            self._formats[key] = self.book.add_format(dict(looks))
        return self._formats[key]

    def text(self, sheet: Any, row: int, column: int, text: str, **looks: Any) -> None:
        """A text as a text, whatever it begins with."""
        if len(text) > _LONGEST_TEXT:
            raise Misuse("a text is too long for Excel", why=f"{len(text)} characters", where=text[:40])
        quoted = {"quote_prefix": True} if text.startswith(_RISKY) else {}
        sheet.write_string(row, column, text, self.style(**looks, **quoted))

    def numbers(self) -> None:
        """The sheet of numbers."""
        table, language = self.table, self.language
        sheet = self.book.add_worksheet(word("table", language))
        heads = _heads(table, language)
        self.text(sheet, 0, 0, said(table.title, language), font_size=16, bold=True, font_name="Noto Serif CJK SC")
        sheet.set_row(0, 28)
        self.text(sheet, 1, 0, table.period, font_color="#6b7280")
        if table.synthetic:
            self.text(sheet, 1, 1, word("synthetic", language), bold=True, font_color="#b3382c")
            sheet.set_tab_color("#b3382c")
        head = {"bold": True, "text_wrap": True, "bottom": 2, "bottom_color": "#1b2430", "valign": "bottom"}
        for place, heading in enumerate(heads):
            self.text(sheet, 3, place, heading, **head)
        self._groups(sheet, len(heads))
        for place, column in enumerate(table.columns, len(heads)):
            self.text(sheet, 3, place, _heading(column, language), align="left" if column.grade else "right", **head)
            sheet.set_column(place, place, 9 if column.group else 12)
        sheet.set_row(3, 48)
        for row, line in enumerate(table.lines, 4):
            for place, text in enumerate(_who(line, language, len(heads))):
                self.text(sheet, row, place, text, bottom=4, bottom_color="#d9d6cc")
            for place, (column, value) in enumerate(zip(table.columns, line.values, strict=True), len(heads)):
                self._cell(sheet, row, place, column, value)
        sheet.set_column(0, 0, 12)
        sheet.set_column(1, len(heads) - 1, 28)
        sheet.freeze_panes(4, 2)
        sheet.set_landscape()
        sheet.set_paper(9)
        sheet.fit_to_pages(1, 0)
        sheet.repeat_rows(2, 3)

    def _groups(self, sheet: Any, first: int) -> None:
        """Each breakdown under the name of its measure."""
        start = first
        for _, title, count in _runs(self.table.columns):
            if title is not None:
                look = {"bold": True, "align": "left", "font_color": "#2f6f62", "bottom": 1, "bottom_color": "#2f6f62"}
                text = said(title, self.language)
                if count > 1:
                    sheet.merge_range(2, start, 2, start + count - 1, "", self.style(**look))
                self.text(sheet, 2, start, text, **look)
            start += count

    def _cell(self, sheet: Any, row: int, place: int, column: Column, value: Value | None) -> None:
        line = {"bottom": 4, "bottom_color": "#d9d6cc"}
        text = _shown(self.table.scheme, column, value, self.language)
        if value is None or value.status != "value" or column.grade:
            quiet = {} if column.grade and value is not None and value.status == "value" else {"font_color": "#6b7280"}
            self.text(sheet, row, place, text, align="left" if column.grade else "right", **line, **quiet)
        elif len(text.lstrip("-").replace(".", "").lstrip("0")) > _SURE_DIGITS:
            self.text(sheet, row, place, text, align="right", **line)
        else:
            form = "#,##0" + ("." + "0" * column.decimals if column.decimals else "")
            sheet.write_number(row, place, Decimal(text), self.style(num_format=form, align="right", **line))

    def basis(self) -> None:
        """The sheet that says what the numbers stand on."""
        sheet = self.book.add_worksheet(word("basis", self.language))
        for row, (label, text) in enumerate(basis(self.table, self.language)):
            self.text(sheet, row, 0, label, font_color="#6b7280", valign="top")
            self.text(sheet, row, 1, text, text_wrap=True, valign="top")
        sheet.set_column(0, 0, 24)
        sheet.set_column(1, 1, 90)
        if self.table.synthetic:
            sheet.set_tab_color("#b3382c")


# -- on paper ----------------------------------------------------------------------------------------------------------


def table_pdf(
    table: Table, language: str, *, at: datetime, office: Title | None = None, typesetter: Typesetter | None = None
) -> bytes:
    """The table as PDF, A4 landscape, dated ``at``: first what stands for itself, then each breakdown."""
    data = {
        "language": language,
        "synthetic": table.synthetic,
        "office": titles(office or table.head),
        "title": titles(table.title),
        "what": word("table", language),
        "period": table.period,
        "heads": _heads(table, language),
        "parts": [_part(table, columns, language) for columns in _parts(table.columns)],
        "basis": [list(pair) for pair in basis(table, language)],
    }
    return (typesetter or Typesetter()).pdf(_PAPER, data, at=at)


def _parts(columns: Sequence[Column]) -> Iterator[list[int]]:
    """The columns that stand beside each other on a page, by their places: a measure stays with its grade."""
    place = 0
    part: list[int] = []
    for _, title, count in _runs(columns):
        here = list(range(place, place + count))
        place += count
        if part and (title is not None or len(part) + count > _SIDE_BY_SIDE):
            yield part
            part = []
        part = part + here
        if title is not None:
            yield part
            part = []
    if part:
        yield part


def _part(table: Table, places: Sequence[int], language: str) -> dict[str, Any]:
    columns = [table.columns[place] for place in places]
    group = columns[0].group
    coded = group is not None and len(columns) > _NAMED
    return {
        "title": said(group, language) if group is not None else word("table", language),
        "unit": unit_word(columns[0].unit, language) if group is not None else "",
        "heads": [column.member if coded else _heading(column, language) for column in columns],
        "key": [[c.member, said(c.title, language)] for c in columns if coded and said(c.title, language) != c.member],
        "grades": [column.grade for column in columns],
        "rows": [
            [
                *_who(line, language, len(_heads(table, language))),
                *(_grouped(_shown(table.scheme, table.columns[p], line.values[p], language)) for p in places),
            ]
            for line in table.lines
        ],
    }


def _grouped(text: str) -> str:
    """A number with its thousands set apart; a word as it is."""
    return f"{Decimal(text):,}" if _NUMBER.fullmatch(text) else text


# -- what both say -----------------------------------------------------------------------------------------------------


def basis(table: Table, language: str) -> tuple[tuple[str, str], ...]:
    """What the numbers stand on, as pairs of label and text."""
    scheme = table.scheme
    rows = (
        ("scheme", f"{said(scheme.title, language)} ({scheme.id})"),
        ("version", scheme.version),
        ("period", table.period),
        ("rows", str(len(table.lines))),
        ("order", word("by_id", language)),
        ("marks", word("marks_mean", language)),
        ("origin", table.origin),
        ("size", str(table.size)),
        ("root", table.root),
        ("fingerprint", scheme.fingerprint),
        *(("law", law) for law in scheme.law),
        ("use", word("use_means", language)),
    )
    told = tuple((word(label, language), text) for label, text in rows)
    return ((word("synthetic", language), word("synthetic", language)), *told) if table.synthetic else told


def word(key: str, language: str) -> str:
    """One of the words of a table."""
    return said(_WORDS[key], language)


def said(title: Title, language: str) -> str:
    """A title in one of its languages."""
    return title.zh if language == "zh" else title.en


def _heads(table: Table, language: str) -> list[str]:
    heads = [word("id", language), said(table.subject, language)]
    return [*heads, said(table.above, language)] if table.above is not None else heads


def _who(line: Line, language: str, many: int) -> list[str]:
    above = said(line.above, language) if line.above is not None else ""
    return [line.id, said(line.title, language), above][:many]


def _heading(column: Column, language: str) -> str:
    unit = unit_word(column.unit, language) if column.group is None and not column.grade else ""
    return said(column.title, language) + (f" ({unit})" if unit else "")


def _shown(scheme: Scheme, column: Column, value: Value | None, language: str) -> str:
    if value is None or value.status != "value":
        return word("withheld" if value is not None and value.status == "withheld" else "none", language)
    if not column.grade:
        return value.printed
    declared = scheme.measures.get(column.measure) or scheme.indices[column.measure]
    reached = grade(declared.grades, value)
    return said(reached.title, language) if reached is not None else word("none", language)


def _runs(columns: Sequence[Column]) -> Iterator[tuple[str, Title | None, int]]:
    """The columns of a measure that stand beside each other: its id, the heading over them, how many they are."""
    start = 0
    for place, column in enumerate(columns):
        following = columns[place + 1] if place + 1 < len(columns) else None
        if following is None or (following.measure, following.group) != (column.measure, column.group):
            yield column.measure, column.group, place + 1 - start
            start = place + 1
