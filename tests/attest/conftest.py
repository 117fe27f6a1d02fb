"""A small programme with both kinds of number: points, ballots and decay about people, Wh and a carry about energy."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from decimal import Decimal
from fractions import Fraction
from importlib.machinery import SourceFileLoader
from importlib.util import module_from_spec, spec_from_loader
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from mingjian.attest.issue import Issue, Run, issue, pack
from mingjian.attest.statements import Level, write_package
from mingjian.attest.verify import Checked, Trust, verify
from mingjian.base.keys import SigningKey, suite
from mingjian.base.values import Period
from mingjian.declare import Hierarchy, Scheme, evidence_types, load
from mingjian.reckon.measures import evaluate
from mingjian.reckon.release import release
from mingjian.record.evidence import Projection, View, read_rows
from mingjian.record.ledger import Batch, Ledger

NOW = datetime(2021, 10, 1, 8, 0, tzinfo=UTC)
LATER = datetime(2021, 10, 2, tzinfo=UTC)

SCHEME = """
[scheme]
id = "tiny"
version = "1"
title = { en = "Tiny", zh = "小" }
period = "quarter"
zone = "Asia/Shanghai"
law = []
minimum_group = 10

[subject.unit]
title = { en = "Unit", zh = "单位" }
[subject.leader]
title = { en = "Leader", zh = "领导" }
parent = "unit"
person = true

[evidence.aspect]
title = { en = "Aspect", zh = "方面" }
key = ["code"]
dimension = true
[evidence.aspect.field]
code = { type = "text", title = { en = "Code", zh = "编号" } }
side = { type = "text", title = { en = "Side", zh = "侧" } }
weight = { type = "decimal", decimals = 1, min = 0, title = { en = "Weight", zh = "权重" } }

[evidence.task]
title = { en = "Task", zh = "任务" }
key = ["task"]
date = "quarter"
[evidence.task.field]
task = { type = "text", title = { en = "Task", zh = "任务" } }
unit = { type = "subject", of = ["unit"], title = { en = "Unit", zh = "单位" } }
aspect = { type = "ref", to = "aspect", title = { en = "Aspect", zh = "方面" } }
quarter = { type = "period", of = ["quarter"], title = { en = "Quarter", zh = "季度" } }
possible = { type = "decimal", decimals = 1, min = 0, title = { en = "Possible", zh = "应得" } }
awarded = { type = "decimal", decimals = 1, min = 0, at_most = "possible", optional = true, title = { en = "Got", zh = "得分" } }

[evidence.item]
title = { en = "Item", zh = "事项" }
key = ["item"]
date = "day"
[evidence.item.field]
item = { type = "text", title = { en = "Item", zh = "事项" } }
about = { type = "subject", of = ["unit", "leader"], title = { en = "About", zh = "对象" } }
day = { type = "date", title = { en = "Day", zh = "日期" } }
severity = { type = "integer", min = 1, title = { en = "Severity", zh = "程度" } }
found = { type = "flag", title = { en = "Substantiated", zh = "查实" } }

[evidence.form]
title = { en = "Ballot", zh = "票" }
date = "day"
ballots = true
label = "confidential"
[evidence.form.field]
about = { type = "subject", of = ["unit", "leader"], title = { en = "About", zh = "对象" } }
day = { type = "date", title = { en = "Day", zh = "日期" } }
[evidence.form.field.mark]
type = "choice"
title = { en = "Mark", zh = "评价" }
choices = { good = { en = "Good", zh = "好" }, poor = { en = "Poor", zh = "差" } }

[evidence.reading]
title = { en = "Reading", zh = "读数" }
key = ["unit", "month"]
date = "month"
[evidence.reading.field]
unit = { type = "subject", of = ["unit"], title = { en = "Unit", zh = "单位" } }
month = { type = "period", of = ["month"], title = { en = "Month", zh = "月" } }
used = { type = "quantity", unit = "Wh", min = 0, title = { en = "Used", zh = "用量" } }

[parameter.half_life]
title = { en = "Half-life", zh = "半衰期" }
unit = "day"
values = [{ from = 2020-01-01, value = 90, source = "here" }]
[parameter.points]
title = { en = "Points", zh = "分" }
unit = "point"
values = [{ from = 2020-01-01, value = { good = 100, poor = 0 }, source = "here" }]
[parameter.block]
title = { en = "Block", zh = "档" }
unit = "Wh"
values = [{ from = 2020-01-01, value = 1000, source = "here" }]

[derivation.blocks]
title = { en = "Blocks", zh = "整档" }
of = "reading"
period = "month"
results = { whole = "count", rest = "Wh" }

[measure.fulfilment]
title = { en = "Fulfilment", zh = "完成率" }
of = "unit"
each = "aspect"
unit = "percent"
decimals = 2
[measure.gravity]
title = { en = "Gravity", zh = "严重程度" }
of = "unit"
window = "up_to"
rollup = "pool"
unit = "point"
decimals = 3
better = "lower"
[measure.approval]
title = { en = "Approval", zh = "好评率" }
of = "unit"
unit = "point"
decimals = 1
[measure.overall]
title = { en = "Overall", zh = "综合" }
of = "unit"
unit = "point"
decimals = 2
[measure.movement]
title = { en = "Movement", zh = "变化" }
of = "unit"
unit = "point"
decimals = 2
[measure.energy]
title = { en = "Energy", zh = "电量" }
of = "unit"
unit = "kWh"
decimals = 3
certified = true
[measure.blocks_used]
title = { en = "Blocks used", zh = "整档数" }
of = "unit"
unit = "count"
decimals = 0
certified = true
[measure.leader_gravity]
title = { en = "Gravity", zh = "严重程度" }
of = "leader"
window = "up_to"
unit = "point"
decimals = 3
better = "lower"

[index.health]
title = { en = "Health", zh = "健康度" }
of = "unit"
unit = "point"
decimals = 2
aggregate = "arithmetic"
members = "aspect"
measure = "fulfilment"
member_weight = "weight"
group = "side"

[statement.portrait]
title = { en = "Portrait", zh = "画像" }
kind = "portrait"
of = "unit"
period = "quarter"
show = ["health", "fulfilment", "gravity", "approval", "overall", "movement", "energy", "blocks_used"]
[statement.leader]
title = { en = "Portrait of a leader", zh = "领导画像" }
kind = "portrait"
of = "leader"
period = "quarter"
valid_days = 365
show = ["leader_gravity"]
"""

MEASURES = """
from mingjian import carry, coalesce, previous

def blocks(reading, block):
    whole, rest = carry(reading.used, unit=block)
    return {"whole": whole, "rest": rest}

def fulfilment(task):
    return 100 * task.awarded.sum() / task.possible.sum()

def gravity(item, half_life, period_end):
    return _gravity(item, half_life, period_end)

def leader_gravity(item, half_life, period_end):
    return _gravity(item, half_life, period_end)

def approval(form, points):
    return points[form.mark].mean()

def overall(health, approval):
    return (health + approval) / 2

def movement(health):
    return health - previous(health)

def energy(reading):
    return reading.used.sum() / 1000

def blocks_used(blocks):
    return blocks.whole.sum()

def _gravity(item, half_life, period_end):
    age = (period_end - item.day).days
    return coalesce((item.severity * 0.5 ** (age / half_life)).sum(where=item.found), 0)
"""


def rows() -> dict[str, list[dict[str, Any]]]:
    """Three units: U1 with everything, U2 with three voters, U3 with one leader's item and a quarter without tasks."""
    start = date(2021, 1, 1)
    units = [{"id": f"U{n}", "type": "unit", "zh": f"龘{n}", "en": f"Unit {n}", "from": start} for n in (1, 2, 3)]
    leaders = [
        {"id": f"L{n}", "type": "leader", "zh": f"靐{n}", "en": f"L {n}", "parent": f"U{n}", "from": start}
        for n in (1, 3)
    ]
    aspects = [
        {"code": code, "side": side, "weight": Decimal(weight)}
        for code, side, weight in (("a", "x", "30.5"), ("b", "x", "20"), ("c", "y", "49.5"))
    ]
    tasks = [
        {
            "task": f"{unit}-{aspect}-{quarter}-{n}",
            "unit": unit,
            "aspect": aspect,
            "quarter": quarter,
            "possible": Decimal("7.0"),
            "awarded": Decimal(awarded),
        }
        for unit, aspect, quarter, n, awarded in (
            ("U1", "a", "2021Q2", 1, "7.0"),
            ("U1", "a", "2021Q3", 1, "6.5"),
            ("U1", "a", "2021Q3", 2, "3.1"),
            ("U1", "b", "2021Q3", 1, "2.2"),
            ("U1", "c", "2021Q3", 1, "0.0"),
            ("U2", "a", "2021Q3", 1, "5.0"),
        )
    ]
    items = [
        {"item": f"I{n}", "about": about, "day": date(2021, month, 5 + n), "severity": n, "found": n != 3}
        for n, (about, month) in enumerate([("U1", 3), ("U1", 8), ("U1", 9), ("L1", 9), ("L3", 9)], 1)
    ]
    items = [item for item in items if item["about"] != "L1"]
    voters = [("U1", 12, 9), ("U2", 3, 2), ("U3", 10, 10)]
    forms = [
        {"about": unit, "day": date(2021, 9, 1), "mark": "good" if n < good else "poor"}
        for unit, count, good in voters
        for n in range(count)
    ]
    readings = [
        {"unit": "U1", "month": month, "used": used}
        for month, used in (("2021-06", 700), ("2021-07", 1_234_567), ("2021-08", 999), ("2021-09", 1))
    ]
    return {
        "subject": units + leaders,
        "aspect": aspects,
        "task": tasks,
        "item": items,
        "form": forms,
        "reading": readings,
    }


@dataclass(frozen=True)
class World:
    """The programme measured and issued: what an office has after its quarter."""

    scheme: Scheme
    ledger: Ledger
    key: SigningKey
    run: Run
    issued: Issue
    folder: Path  # of the ledger
    _packed: dict[Level, dict[str, bytes]] = field(default_factory=dict)

    toml = SCHEME
    formulas = MEASURES
    later = LATER

    def packages(self, level: Level = "described") -> dict[str, dict[str, Any]]:
        """The packages as JSON, by subject."""
        if level not in self._packed:
            made = {s.subject: write_package(p) for s, p in pack(self.issued, self.ledger, level)}
            self._packed[level] = made
        return {subject: json.loads(data) for subject, data in self._packed[level].items()}

    def __repr__(self) -> str:
        return "World"

    def later_view(self) -> View:
        """The same rows at a larger size of the ledger, after what was issued."""
        types = evidence_types(self.scheme)
        tables = {kind: self.run.view.arrow(kind) for kind in types}
        return View.of(tables, types, self.ledger.size, zone=self.scheme.zone)

    @property
    def trust(self) -> Trust:
        """A reader who knows the office."""
        return Trust.of([self.key.public.did_key], [self.ledger.vkey])

    def checked(self, package: Mapping[str, Any]) -> Checked:
        """What verification says of a package, later."""
        return verify([("it", json.dumps(package).encode())], now=self.later, trust=self.trust).packages[0]

    def want_together_as_alone(self, packages: Iterable[Mapping[str, Any]]) -> None:
        """Packages that are verified in one run are good, and each comes out as in a run of its own."""
        files = [(str(n), json.dumps(package).encode()) for n, package in enumerate(packages)]
        together = verify(files, now=self.later, trust=self.trust)
        assert together.good
        assert together.packages == tuple(verify([f], now=self.later, trust=self.trust).packages[0] for f in files)

    def figures(self) -> list[dict[str, Any]]:
        """The figures in the snapshot."""
        table = self.ledger.state().table(self.issued.snapshot.index)
        return [row for row in table.to_pylist() if row["part"]]

    def resigned(self, package: Mapping[str, Any]) -> dict[str, Any]:
        """The package with its credential signed anew by the office's own key."""
        credential = {name: value for name, value in package["credential"].items() if name != "proof"}
        method = self.key.public.method
        signed = suite("eddsa-jcs-2022").sign(credential, self.key, created=NOW, verification_method=method)
        return {**package, "credential": signed}


def make_world(
    folder: Path,
    toml: str = SCHEME,
    formulas: str = MEASURES,
    evidence: Mapping[str, list[dict[str, Any]]] | None = None,
    statements: tuple[str, ...] = ("portrait", "leader"),
    owner: Callable[[dict[str, Any]], str] = lambda row: "",
) -> Iterator[World]:
    """A world of its own, in a folder of its own; ``owner`` says under whose key a row stands."""
    (folder / "scheme").mkdir()
    (folder / "scheme" / "scheme.toml").write_text(toml, encoding="utf-8")
    (folder / "scheme" / "measures.py").write_text(formulas, encoding="utf-8")
    scheme = load(folder / "scheme")
    ledger = Ledger.create(
        folder / "ledger", origin="tiny.example/log", key=SigningKey.from_seed(b"l" * 32), now=lambda: NOW
    )
    types = evidence_types(scheme)
    for kind, given in (evidence or rows()).items():
        intake = read_rows(given, types[kind], zone=scheme.zone)
        assert not intake.findings
        owners = [owner(row) for row in given]
        ledger.append(Batch(kind, scheme.id, "office", intake.table, {"synthetic": "true"}, owners=owners))
    projection = Projection(folder / "projection.duckdb", ledger)
    projection.catch_up(scheme.id, types, zone=scheme.zone)
    with projection.view(scheme.id) as view:
        hierarchy = Hierarchy.of_rows(view.arrow("subject").to_pylist(), scheme.subjects)
        results = release(evaluate(scheme, view, hierarchy, Period.parse("2021Q3")), scheme.minimum_group)
        run = Run(scheme, view, hierarchy, results, synthetic=True)
        key = SigningKey.from_seed(b"i" * 32)
        issued = issue(run, dict.fromkeys(statements), ledger=ledger, key=key, now=NOW, by="office")
        yield World(scheme, ledger, key, run, issued, folder / "ledger")


@pytest.fixture(scope="session")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """A world that no test changes."""
    yield from make_world(tmp_path_factory.mktemp("world"))


@pytest.fixture
def fresh(world: World, tmp_path: Path) -> World:
    """The world with a copy of its ledger, which one test may change."""
    folder = shutil.copytree(world.folder, tmp_path / "ledger")
    ledger = Ledger.open(folder, key=SigningKey.from_seed(b"l" * 32), now=lambda: NOW)
    return replace(world, ledger=ledger, folder=folder)


@pytest.fixture(scope="session")
def build(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., World]]:
    """Makes a world of another scheme: `make_world` without its folder."""
    with ExitStack() as stack:
        yield lambda *of: stack.enter_context(contextmanager(make_world)(tmp_path_factory.mktemp("other"), *of))


@pytest.fixture(scope="session")
def second() -> ModuleType:
    """The second evaluator, which imports nothing of mingjian."""
    loader = SourceFileLoader("second_evaluator", str(Path(__file__).with_name("second_evaluator.py")))
    spec = spec_from_loader(loader.name, loader)
    assert spec is not None
    module = module_from_spec(spec)
    loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def disagreements(second: ModuleType) -> Callable[..., list[str]]:
    """Where the second evaluator comes to another number than a package says; it passes over those withheld."""

    def disagreements(package: Mapping[str, Any], without: Collection[str] = ()) -> list[str]:
        evaluator = second.Evaluator(package)
        found = []
        for value in package["credential"]["credentialSubject"]["values"]:
            if value["status"] == "withheld" or value["measure"] in without:
                continue
            stated = second.number(value)
            own = evaluator.value(value["measure"], second.span_of(value["period"]), value["member"])
            if "double" in value and own is not None and stated is not None:
                same = abs(stated - own) <= abs(stated) * Fraction(1, 10**12)
            else:
                same = stated == own
            if not same:
                found.append(f"{value['measure']} {value['member']}: {stated} is stated, {own} is right")
        return found

    return disagreements


def titled(table: str, *lines: str) -> str:
    """A table of a scheme that is called as it is named."""
    name = table.rpartition(".")[2]
    return "\n".join([f"[{table}]", f'title = {{ en = "{name}", zh = "{name}" }}', *lines, ""])


@pytest.fixture(scope="session")
def voted() -> Callable[..., str]:
    """Declares a programme in which people give grades to units (``form``), and the work of units and members is counted.

    ``grades`` are the fields of a form and how each is declared, ``worth`` what a grade is; further tables come as (name, lines).
    """

    def voted(name: str, grades: Mapping[str, str], worth: Mapping[str, int], *tables: tuple[str, ...]) -> str:
        marks = ", ".join(f"{mark} = {points}" for mark, points in worth.items())
        declared: list[tuple[str, ...]] = [
            ("scheme", f'id = "{name}"', 'version = "1"', 'period = "quarter"', 'zone = "Asia/Shanghai"', "law = []"),
            ("subject.unit",),
            ("subject.member", 'parent = "unit"', "person = true"),
            ("evidence.form", 'date = "day"', 'subjects = ["about"]', "ballots = true"),
            ("evidence.form.field.about", 'type = "subject"', 'of = ["unit"]'),
            ("evidence.form.field.day", 'type = "date"'),
            *((f"evidence.form.field.{field}", 'type = "choice"', lines) for field, lines in grades.items()),
            ("evidence.work", 'date = "day"', 'key = ["about", "day"]'),
            ("evidence.work.field.about", 'type = "subject"', 'of = ["unit", "member"]'),
            ("evidence.work.field.day", 'type = "date"'),
            ("evidence.work.field.points", 'type = "decimal"', "decimals = 1", "min = 0"),
            (
                "parameter.worth",
                'unit = "point"',
                f'values = [{{ from = 2020-01-01, value = {{ {marks} }}, source = "here" }}]',
            ),
            *tables,
        ]
        head, *others = (titled(*table) for table in declared)
        return "\n".join([head, "minimum_group = 10", *others])

    return voted
