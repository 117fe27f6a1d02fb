"""CSV, JSON lines and Parquet from strangers, and the cells that offices type."""

from __future__ import annotations

import io
import os
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from mingjian.base.errors import MingjianError, Misuse
from mingjian.declare import EvidenceType
from mingjian.record.evidence import Intake, read_file

Taken = Callable[[str, bytes], Intake]
HEADS = {
    "whole": "数量",
    "points": "得分",
    "day": "日期",
    "quarter": "季度",
    "at": "时刻",
    "code": "编号",
    "sure": "确定",
}


@pytest.mark.parametrize(
    ("field", "cell", "value"),
    [
        ("day", "二〇二一年九月七日", date(2021, 9, 7)),
        ("day", "二零二一年十二月三十一日", date(2021, 12, 31)),
        ("day", "2021年9月7日", date(2021, 9, 7)),
        ("day", "２０２１－０９－０７", date(2021, 9, 7)),
        ("day", "2021-02-30", "no-such-date"),
        ("day", "二〇二一年二月三十日", "no-such-date"),
        ("day", "九月七日", "not-a-date"),
        ("quarter", "二〇二一年三季度", "2021Q3"),
        ("quarter", "2021年第三季度", "2021Q3"),
        ("quarter", "２０２１Ｑ３", "2021Q3"),
        ("quarter", "三季度", "not-a-period"),
        ("quarter", "2021Q5", "not-a-period"),
        ("quarter", "二〇二一年", "wrong-period"),
        ("whole", "１，２３４", 1234),
        ("whole", "1e3", "not-a-number"),
        ("whole", "0x10", "not-a-number"),
        ("whole", "1_000", "not-a-number"),
        ("whole", "١٢٣", "not-a-number"),
        ("whole", "9" * 30, "number-out-of-range"),
        ("points", "1E+400", "not-a-number"),
        ("points", "NaN", "not-a-number"),
        ("points", "１２．５", 12.5),
        ("points", "0.005", "too-many-decimals"),
        ("code", "\U0002070e\U00020bb7", "\U0002070e\U00020bb7"),  # four bytes in GB18030, beyond the BMP
        ("code", "䶮㐂", "䶮㐂"),
        ("code", "a\u202eb", "control-character"),
        ("code", "a\0b", "control-character"),
    ],
)
def test_a_cell_is_what_the_office_means_or_a_finding(field: str, cell: str, value: Any, taken: Taken) -> None:
    heads = "编号" if field == "code" else f"编号,{HEADS[field]}"
    text = f'{heads}\r\n"{cell}"\r\n' if field == "code" else f'{heads}\r\nA,"{cell}"\r\n'
    for encoding in ("utf-8", "utf-8-sig", "gb18030"):
        intake = taken("a.csv", text.encode(encoding))
        if intake.findings:
            assert [(f.rule, f.place.row, f.place.field) for f in intake.findings] == [(value, 2, field)]
        else:
            assert intake.table[field].to_pylist() == [value]


@pytest.mark.parametrize(
    ("name", "data", "why"),
    [
        ("a.csv", "编号\nA\n".encode("utf-16"), "UTF-16"),
        ("a.csv", b'code\n"' + b"x" * 2**22, "field limit|quotation marks"),
        ("a.csv", b"code\n" + b"x" * 2**22, "field"),
        ("a.csv", b",".join(b"c%d" % n for n in range(100_000)) + b"\n1\n", "more than 16,384 columns"),
        ("a.jsonl", b'{"code": "\xff"}', "not UTF-8"),
        ("a.parquet", b"PAR1" + b"\0" * 40 + b"PAR1", ""),
    ],
    ids=["utf-16", "quote-never-closed", "endless-cell", "columns", "bytes-in-json", "parquet"],
)
def test_a_text_that_is_none_is_refused_whole(name: str, data: bytes, why: str, taken: Taken) -> None:
    with pytest.raises(MingjianError, match=f"cannot read the file.*(?:{why})"):
        taken(name, data)


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ('{"code": "A", "code": "B"}', "stands twice"),
        ('{"code": "A", "whole": NaN}', "no number"),
        ('{"code": "A", "whole": ' + "9" * 5000 + "}", "digits"),
        ('{"code": ' + "[" * 100_000, "recursion"),
        ("[]", "it is list"),
        ("\0", "not a JSON object"),
    ],
    ids=["twice", "nan", "digits", "deep", "list", "nul"],
)
def test_a_line_that_is_no_object_is_a_finding(line: str, why: str, taken: Taken) -> None:
    intake = taken("a.jsonl", f'{{"code": "A"}}\n{line}\n{{"code": "C"}}'.encode())
    assert [(f.rule, f.place.row) for f in intake.findings] == [("not-an-object", 2)]
    assert why in str(intake.findings[0])
    assert intake.table["code"].to_pylist() == ["A", "C"]


@pytest.mark.parametrize("number", ["1e308", "1e999999999", "-1e-999999999"])
def test_numbers_that_nobody_could_keep_are_findings(number: str, taken: Taken) -> None:
    intake = taken("a.jsonl", f'{{"code": "A", "points": {number}, "whole": {number}}}'.encode())
    assert {finding.rule for finding in intake.findings} == {"number-out-of-range"}


def test_half_a_pair_of_surrogates_is_a_finding(taken: Taken) -> None:
    intake = taken("a.jsonl", b'{"code": "\\ud800"}')
    assert [finding.rule for finding in intake.findings] == ["control-character"]


def test_line_ends_may_be_mixed_and_a_heading_only_once(taken: Taken) -> None:
    assert taken("a.csv", b"code,whole\rA,1\nB,2\r\nC,3").table["_line"].to_pylist() == [2, 3, 4]
    assert [f.rule for f in taken("a.csv", "code,编号\nA,A\n".encode()).findings] == ["doubled-column"]


def test_more_findings_than_anyone_reads_are_one_refusal(taken: Taken, monkeypatch: pytest.MonkeyPatch) -> None:
    for module in ("_limits", "_columns"):
        monkeypatch.setattr(f"mingjian.record.evidence.{module}.MOST_FINDINGS", 1000)
    for row in (b"A,x", b"A,%d.5", b",1"):
        with pytest.raises(MingjianError, match="more than 1,000 of its cells break a rule") as refusal:
            taken("a.csv", b"code,whole\n" + b"\n".join(row.replace(b"%d", b"%d" % n) for n in range(1500)))
        assert 0 < len(refusal.value.findings) <= 100


def test_one_long_text_in_a_million_rows_of_parquet_is_not_written_out(taken: Taken) -> None:
    places = pa.array([0] * 1_000_000, pa.int32())
    table = pa.table({"code": pa.DictionaryArray.from_arrays(places, pa.array(["x" * 100_000]))})
    file = io.BytesIO()
    pq.write_table(table, file)
    assert len(file.getvalue()) < 200_000
    with pytest.raises(MingjianError, match="its texts come to more than 1,024 MiB"):
        taken("a.parquet", file.getvalue())


@pytest.mark.parametrize(
    "column",
    [pa.array([{"a": 1}]), pa.array([[[1]]]), pa.array([b"\xff"]), pa.array([10**9], pa.duration("s"))],
    ids=str,
)
def test_columns_that_no_field_can_hold_are_never_taken(column: Any, taken: Taken, holds: Any) -> None:
    file = io.BytesIO()
    pq.write_table(pa.table({"code": column}), file)
    intake = holds(lambda: taken("a.parquet", file.getvalue()))
    assert intake is None or (intake.table.num_rows, len(intake.findings)) == (0, 1)


def test_what_may_have_no_end_is_not_opened(tmp_path: Path, row: EvidenceType) -> None:
    os.mkfifo(tmp_path / "a.csv")
    with pytest.raises(Misuse, match="not a regular file"):
        read_file(tmp_path / "a.csv", row)
