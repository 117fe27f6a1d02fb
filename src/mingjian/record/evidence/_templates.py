"""The Excel sheet to fill for an evidence type, which `read_file` reads back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

import pyarrow as pa
import xlsxwriter

from mingjian.base.errors import Misuse, Place
from mingjian.base.values import number_text
from mingjian.declare import EvidenceType, Field, Title
from mingjian.record.evidence._series import series_fields

_MADE: Final = datetime(2000, 1, 1, tzinfo=UTC)  # the same template is the same file
_ROOM: Final = 5000  # rows below those filled in that still offer lists
_LONGEST_TEXT: Final = 32_767  # characters in a cell of Excel
_SURE_DIGITS: Final = 15  # of a number in Excel
_FIRST_SURE_DAY: Final = date(1900, 3, 1)  # Excel has a 29 February 1900
_YES_NO: Final = {True: "是", False: "否"}
_TYPES: Final = {
    "text": Title("text", "文本"),
    "choice": Title("one of a list", "选项"),
    "flag": Title("yes or no", "是或否"),
    "date": Title("date", "日期"),
    "time": Title("date and time with zone", "日期和时间（含时区）"),
    "period": Title("period", "期间"),
    "integer": Title("whole number", "整数"),
    "quantity": Title("whole number", "整数"),
    "decimal": Title("number", "数值"),
    "subject": Title("id of a subject", "对象编号"),
    "ref": Title("key of a row", "引用编号"),
}
_PERIODS: Final = {
    "year": Title("a year: 2021", "年度：2021"),
    "half": Title("a half-year: 2021H1", "半年：2021H1 或 2021年上半年"),
    "quarter": Title("a quarter: 2021Q3", "季度：2021Q3 或 2021年三季度"),
    "month": Title("a month: 2021-08", "月份：2021-08 或 2021年8月"),
    "day": Title("a day: 2021-08-15", "日期：2021-08-15"),
    "hour": Title("an hour: 2021-08-15T07+08:00", "小时：2021-08-15T07+08:00"),
}
_NUMBERS: Final = ("integer", "quantity", "decimal")

_BY_LINE: Final = Title(
    "not in a sheet: hand in a CSV or Parquet file with one value a line, under the headings time and {0}",
    "不在表格中填写：另交CSV或Parquet文件，每行一个读数，列名为“时间”和“{0}”",
)

Cell = str | int | Decimal | date | None


def write_template(
    type: EvidenceType,
    path: Path,
    *,
    rows: pa.Table | None = None,
    members: Mapping[str, Sequence[str]] | None = None,
    beside: Sequence[Sequence[str]] = (),
) -> None:
    """Write a workbook: a form with a heading for each field and the ``rows`` there are, an explanation, and the lists.

    ``members`` gives, by field of type subject or ref, the keys that its list offers; ``beside`` rows of texts, the first
    of them a heading, for a sheet that says more about the rows there are. Every text is written as text: nothing becomes a
    formula. A series has no column: the explanation says how to hand it in. Raises Misuse for a text longer than a cell of
    Excel holds, and for a type whose rows cannot be without a series.
    """
    series = series_fields(type)
    if needed := [field.name for field in series if not field.optional]:
        raise Misuse(
            f"no sheet for {type.id}", why=f"its {needed[0]} is a series", remedy=_BY_LINE.en.format(needed[0])
        )
    type = replace(type, fields={name: field for name, field in type.fields.items() if field not in series})
    columns = [_cells(field, rows) for field in type.fields.values()]
    with xlsxwriter.Workbook(path, {"strings_to_formulas": False, "strings_to_urls": False}) as book:
        book.set_properties({"title": type.title.zh, "created": _MADE})
        form = book.add_worksheet(_sheet_name(type.title.zh))
        _write_beside(book, beside)
        _write_explanation(book, type, series)
        _write_lists(book, form, type, members or {}, rows.num_rows if rows is not None else 0)
        _write_heading(book, form, type)
        _write_rows(book, form, columns)


def _cells(field: Field, rows: pa.Table | None) -> list[Cell]:
    if rows is None or field.name not in rows.column_names:
        return []
    cells = [_cell(field, value) for value in rows[field.name].to_pylist()]
    for row, cell in enumerate(cells, 2):
        if isinstance(cell, str) and len(cell) > _LONGEST_TEXT:
            raise Misuse("a text is too long for Excel", where=Place(row=row, field=field.name), remedy="use CSV")
    return cells


def _cell(field: Field, value: Any) -> Cell:
    """What stands in the sheet for a value: text wherever Excel would not keep it exactly."""
    if value is None:
        return None
    if field.type == "flag":
        return _YES_NO[value]
    if field.type == "choice":
        return _choice_names(field)[value]
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, date):
        return value if value >= _FIRST_SURE_DAY else value.isoformat()
    if isinstance(value, int | Decimal):
        text = number_text(value)
        return value if sum(character.isdigit() for character in text) <= _SURE_DIGITS else text
    return str(value)


def _write_heading(book: Any, form: Any, type: EvidenceType) -> None:
    required = book.add_format({"bold": True, "bg_color": "#DDEBF7", "border": 1, "text_wrap": True})
    optional = book.add_format({"bg_color": "#F2F2F2", "border": 1, "text_wrap": True})
    for column, field in enumerate(type.fields.values()):
        form.set_column(column, column, _width(field), book.add_format({"num_format": _number_format(field)}))
        form.write_string(0, column, field.title.zh, optional if field.optional else required)
        note = [field.title.en, *_rules(type, field, "zh"), *_rules(type, field, "en")]
        form.write_comment(0, column, "\n".join(note), {"x_scale": 2, "y_scale": 1.5})
    form.freeze_panes(1, 0)


def _write_rows(book: Any, form: Any, columns: Sequence[Sequence[Cell]]) -> None:
    day = book.add_format({"num_format": "yyyy-mm-dd"})
    for column, cells in enumerate(columns):
        for row, cell in enumerate(cells, 1):
            if isinstance(cell, date):
                form.write_datetime(row, column, datetime(cell.year, cell.month, cell.day), day)
            elif isinstance(cell, str):
                form.write_string(row, column, cell)
            elif cell is not None:
                form.write_number(row, column, cell)


def _choice_names(field: Field) -> dict[str, str]:
    """Code to the name that stands in the sheet: the Chinese title, or the code where two choices share it."""
    titles = [title.zh for title in field.choices.values()]
    taken = {title for title in titles if titles.count(title) > 1} | set(field.choices)
    return {code: code if title.zh in taken else title.zh for code, title in field.choices.items()}


def _offered(field: Field, members: Mapping[str, Sequence[str]]) -> Sequence[str]:
    if field.type == "choice":
        return list(_choice_names(field).values())
    return list(_YES_NO.values()) if field.type == "flag" else members.get(field.name, ())


def _write_lists(book: Any, form: Any, type: EvidenceType, members: Mapping[str, Sequence[str]], filled: int) -> None:
    """The lists of what a cell may hold, on a hidden sheet, since a list inside a rule has at most 255 characters."""
    lists = book.add_worksheet("选项 Lists")
    lists.hide()
    for column, field in enumerate(type.fields.values()):
        names = _offered(field, members)
        for row, name in enumerate(names):
            lists.write_string(row, column, name)
        if names:
            letter = xlsxwriter.utility.xl_col_to_name(column, col_abs=True)
            form.data_validation(
                1,
                column,
                filled + _ROOM,
                column,
                {
                    "validate": "list",
                    "source": f"='选项 Lists'!{letter}$1:{letter}${len(names)}",
                    "error_title": "不在列表中",
                    "error_message": "请从列表中选择。Choose from the list.",
                },
            )


def _write_beside(book: Any, texts: Sequence[Sequence[str]]) -> None:
    if not texts:
        return
    sheet = book.add_worksheet("清单 List")
    bold, wrapped = book.add_format({"bold": True}), book.add_format({"text_wrap": True, "valign": "top"})
    for row, line in enumerate(texts):
        for column, text in enumerate(line):
            sheet.write_string(row, column, text[:_LONGEST_TEXT], wrapped if row else bold)
    sheet.set_column(0, max(map(len, texts)) - 1, 28)
    sheet.freeze_panes(1, 0)


def _write_explanation(book: Any, type: EvidenceType, series: Sequence[Field]) -> None:
    sheet = book.add_worksheet("说明 Explanation")
    bold, wrapped = book.add_format({"bold": True}), book.add_format({"text_wrap": True, "valign": "top"})
    sheet.write_row(0, 0, ["列", "Column", "字段名 Name", "说明", "Explanation"], bold)
    for row, field in enumerate(type.fields.values(), 1):
        texts = [
            field.title.zh,
            field.title.en,
            field.name,
            *(" ".join(_rules(type, field, each)) for each in ("zh", "en")),
        ]
        for column, text in enumerate(texts):
            sheet.write_string(row, column, text, wrapped)
    for row, field in enumerate(series, 1 + len(type.fields)):
        said = (
            field.title.zh,
            field.title.en,
            field.name,
            *(_BY_LINE.text(each).format(field.name) for each in ("zh", "en")),
        )
        for column, text in enumerate(said):
            sheet.write_string(row, column, text, wrapped)
    for column, width in enumerate((22, 26, 18, 60, 60)):
        sheet.set_column(column, column, width)
    sheet.freeze_panes(1, 0)


def _rules(type: EvidenceType, field: Field, language: str) -> list[str]:
    """What may stand in a column, in sentences."""
    chinese = language == "zh"
    rules = [_TYPES[field.type].text(language)]
    if field.unit:
        rules.append(f"单位：{field.unit}" if chinese else f"unit: {field.unit}")
    if field.type == "decimal":
        rules.append(f"小数位数至多 {field.decimals}" if chinese else f"at most {field.decimals} decimals")
    if field.type == "period":
        rules += [_PERIODS[kind].text(language) for kind in field.of]
    if field.min is not None:
        rules.append(f"不小于 {field.min}" if chinese else f"at least {field.min}")
    if field.max is not None:
        rules.append(f"不大于 {field.max}" if chinese else f"at most {field.max}")
    if field.instead_of:
        rules.append(
            f"与 {field.instead_of} 二者必填其一" if chinese else f"exactly one of this and {field.instead_of}"
        )
    if field.at_most:
        bound = type.fields[field.at_most].title
        rules.append(f"不大于同一行的“{bound.zh}”" if chinese else f"at most {bound.en} of the same row")
    if field.choices:
        rules.append(("、" if chinese else ", ").join(title.text(language) for title in field.choices.values()))
    required = ("可空" if chinese else "optional") if field.optional else ("必填" if chinese else "required")
    end = "。" if chinese else "."
    return [rule + end for rule in [*rules, required]]


def _sheet_name(title: str) -> str:
    """A title as Excel lets a sheet be named: 31 characters, without the seven it forbids."""
    return "".join(character for character in title if character not in "[]:*?/\\'")[:31].strip() or "Sheet1"


def _number_format(field: Field) -> str:
    if field.type == "date":
        return "yyyy-mm-dd"
    if field.type in _NUMBERS:
        return "0." + "0" * field.decimals if field.decimals else "0"
    return "@"


def _width(field: Field) -> int:
    return max(2 * len(field.title.zh) + 4, 40 if field.type == "text" and field.optional else 14)
