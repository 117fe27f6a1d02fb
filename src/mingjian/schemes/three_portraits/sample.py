"""Synthetic rows for the three portraits: a district of the page's size, or a multiple of it, from one seed.

Nothing here describes anybody. Units and people are invented, and the district's own name says that it is synthetic.
The sizes are the page's: 85 units and 520 leaders, 6,000 sheets in one round, 700 supervision items, four quarters of
19 tasks a unit (6,460). Unit U01 in 2021Q3 is the page's example of 85 points. The four quarters are played through: every
task is fixed, problems of the last one are still being put right. A fifth can be opened on top of them.
"""

from __future__ import annotations

import csv
import hashlib
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any, Final, TypeAlias

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]
Days = npt.NDArray[np.datetime64]
Column: TypeAlias = "pa.Array[Any]"

POINTS: Final = pa.decimal128(18, 1)

UNITS: Final = 85
LEADERS: Final = 520
SHEETS: Final = 6_000
ITEMS: Final = 700
LEAST_SHEETS, SMALL_SHEETS = 12, 7
SMALL_UNIT = 3  # U04, under the minimum group in every block of 85
MOVER, MOVES_TO = 13, 2  # L014 leaves U02 for U03

FOUNDED, MERGED, MOVED = date(2020, 1, 1), date(2021, 1, 1), date(2021, 5, 1)
ROUND, LAST_DAY = date(2021, 8, 16), date(2021, 9, 30)
QUARTERS: Final = ("2020Q4", "2021Q1", "2021Q2", "2021Q3")
DEADLINES: Final = (date(2020, 12, 20), date(2021, 3, 20), date(2021, 6, 20), date(2021, 9, 20))

# Days on which the office worked: each quarter's reviews begin, appeals come in while they may, and scores are fixed.
REVIEWS: Final = np.array(["2020-12-28", "2021-03-29", "2021-06-28", "2021-09-28"], "datetime64[D]")
APPEALS: Final = np.array(["2021-01-04", "2021-04-02", "2021-07-02", "2021-10-08"], "datetime64[D]")
FIXES: Final = np.array(["2021-01-08", "2021-04-09", "2021-07-08", "2021-10-14"], "datetime64[D]")
USED, REPLIED = date(2021, 10, 15), date(2021, 10, 18)
DAY: Final = np.timedelta64(1, "D")

GRADES: Final = ("excellent", "good", "fair", "poor")
DIMENSIONS: Final = ("political", "responsibility", "integrity", "overall", "service", "discipline")
VOTERS: Final = ("team", "middle", "staff")
SOURCES: Final = ("decisions", "petitions", "notices", "daily", "cases")
SEVERITIES: Final = ("minor", "moderate", "serious")
ITEM_STATES: Final = ("received", "verifying", "substantiated", "closed_substantiated", "unfounded", "closed_unfounded")
TASK_STATES: Final = ("on_time", "late", "missing", "not_applicable")
HARDER: Final = ("B2", "B3", "D1")  # where many units lose points: a common problem for the panorama to show

TEXTS: Final = tomllib.loads((Path(__file__).parent / "sample.toml").read_text("utf-8"))
SAID: Final = (*TEXTS["deductions"], *TEXTS["bonuses"], *(said for _, _, *said in TEXTS["example"]))
# What every synthetic attachment holds. Whoever opens a workspace with these rows keeps it among the attachments.
PROOF: Final = TEXTS["proof"].encode()


@dataclass(frozen=True)
class _District:
    """Who there is, as positions; ``unit_of`` is each leader's unit at the end, ``standing`` how well each is doing."""

    units: tuple[str, ...]
    leaders: tuple[str, ...]
    first_unit_of: Ints
    unit_of: Ints
    standing: Floats  # of units, then of leaders

    @property
    def subjects(self) -> tuple[str, ...]:
        return (*self.units, *self.leaders)


def sample(seed: int = 20210907, scale: int = 1) -> dict[str, pa.Table]:
    """Rows by evidence type, ``subject`` first; the same seed and scale give the same rows.

    ``scale`` multiplies units, leaders, sheets, tasks and items: 100 gives some 4.2 million ballot lines.
    """
    rng = np.random.default_rng(seed)
    indicators = _indicators()
    district = _district(rng, scale)
    tasks = _tasks(rng, district, indicators)
    rows = {
        "subject": _subjects(district),
        "indicator": indicators,
        "task": tasks,
        "adjustment": _adjustments(rng, district, tasks),
        "form": _forms(rng, district, scale),
        "item": _items(rng, district, scale),
    }
    return rows | _office(np.random.default_rng((seed, 1)), rows)


def open_quarter(seed: int, quarter: str, today: date, scale: int = 1) -> dict[str, pa.Table]:
    """The tasks of a quarter whose list is out: nothing reported yet, one deadline just missed, the others to come."""
    indicators = _indicators()
    due = np.datetime64(today) + np.random.default_rng((seed, 2)).integers(2, 30, len(indicators)) * DAY
    due[0] = np.datetime64(today) - DAY
    units = [f"U{n + 1:02}" for n in range(UNITS * scale)]
    unit, indicator = (axis.ravel() for axis in np.indices((len(units), len(indicators))))
    columns = {
        "unit": _pick(units, unit),
        "indicator": _pick(indicators["code"].combine_chunks(), indicator),
        "quarter": _pick([quarter], 0 * unit),
        "deadline": pa.array(due[indicator]),
        "possible": _pick(indicators["weight"].combine_chunks(), indicator),
    }
    return {"task": pa.table({"task": _joined(columns["unit"], columns["quarter"], columns["indicator"]), **columns})}


@dataclass(frozen=True)
class Person:
    """Somebody who can try the office out: a login, a name, and a role over a subject. One login may have several rows."""

    login: str
    zh: str
    en: str
    role: str
    subject: str


def people(seed: int = 20210907) -> tuple[Person, ...]:
    """Somebody for each role. The head of unit U01 is its first in command, and so described too."""
    held = TEXTS["people"]
    drawn = iter(np.random.default_rng((seed, 3)).permutation(400))
    names = {login: _person(LEADERS + int(next(drawn))) for login, *_ in held}
    names |= {login: _person(int(subject[1:]) - 1) for login, role, subject in held if role == "described"}
    return tuple(Person(login, *names[login], role, subject) for login, role, subject in held)


# -- who there is ----------------------------------------------------------------------------------------------------


def _district(rng: np.random.Generator, scale: int) -> _District:
    units, leaders = UNITS * scale, LEADERS * scale
    sizes = np.full(UNITS, LEADERS // UNITS)
    sizes[: LEADERS % UNITS] += 1
    first_unit_of = np.repeat(np.arange(units), np.tile(sizes, scale))
    unit_of = first_unit_of.copy()
    unit_of[MOVER] = MOVES_TO
    team = rng.normal(0.0, 0.5, units)
    member = 0.6 * team[unit_of] + rng.normal(0.0, 0.4, leaders)
    return _District(
        units=tuple(f"U{n + 1:02}" for n in range(units)),
        leaders=tuple(f"L{n + 1:03}" for n in range(leaders)),
        first_unit_of=first_unit_of,
        unit_of=unit_of,
        standing=np.concatenate([team, member]),
    )


def _subjects(district: _District) -> pa.Table:
    rows = [_subject("BEIBEI", "district", "北碚区（合成样本）", "Beibei District (synthetic sample)")]
    rows += [_subject(id, "unit", *_unit_name(n), parent="BEIBEI") for n, id in enumerate(district.units)]
    # A unit that was merged away before the lists of 2021: its one item stays in the district's history.
    gone = _subject("U00", "unit", "旧云岭公社办事处", "Former Yunling Office", "town", parent="BEIBEI")
    rows.append(gone | {"until": MERGED, "into": "U01"})
    for n, id in enumerate(district.leaders):
        unit = district.first_unit_of[n]
        first = n == 0 or district.first_unit_of[n - 1] != unit
        rows.append(
            _subject(id, "leader", *_person(n), "first in command" if first else "member", parent=district.units[unit])
        )
    moved = next(row for row in rows if row["id"] == district.leaders[MOVER])
    rows.append(moved | {"parent": district.units[MOVES_TO], "from": MOVED})
    days = ("from", "until")
    columns = ("id", "type", "zh", "en", "parent", *days, "into", "kind")
    return _table(rows, {name: pa.date32() if name in days else pa.string() for name in columns})


def _subject(
    id: str, type: str, zh: str, en: str, kind: str | None = None, parent: str | None = None
) -> dict[str, Any]:
    return {"id": id, "type": type, "zh": zh, "en": en, "parent": parent, "from": FOUNDED, "kind": kind}


def _unit_name(n: int) -> tuple[str, str, str]:
    if str(n) in TEXTS["odd_units"]:
        zh, en, kind = TEXTS["odd_units"][str(n)]
        return zh, en, kind
    stems, bodies = TEXTS["stems"], TEXTS["bodies"]
    (stem, stem_en), (body, body_en, kind) = stems[n % len(stems)], bodies[n % len(bodies)]
    again = n // (len(stems) * len(bodies))
    return (f"{stem}{body}{again or ''}", f"{stem_en} {body_en}{f' {again}' if again else ''}", kind)


def _person(n: int) -> tuple[str, str]:
    if str(n) in TEXTS["odd_leaders"]:
        zh, en = TEXTS["odd_leaders"][str(n)]
        return zh, en
    surnames, given = TEXTS["surnames"], TEXTS["given"]
    surname, surname_en = surnames[n % len(surnames)]
    one, one_en = given[n // len(surnames) % len(given)]
    two, two_en = given[(n // len(surnames) + 7 * n + 5) % len(given)]
    return f"{surname}{one}{two}", f"{surname_en} {one_en.title()}{two_en}"


# -- lists and reviews -----------------------------------------------------------------------------------------------


def _indicators() -> pa.Table:
    with (Path(__file__).parent / "indicators.csv").open(encoding="utf-8", newline="") as file:
        rows = [row | _typed(row) for row in csv.DictReader(file)]
    special: dict[str, pa.DataType] = {"weight": POINTS, "since": pa.date32()}
    return _table(rows, {name: special.get(name, pa.string()) for name in rows[0]})


def _typed(row: dict[str, str]) -> dict[str, object]:
    return {"weight": Decimal(row["weight"]), "since": date.fromisoformat(row["since"])}


def _tasks(rng: np.random.Generator, district: _District, indicators: pa.Table) -> pa.Table:
    codes, weights = indicators["code"].combine_chunks(), indicators["weight"].combine_chunks()
    shape = (len(QUARTERS), len(district.units), len(codes))
    quarter, unit, indicator = (axis.ravel() for axis in np.indices(shape))
    state = rng.choice(4, len(unit), p=(0.91, 0.045, 0.015, 0.03))
    state[_example(unit, quarter)] = 0
    columns = {
        "unit": _pick(district.units, unit),
        "indicator": _pick(codes, indicator),
        "quarter": _pick(QUARTERS, quarter),
        "deadline": _pick(DEADLINES, quarter),
        "possible": _pick(weights, indicator),
        # Full marks for what was reported: every point that is lost is lost by a deduction, with a reason and a proof.
        "awarded": _pick(weights, indicator, missing=state >= 2),
        "state": _pick(TASK_STATES, state),
    }
    return pa.table({"task": _joined(columns["unit"], columns["quarter"], columns["indicator"]), **columns})


def _example(unit: Ints, quarter: Ints) -> Flags:
    """The tasks of the page's example."""
    example: Flags = (unit == 0) & (quarter == len(QUARTERS) - 1)
    return example


def _adjustments(rng: np.random.Generator, district: _District, tasks: pa.Table) -> pa.Table:
    """Deductions, bonuses, and the page's three deductions, each of a task that was reported."""
    size = len(tasks)
    unit = np.arange(size) // (size // len(QUARTERS) // len(district.units)) % len(district.units)
    example = _example(unit, np.arange(size) * len(QUARTERS) // size)
    reported = pc.is_valid(tasks["awarded"]).to_numpy() & ~example
    codes = tasks["indicator"].combine_chunks()
    harder = pc.is_in(codes, value_set=pa.array(HARDER)).to_numpy(zero_copy_only=False)
    late = pc.is_in(tasks["state"], value_set=pa.array(["late"])).to_numpy()
    likely = 0.24 * np.exp(-0.8 * district.standing[unit]) * np.where(harder, 1.9, 1.0)
    deducted = np.flatnonzero(reported & (late | (rng.random(size) < likely)))
    praised = np.flatnonzero(reported & (rng.random(size) < 0.03))
    shown = np.flatnonzero(example)
    marked = shown[
        pc.index_in(pa.array([code for code, *_ in TEXTS["example"]]), value_set=codes.take(shown)).to_numpy()
    ]
    # At most 3 points, so that no review takes more than the smallest weight had.
    halves = (
        rng.integers(1, 7, len(deducted)),
        rng.integers(1, 3, len(praised)),
        [2 * points for _, points, *_ in TEXTS["example"]],
    )
    reason = (
        np.where(late[deducted], 0, rng.integers(1, len(TEXTS["deductions"]), len(deducted))),
        len(TEXTS["deductions"]) + rng.integers(0, len(TEXTS["bonuses"]), len(praised)),
        len(TEXTS["deductions"]) + len(TEXTS["bonuses"]) + np.arange(len(marked)),
    )
    kind = np.repeat([0, 1, 0], [len(deducted), len(praised), len(marked)])
    return _adjusted(
        tasks.take(np.concatenate([deducted, praised, marked])), kind, np.concatenate(halves), np.concatenate(reason)
    )


def _adjusted(tasks: pa.Table, kind: Ints, halves: Ints, reason: Ints) -> pa.Table:
    ids = pa.array([f"K{n + 1:05}" for n in range(len(tasks))])
    points = pa.array([Decimal(half) / 2 for half in range(int(halves.max()) + 1)], POINTS)
    return pa.table(
        {
            "adjustment": ids,
            **{name: tasks[name] for name in ("task", "unit", "indicator", "quarter")},
            "kind": _pick(("deduction", "bonus"), kind),
            "points": _pick(points, halves),
            "reason": _pick([code for code, _ in SAID], reason),
            "note": _pick([note for _, note in SAID], reason),
            "proof": _joined(pa.scalar("合成佐证"), ids),
        }
    )


# -- ballots ---------------------------------------------------------------------------------------------------------


def _forms(rng: np.random.Generator, district: _District, scale: int) -> pa.Table:
    """The lines of all sheets, shuffled: a line about the team and one about each member on every sheet."""
    sheets = _sheets(rng, scale)
    lines = np.concatenate([sheets, sheets[district.unit_of]])  # how many there are about each subject
    starts = np.cumsum(lines) - lines
    order = rng.permutation(int(lines.sum()))
    about = np.repeat(np.arange(len(lines)), lines)[order]
    place = (np.arange(len(order)) - np.repeat(starts, lines))[order] / lines[about]
    voter = (place >= 0.1).astype(np.int64) + (place >= 0.35)
    unit = np.concatenate([np.arange(len(district.units)), district.unit_of])[about]
    standing = district.standing[:, None] + rng.normal(0.0, 0.25, (len(lines), len(DIMENSIONS)))
    columns = {
        "round": _all("2021-08", len(about)),
        "date": _all(ROUND, len(about)),
        "unit": _pick(district.units, unit),
        "about": _pick(district.subjects, about),
        "voter": _pick(VOTERS, voter),
    }
    for number, name in enumerate(DIMENSIONS):
        columns[name] = _marks(rng, standing[:, number].astype(np.float32)[about])
    return pa.table(columns)


def _sheets(rng: np.random.Generator, scale: int) -> Ints:
    """How many sheets each unit returned: 6,000 in every block of 85 units, one of them under the minimum group."""
    others = np.arange(UNITS) != SMALL_UNIT
    free = SHEETS - SMALL_SHEETS - LEAST_SHEETS * (UNITS - 1)
    sheets = np.full((scale, UNITS), SMALL_SHEETS)
    sheets[:, others] = LEAST_SHEETS + rng.multinomial(free, rng.dirichlet(np.full(UNITS - 1, 3.0)), size=scale)
    return sheets.ravel()


def _marks(rng: np.random.Generator, standing: npt.NDArray[np.float32]) -> Column:
    """One mark a line: the better the standing the better the mark; about one in eighty is left blank."""
    seen = rng.standard_normal(len(standing), dtype=np.float32) + standing
    grade = sum((seen < limit).astype(np.int8) for limit in (0.0, -1.2, -2.1))
    blank = rng.integers(0, 256, len(standing), dtype=np.uint8) < 3
    return _pick(GRADES, np.asarray(grade), missing=blank)


# -- supervision -----------------------------------------------------------------------------------------------------


def _items(rng: np.random.Generator, district: _District, scale: int) -> pa.Table:
    """Supervision items in their last state; one in five is still open."""
    size = ITEMS * scale
    received = np.datetime64("2020-10-01") + rng.integers(0, 365, size) * DAY
    known = received + rng.integers(10, 70, size) * DAY
    outcome = rng.choice(3, size, p=(0.2, 0.25, 0.55))  # open, substantiated, unfounded
    outcome[known > np.datetime64(LAST_DAY)] = 0
    closed = rng.random(size) < 0.6
    about = np.where(
        rng.random(size) < 0.4,
        rng.integers(0, len(district.units), size),
        len(district.units) + rng.integers(0, len(district.leaders), size),
    )
    about[0], received[0], known[0], outcome[0] = -1, np.datetime64("2020-11-15"), np.datetime64("2020-12-10"), 1
    return pa.table(
        {
            "item": pa.array([f"J{n + 1:04}" for n in range(size)]),
            "received": pa.array(received.astype("datetime64[D]")),
            "about": _pick((*district.subjects, "U00"), about % (len(district.subjects) + 1)),
            "established": pa.array(known.astype("datetime64[D]"), mask=outcome == 0),
            "source": _pick(SOURCES, rng.choice(5, size, p=(0.15, 0.35, 0.1, 0.3, 0.1))),
            "severity": _pick(SEVERITIES, rng.choice(3, size, p=(0.8, 0.17, 0.03))),
            "state": _pick(ITEM_STATES, 2 * outcome + closed),
        }
    )


# -- the office's quarters -------------------------------------------------------------------------------------------


def _office(rng: np.random.Generator, rows: Mapping[str, pa.Table]) -> dict[str, pa.Table]:
    """What people wrote and did in the four quarters, so that each task is where its row says."""
    tasks, adjustments = rows["task"], rows["adjustment"]
    deductions = _only(adjustments, _within(adjustments["kind"], ["deduction"]))
    state = _at(tasks["state"], TASK_STATES)
    lost, touched = (_within(tasks["task"], marked["task"]) for marked in (deductions, adjustments))
    example = _within(tasks["quarter"], QUARTERS[-1:]) & _within(tasks["unit"], ["U01"])
    # None who appeals because of a deduction is right; the others were given all their points back.
    likely = np.where(lost, 0.03, np.where(touched | (state > 1), 0.0, 0.004))
    appealed = ~example & (rng.random(len(tasks)) < likely)
    problems, known = _problems(rng, deductions)
    reported, rectified = _only(tasks, state < 2), _only(problems, known > 0)
    acts = [*_duties(rng, tasks, state, appealed, lost), *_rectifying(rng, problems, known)]
    return {
        "report": _reports(rng, reported),
        "appeal": _appeals(_only(tasks, appealed), lost[appealed]),
        "problem": problems,
        "rectification": _with(rectified, ["problem", "unit"], measures=_all(TEXTS["rectified"], len(rectified))),
        "attachment": _attachments(rng, reported, rectified),
        "informant": _informants(rng, rows["item"]),
        "reply": _replies(),
        "use": _uses(rng, rows["subject"]),
        "act": pa.concat_tables(acts).sort_by("at"),
    }


def _reports(rng: np.random.Generator, tasks: pa.Table) -> pa.Table:
    """What each unit says; of education, also how many were planned and done."""
    said = TEXTS["reports"]
    aspect = _at(pc.utf8_slice_codeunits(tasks["indicator"], 0, 1), [*said])
    uncounted = aspect != [*said].index("E")
    planned = rng.integers(20, 200, len(tasks))
    done = planned - rng.integers(0, 6, len(tasks))
    counts = {name: pa.array(n, mask=uncounted) for name, n in (("planned", planned), ("done", done))}
    return _with(tasks, ["task", "unit"], text=_pick([*said.values()], aspect), **counts)


def _appeals(tasks: pa.Table, lost: Flags) -> pa.Table:
    disputed, grounds, _ = zip(*TEXTS["appeals"], strict=True)
    return _with(tasks, ["task", "unit"], disputed=_pick(disputed, lost * 1), grounds=_pick(grounds, lost * 1))


def _problems(rng: np.random.Generator, deductions: pa.Table) -> tuple[pa.Table, Ints]:
    """Problems from the graver deductions, and how far each has come: found, rectified, closed, closed on the second try."""
    grave = deductions.filter(pc.greater(deductions["points"], pa.scalar(Decimal(2))))
    quarter = _at(grave["quarter"], QUARTERS)
    last = quarter == len(QUARTERS) - 1
    chance = np.where(last[:, None], (0.6, 0.9, 1.0), (0.02, 0.06, 0.92))
    known: Ints = (rng.random(len(grave))[:, None] >= chance).sum(axis=1)
    ids = pa.array([f"W{n + 1:05}" for n in range(len(grave))])
    deadline = pa.array(FIXES[quarter] + np.where(known == 3, 45, 30) * DAY)
    links = ["task", "unit", "indicator", "quarter"]
    return _with(grave, links, problem=ids, text=grave["note"], deadline=deadline), known


def _attachments(rng: np.random.Generator, tasks: pa.Table, problems: pa.Table) -> pa.Table:
    """One file with each third report, and with each second rectification."""
    tasks, problems = (_only(t, rng.random(len(t)) < share) for t, share in ((tasks, 0.33), (problems, 0.5)))
    links = ["task", "problem", "unit", "quarter"]
    tasks = tasks.append_column("problem", pa.nulls(len(tasks), pa.string()))
    table = pa.concat_tables([tasks.select(links), problems.select(links)])
    files, size = TEXTS["files"], len(table)
    name = np.concatenate([rng.integers(0, len(files) - 1, len(tasks)), np.full(len(problems), len(files) - 1)])
    return _with(
        table,
        links,
        attachment=pa.array([f"F{n + 1:05}" for n in range(size)]),
        name=_pick(files, name),
        media=_all("text/plain", size),
        size=_all(len(PROOF), size),
        sha256=_all(hashlib.sha256(PROOF).hexdigest(), size),
    )


def _informants(rng: np.random.Generator, items: pa.Table) -> pa.Table:
    """Who reported: of each second petition."""
    items = _only(items, _within(items["source"], ["petitions"]) & (rng.random(len(items)) < 0.5))
    names = pa.array([f"合成反映人{n + 1:04}" for n in range(len(items))])
    return _with(items, ["item", "received"], reporter=names)


def _replies() -> pa.Table:
    replies = enumerate(TEXTS["replies"], 1)
    rows = [(f"R{n:03}", about, QUARTERS[-1], text, about, REPLIED) for n, (about, text) in replies]
    return _written(rows, "reply", "about", "period", "text", "by")


def _uses(rng: np.random.Generator, subjects: pa.Table) -> pa.Table:
    """What portraits were used for, each time by the decision of somebody with an office."""
    known = [(row["type"], row["id"]) for row in subjects.to_pylist() if row["until"] is None]
    chosen = [
        (about, QUARTERS[-1], *said, USED)
        for wanted, share, *said in TEXTS["uses"]
        for kind, about in sorted(set(known))
        if kind == wanted and rng.random() < share
    ]
    rows = [(f"Y{n:04}", *row) for n, row in enumerate(chosen, 1)]
    return _written(rows, "use", "about", "period", "purpose", "decision", "decided_by")


def _written(rows: Sequence[tuple[object, ...]], *names: str) -> pa.Table:
    """Rows of texts, each with its day at the end."""
    columns = {name: pa.string() for name in names} | {"date": pa.date32()}
    return _table([dict(zip(columns, row, strict=True)) for row in rows], columns)


# -- acts ------------------------------------------------------------------------------------------------------------


def _duties(rng: np.random.Generator, tasks: pa.Table, state: Ints, appealed: Flags, lost: Flags) -> list[pa.Table]:
    """The acts of each task from listed to fixed, every one on a day on which it was open."""
    quarter, size = _at(tasks["quarter"], QUARTERS), len(tasks)
    due = np.array(DEADLINES, "datetime64[D]")[quarter]
    done = _after(due, np.where(state == 1, rng.integers(1, 7, size), -rng.integers(0, 5, size)))
    reviewed = _after(REVIEWS[quarter], rng.integers(0, 3, size))
    excused = _after(due, -rng.integers(1, 11, size))
    decided = _pick([row[2] for row in TEXTS["appeals"]], lost[appealed] * 1)
    acts = _Acts(rng, "duty", tasks["task"], tasks["unit"])
    return [
        acts.table("report", "listed", "reported", state == 0, done, by="reporter"),
        acts.table("report", "listed", "reported", state == 1, done, by="reporter", late=True),
        acts.table("review", "reported", "reviewed", state < 2, reviewed),
        acts.table("missing", "listed", "reviewed", state == 2, reviewed, late=True),
        acts.table("not_applicable", "listed", "reviewed", state == 3, excused),
        acts.table("appeal", "reviewed", "appealed", appealed, APPEALS[quarter], by="reporter"),
        acts.table("decide", "appealed", "fixed", appealed, FIXES[quarter], note=decided),
        acts.table("fix", "reviewed", "fixed", ~appealed, FIXES[quarter], late=True),
    ]


def _rectifying(rng: np.random.Generator, problems: pa.Table, known: Ints) -> list[pa.Table]:
    """The acts of each problem as far as it has come."""
    first = _after(FIXES[_at(problems["quarter"], QUARTERS)], rng.integers(7, 28, len(problems)))
    checked = _after(first, rng.integers(2, 6, len(problems)))
    acts = _Acts(rng, "problem", problems["problem"], problems["unit"])
    return [
        acts.table("rectify", "found", "rectified", known > 0, first, by="reporter"),
        acts.table("send_back", "rectified", "found", known == 3, checked),
        acts.table("rectify", "found", "rectified", known == 3, _after(checked, 5), by="reporter"),
        acts.table("recheck_ok", "rectified", "closed", known == 2, checked),
        acts.table("recheck_ok", "rectified", "closed", known == 3, _after(checked, 8)),
    ]


@dataclass(frozen=True)
class _Acts:
    """The acts of one process in many cases."""

    rng: np.random.Generator
    process: str
    cases: Any
    units: Any

    def table(
        self,
        act: str,
        frm: str,
        to: str,
        of: Flags,
        days: Days,
        *,
        by: str = "assessor",
        late: bool = False,
        note: Column | None = None,
    ) -> pa.Table:
        """One act in the cases ``of``, each at some minute of office hours (9:00 in Shanghai is 1:00 UTC)."""
        units, size = self.units.filter(pa.array(of)), int(of.sum())
        at = days[of].astype("datetime64[us]") + self.rng.integers(60, 600, size) * np.timedelta64(1, "m")
        said = {"process": self.process, "act": act, "frm": frm, "to": to, "late": late, "role": by}
        return pa.table(
            {
                **{name: _all(value, size) for name, value in said.items()},
                "case": self.cases.filter(pa.array(of)),
                "by": _joined(units, pa.scalar(by)) if by == "reporter" else _all(by, size),
                "on": pa.array(days[of]),
                "at": pa.array(at).cast(pa.timestamp("us", tz="UTC")),
                "note": pa.nulls(size, pa.string()) if note is None else note,
            }
        )


# -- tables ----------------------------------------------------------------------------------------------------------


def _table(rows: Sequence[Mapping[str, object]], columns: Mapping[str, pa.DataType]) -> pa.Table:
    return pa.Table.from_pylist(rows, schema=pa.schema(list(columns.items())))


def _pick(values: Sequence[Any] | Column, at: npt.NDArray[Any], missing: Flags | None = None) -> Column:
    """A column of ``values`` at the positions ``at``, null where ``missing``."""
    column = values if isinstance(values, pa.Array) else pa.array(values)
    return column.take(pa.array(at, mask=missing))


def _only(table: pa.Table, kept: Flags) -> pa.Table:
    return table.filter(pa.array(kept))


def _after(days: Days, number: Ints | int) -> Days:
    """So many days later, or earlier where it is negative."""
    later: Days = np.add(days, number)
    return later


def _within(column: Any, values: Any) -> Flags:
    """Which texts of a column are among the values."""
    among = values.combine_chunks() if isinstance(values, pa.ChunkedArray) else pa.array(values)
    found: Flags = pc.is_in(column, value_set=among).to_numpy()
    return found


def _at(column: Any, values: Sequence[str]) -> Ints:
    """The position in ``values`` of each text of a column."""
    found: Ints = pc.index_in(column, value_set=pa.array(values)).to_numpy().astype(np.int64)
    return found


def _all(value: object, size: int) -> Column:
    return _pick([value], np.zeros(size, np.int64))


def _with(table: pa.Table, names: Sequence[str], **columns: Any) -> pa.Table:
    """Some columns of a table, and others."""
    return pa.table({name: table[name] for name in names} | columns)


def _joined(*parts: Any) -> Column:
    joined: Column = pc.binary_join_element_wise(*parts, "-")
    return joined
