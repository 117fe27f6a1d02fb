"""A person is erased: no file of the workspace holds their name any more, and everything about others stands."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from io import BytesIO
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mingjian.attest.statements import read_package
from mingjian.base.errors import MingjianError, Misuse, Tampered
from mingjian.base.keys import is_sealed_text
from mingjian.base.values import Period
from mingjian.declare import Hierarchy, Scheme, evidence_types, load
from mingjian.record.access import Accounts
from mingjian.record.evidence import arrow_schema, read_rows
from mingjian.workspace import (
    STATUS_FILE,
    TRUST_FILE,
    Office,
    Order,
    Workspace,
    erase_person,
    expire,
    issue_into,
    lacking,
    read_trust,
    sealing_context,
    verify_files,
)
from mingjian.workspace._attachments import Attachments
from mingjian.workspace._erasing import owners

PEOPLE = Path(__file__).parent / "people"
NAME, EN = "䶮龘𠮷", "Dazhe Yan"
REPORTER = "㗊燚靐"
NOW = datetime(2021, 10, 8, 8, tzinfo=UTC)
QUARTER = Period.parse("2021Q3")
SCHEME = load(PEOPLE)


def subject(id: str, type: str, zh: str, en: str, parent: str = "") -> dict[str, str]:
    return {"id": id, "type": type, "zh": zh, "en": en, "from": "2018-01-01"} | ({"parent": parent} if parent else {})


SUBJECTS = [
    subject("U/1", "unit", "一单位", "Unit one"),
    subject("L/1", "leader", NAME, EN, "U/1"),
    subject("L/12", "leader", "另一人", "Another", "U/1"),
]
ROWS: dict[str, list[dict[str, Any]]] = {
    "subject": SUBJECTS,
    "mark": [
        {"mark": f"M{n}", "unit": "U/1", "about": about, "quarter": "2021Q3", "points": "7.5", "note": note}
        for n, (about, note) in enumerate([("L/1", f"{NAME}任务"), ("U/1", "无"), ("L/12", "无")])
    ],
    "score": [
        {"score": f"S{n}", "leader": leader, "quarter": "2021Q3", "points": points}
        for n, (leader, points) in enumerate([("L/1", "60"), ("L/12", "90")])
    ],
    "item": [
        {"item": f"I{n}", "received": day, "about": about, "text": text}
        for n, (day, about, text) in enumerate(
            [
                ("2021-08-01", "L/1", f"反映{NAME}问题"),
                ("2021-08-02", "U/1", "反映单位问题"),
                ("2018-02-01", "L/1", f"旧事 {NAME}"),
                ("2018-02-02", "U/1", "旧单位问题"),
                ("2018-02-03", "L/12", "旧个人问题"),
            ]
        )
    ],
    "informant": [{"item": "I0", "received": "2021-08-01", "unit": "U/1", "reporter": REPORTER}],
}


@dataclass
class Made:
    workspace: Workspace
    scheme: Scheme
    issued: Path
    accounts: Accounts

    def add(self, kind: str, rows: Sequence[Mapping[str, Any]]) -> None:
        intake = read_rows(rows, self.workspace.evidence_type(self.scheme, kind), zone=self.scheme.zone)
        self.workspace.add(self.scheme, kind, intake, "office")

    def measured(self, measure: str, subject: str) -> str:
        value = self.workspace.measure(self.scheme, QUARTER).get(measure, subject)
        return value.printed if value is not None else "-"

    def erase(self, **more: Any) -> Any:
        given: dict[str, Any] = {
            "by": "office",
            "reason": "on demand",
            "folders": [self.issued],
            "accounts": self.accounts,
        } | more
        return erase_person(self.workspace, self.scheme, "L/1", **given)

    def holding(self, *texts: str) -> list[str]:
        """The files of the workspace that hold one of these texts, however it is written."""
        needles = {t.encode(code) for t in texts for code in ("utf-8", "utf-16-le", "utf-16-be", "gb18030")}
        needles |= {json.dumps(text)[1:-1].encode() for text in texts}
        files = [file for file in self.workspace.folder.rglob("*") if file.is_file()]
        return [
            f.name for f in files if any(needle in f.read_bytes() or needle in f.name.encode() for needle in needles)
        ]


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a workspace with these rows; tests work on copies of it."""
    folder = tmp_path_factory.mktemp("erasing") / "workspace"
    Workspace.create(folder, origin="example.org/people", clock=lambda: NOW).adopt(str(PEOPLE), "office")
    made = made_in(folder)
    for kind, rows in ROWS.items():
        made.add(kind, rows)
    proof = Attachments(folder / "attachments").keep("proof.txt", BytesIO(f"证明 {NAME}".encode()))
    made.add("attachment", [{"attachment": "A1", "about": "L/1", "quarter": "2021Q3", "sha256": proof.sha256}])
    return folder


@pytest.fixture
def made(filled: Path, tmp_path: Path) -> Made:
    return made_in(shutil.copytree(filled, tmp_path / "workspace"))


def made_in(folder: Path) -> Made:
    workspace = Workspace.open(folder, clock=lambda: NOW)
    return Made(workspace, workspace.scheme(), folder / "issued", Accounts(folder / "accounts.db", lambda: NOW))


def test_no_file_holds_the_name_once_the_person_is_erased(made: Made) -> None:
    kinds = {"leader_portrait": None, "unit_portrait": None}
    issue_into(made.workspace, made.scheme, Order(QUARTER, kinds, "auditor"), made.issued, by="office")
    (made.issued / "leader_portrait-L%2F1-2021Q3.pdf").write_text(NAME)
    made.accounts.create("yan", NAME, password="correct horse battery", subject="L/1")
    before = made.workspace.ledger.checkpoint()
    assert {"projection.duckdb", "leader_portrait-L%2F1-2021Q3.json"} <= set(made.holding(NAME, EN))
    assert not {"ledger.db", "ledger.db-wal"} & set(made.holding(NAME, EN))

    purged = made.erase()

    assert made.holding(NAME, EN, "correct horse battery") == []
    assert purged.erased.rows == 6
    assert {file.name for file in purged.files} >= {
        "leader_portrait-L%2F1-2021Q3.json",
        "leader_portrait-L%2F1-2021Q3.pdf",
    }
    assert (made.issued / "leader_portrait-L%2F12-2021Q3.json").is_file()
    assert made.workspace.ledger.audit(before) == []
    assert made.measured("level", "L/1") == "-"
    assert made.measured("level", "L/12") == "90.00"
    assert made.holding(NAME, EN) == []  # nor once the projection is there again
    entry = made.workspace.ledger.state().entry(purged.erased.entry.index)
    assert (entry.kind, entry.source["subject"], entry.source["reason"]) == ("erasure", "L/1", "on demand")


def test_what_is_measured_is_what_it_was_while_the_keys_are_there_and_from_what_is_left_afterwards(made: Made) -> None:
    assert [made.measured("level", who) for who in ("L/1", "L/12", "U/1")] == ["60.00", "90.00", "75.00"]
    assert [made.measured(name, "U/1") for name in ("marks", "items")] == ["22.5", "1"]
    made.erase()
    assert [made.measured("level", who) for who in ("L/1", "L/12", "U/1")] == ["-", "90.00", "90.00"]
    state = made.workspace.ledger.state()
    found = lacking(state, made.scheme, made.workspace.hierarchy(made.scheme), QUARTER)
    assert found == dict.fromkeys(("subject", "mark", "score", "item", "attachment"), frozenset({"U/1", "L/1"}))


def test_an_erasure_that_was_broken_off_is_finished_by_doing_it_again(
    made: Made, monkeypatch: pytest.MonkeyPatch
) -> None:
    made.workspace.hierarchy(made.scheme)
    with monkeypatch.context() as patch:
        patch.setattr(Workspace, "forget", lambda _: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            made.erase()
    assert made.holding(NAME)
    made.workspace = Workspace.open(made.workspace.folder)
    assert made.erase().erased.rows == 0
    assert "projection.duckdb" not in made.holding(NAME)


def test_another_process_lets_go_of_what_it_had_at_hand(made: Made) -> None:
    other = Workspace.open(made.workspace.folder)
    office, size = Office(other), other.ledger.size
    assert other.hierarchy(made.scheme, size).subject("L/1") is not None
    assert len(office.shelf(office.now()).about("item", "L/1")) == 2
    made.erase()
    assert other.hierarchy(made.scheme, size).subject("L/1") is None
    assert office.shelf(office.now()).about("item", "L/1") == ()


@pytest.mark.parametrize(
    ("who", "reason", "what"),
    [
        ("L/9", "on demand", "no subject L/9"),
        ("U/1", "on demand", "no person"),
        ("L/1", f"asked by {NAME}", "the reason names the person"),
    ],
    ids=["unknown", "no-person", "name-in-reason"],
)
def test_what_cannot_be_erased_is_refused_before_anything_is(made: Made, who: str, reason: str, what: str) -> None:
    size = made.workspace.ledger.size
    with pytest.raises(Misuse, match=what):
        erase_person(made.workspace, made.scheme, who, by="office", reason=reason)
    assert made.workspace.ledger.size == size


def test_rows_go_when_their_term_is_over(made: Made) -> None:
    def items() -> set[str]:
        with made.workspace.view(made.scheme) as view:
            return set(map(str, view.arrow("item")["item"].to_pylist()))

    assert expire(made.workspace, made.scheme, date(2021, 12, 31), by="office") is None
    purged = expire(made.workspace, made.scheme, date(2022, 1, 1), by="office")
    assert purged is not None
    assert purged.erased.rows == 3
    assert items() == {"I0", "I1"}
    assert made.measured("level", "L/1") == "60.00"
    assert made.workspace.ledger.audit() == []
    state, hierarchy = made.workspace.ledger.state(), made.workspace.hierarchy(made.scheme)
    assert lacking(state, made.scheme, hierarchy, QUARTER) == {"item": frozenset()}
    assert lacking(state, made.scheme, hierarchy, Period.parse("2018Q1")) == {"item": frozenset({"U/1", "L/1", "L/12"})}
    assert expire(made.workspace, made.scheme, date(2022, 1, 1), by="office") is None


def test_who_reported_is_read_by_the_office_alone(made: Made) -> None:
    assert made.holding(REPORTER) == []
    with made.workspace.view(made.scheme) as view:
        (kept,) = view.arrow("informant")["reporter"].to_pylist()
    assert is_sealed_text(str(kept))
    informant = made.workspace.evidence_type(made.scheme, "informant")
    context = sealing_context(made.scheme, informant, "reporter")
    assert made.workspace.office_key.open(str(kept), context) == REPORTER
    made.add("informant", [{**ROWS["informant"][0], "reporter": kept}])
    with made.workspace.view(made.scheme) as view:
        assert view.arrow("informant")["reporter"].to_pylist() == [kept]
    with pytest.raises(Tampered):
        made.workspace.office_key.open(str(kept), sealing_context(made.scheme, informant, "item"))


@pytest.mark.parametrize(
    "row",
    [
        {"item": "I0", "received": "2021-08-01", "unit": "U/1", "reporter": REPORTER + "\u200b"},
        {"item": REPORTER, "received": "2021-08-01", "unit": "U/1", "reporter": None},
        {"item": "I0", "received": REPORTER, "unit": "U/1", "reporter": None},
        {"item": "I0", "received": "2021-08-01", "unit": REPORTER, "reporter": None},
        {"item": "I0", "received": "2021-08-01", "unit": "U/1", REPORTER: None},
    ],
    ids=["unseen-character", "under-a-ref", "under-a-date", "under-a-subject", "as-a-heading"],
)
def test_no_finding_shows_what_is_sealed(made: Made, row: dict[str, Any]) -> None:
    with pytest.raises(MingjianError) as refused:
        made.add("informant", [row])
    assert REPORTER not in str(refused.value)
    assert REPORTER not in json.dumps(refused.value.to_json(), ensure_ascii=False)


def test_a_package_says_of_numbers_that_lack_erased_rows_that_they_cannot_be_made_anew(made: Made) -> None:
    made.erase()
    order = Order(QUARTER, {"unit_portrait": None, "leader_portrait": None}, "auditor")
    issue_into(made.workspace, made.scheme, order, made.issued, by="office")
    unit = read_package((made.issued / "unit_portrait-U%2F1-2021Q3.json").read_bytes())
    assert {unit.contents.given[name] for name in ("level", "items", "marks")} == {"erased"}
    leader = read_package((made.issued / "leader_portrait-L%2F12-2021Q3.json").read_bytes())
    assert "level" not in leader.contents.given
    trust, status = read_trust(made.issued / TRUST_FILE), [made.issued / STATUS_FILE]
    files = sorted(made.issued.glob("*_portrait-*.json"))
    report = verify_files(files, trust=trust, now=NOW, status=status)
    said = {(one.statement.subject, v.measure): v for one in report.packages if one.statement for v in one.numbers}
    for name in ("level", "items", "marks"):
        verdict = said["U/1", name]
        assert (verdict.outcome, str(verdict.reason).split(" may")[0]) == ("cannot", "rows that it was counted from")
    assert said["L/12", "level"].outcome == "recomputed from evidence"


ABOUT = st.sampled_from(["U/1", "L/1", "L/12", "a/b 龘"])
HIERARCHY = Hierarchy.of_rows(
    [{**row, "from": date(2018, 1, 1)} for row in [*SUBJECTS, subject("a/b 龘", "leader", "乙", "B", "U/1")]],
    SCHEME.subjects,
)


@given(st.lists(st.tuples(ABOUT, st.dates(date(2018, 1, 1), date(2022, 12, 31))), max_size=8))
def test_a_row_belongs_to_the_person_it_describes_and_to_the_term_it_is_kept_for(rows: list[tuple[str, date]]) -> None:
    item = evidence_types(SCHEME)["item"]
    data = [{"item": str(n), "received": day, "about": who, "text": ""} for n, (who, day) in enumerate(rows)]
    table = pa.Table.from_pylist(data, schema=arrow_schema(item))
    quoted = {"L/1": "L%2F1", "L/12": "L%2F12", "a/b 龘": "a%2Fb%20%E9%BE%98"}
    expected = [
        f"person/people/{quoted[who]}/item/{day.year}" if who in quoted else f"term/people/item/{day.year}"
        for who, day in rows
    ]
    assert owners(SCHEME, item, table, lambda: HIERARCHY) == (expected or None)


def test_rows_about_nobody_have_no_owner(made: Made) -> None:
    score = evidence_types(SCHEME)["informant"]
    table = pa.Table.from_pylist([{"item": "I", "unit": "U/1"}], schema=arrow_schema(score))
    assert owners(SCHEME, score, table, lambda: HIERARCHY) is None
