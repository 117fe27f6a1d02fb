"""The steps of `make run`, each run in a process of its own over one workspace, and a floor beside each.

A floor is the least that could do the same: the same bytes through the same libraries by hand, without the engine.
"""

from __future__ import annotations

import subprocess
import sys
import tomllib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property, partial
from graphlib import TopologicalSorter
from hashlib import sha256
from itertools import islice
from pathlib import Path
from typing import Any

import duckdb
import ibis  # noqa: F401  # half a second that belongs to no step
import orjson
import pyarrow.csv
import pyarrow.parquet
import rfc8785
import typst
from copies import copy_rows
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from meter import Meter

from mingjian.attest.statements import read_package
from mingjian.base.values import Period
from mingjian.declare import EvidenceType, Scheme, evidence_types
from mingjian.reckon.measures import evaluate
from mingjian.workspace import (
    STATUS_FILE,
    TRUST_FILE,
    Order,
    Papers,
    Workspace,
    issue_into,
    level_of,
    package_files,
    read_trust,
    sample_rows,
    scheme_folder,
    verify_files,
)

CSV_ROWS = 10_000  # as in the example: beyond, Parquet
MANY = 100  # the scale that the targets are about
STATEMENTS = 10_000  # issued at most, so that the bench comes to an end at any scale
MOST_PAPERS = 1_000
SIZES = (100, 1_000, 10_000)  # statements verified together
EXPLAINING = 30.0  # seconds after which no further number is explained
ROW = bytes(200)  # about what a ballot line is in canonical JSON, with its salt


@dataclass(frozen=True)
class Site:
    """An example, the folder that it is built into, how many times its size it is, and how often each row is laid there then."""

    example: Path
    into: Path
    scale: int
    copies: int = 1

    @cached_property
    def declared(self) -> dict[str, Any]:
        """What example.toml says."""
        return tomllib.loads((self.example / "example.toml").read_text("utf-8"))

    def programme(self, scheme: str) -> dict[str, Any]:
        """What it says of a scheme."""
        return next(programme for programme in self.declared["programme"] if programme["scheme"] == scheme)

    def evidence(self, scheme: str, kind: str) -> Path | None:
        """The file with the rows of a type, if it has any."""
        return next(iter(sorted((self.into / "evidence" / scheme).glob(f"{kind}.*"))), None)

    def issued(self, scheme: str) -> Path:
        """Where the statements of a scheme are issued to."""
        return self.into / "issued" / scheme

    def open(self, scheme: str) -> tuple[Workspace, Scheme]:
        """The workspace and the scheme as recorded."""
        workspace = Workspace.open(self.into / "workspace")
        return workspace, workspace.scheme(scheme)

    def target(self, text: str, of: int = MANY) -> str:
        """What is asked at so many times the example's size."""
        return text if self.scale * self.copies == of else ""


Step = Callable[[Site, Meter], None]


def steps(site: Site) -> Iterator[tuple[str, Step]]:
    """Every step of an example by name, in order."""
    yield "new", create
    for programme in site.declared["programme"]:
        name = programme["scheme"]
        yield f"{name}: rules and rows", partial(draw, name=name)
        for kind in evidence_types_of(name):
            yield f"{name}: add {kind}", partial(add, name=name, kind=kind)
            yield f"{name}: catch up with {kind}", partial(reach, name=name, kind=kind)
        if site.copies > 1:
            yield f"{name}: copy", partial(copy, name=name)
        verbs = (("measure", measure), ("explain", explain), ("issue", issue_all), ("draw", draw_all))
        for issue in programme["issue"]:
            for verb, step in verbs if site.copies == 1 else verbs[:1]:
                yield f"{name}: {verb} {issue['period']}", partial(step, name=name, issue=issue)
        if site.copies == 1:
            yield f"{name}: verify", partial(verify, name=name)
    if "claims" in site.declared and site.copies == 1:
        yield "claims", claims
    yield "command line", answer


def evidence_types_of(name: str) -> list[str]:
    """The evidence types of a scheme as its folder declares them, each after those whose rows its own name."""
    from mingjian.declare import load

    types = evidence_types(load(scheme_folder(name)))
    before: dict[str, list[str]] = {}
    for kind, type in types.items():
        named = {"subject", *(field.to for field in type.fields.values() if field.type == "ref")}
        before[kind] = sorted(named - {kind})
    return list(TopologicalSorter(before).static_order())


def answer(site: Site, meter: Meter) -> None:
    """The command line's help, from the start of its process to the end; the floor is one that imports typer alone."""
    beside = str(Path(sys.executable).with_name("mingjian"))
    for verb in ([], ["explain"]):
        with meter.work(" ".join(["mingjian", *verb, "--help"]), "0.3 s") as line:
            subprocess.run([beside, *verb, "--help"], check=True, stdout=subprocess.DEVNULL)
            line.count = 1
        with meter.floor("python -c 'import typer'"):
            subprocess.run([sys.executable, "-c", "import typer"], check=True)


def create(site: Site, meter: Meter) -> None:
    """An empty workspace."""
    with meter.work("new workspace") as line:
        Workspace.create(site.into / "workspace", origin=site.declared["origin"])
        line.count = 1


def draw(site: Site, meter: Meter, name: str) -> None:
    """The scheme into the ledger; its synthetic rows into files."""
    workspace = Workspace.open(site.into / "workspace")
    with meter.work("adopt the scheme") as line:
        workspace.adopt(name, "bench")
        line.count = 1
    with meter.floor("reading its TOML"):
        tomllib.loads((scheme_folder(name) / "scheme.toml").read_text("utf-8"))
    folder = site.into / "evidence" / name
    folder.mkdir(parents=True)
    with meter.work("draw synthetic rows") as line:
        for kind, table in sample_rows(name, site.programme(name)["seed"], site.scale).items():
            line.count += table.num_rows
            if table.num_rows <= CSV_ROWS:
                pyarrow.csv.write_csv(table, folder / f"{kind}.csv")
            else:
                pyarrow.parquet.write_table(table, folder / f"{kind}.parquet")


def add(site: Site, meter: Meter, name: str, kind: str) -> None:
    """A file of rows into the ledger, held against what is there."""
    workspace, scheme = site.open(name)
    file = site.evidence(name, kind)
    if file is None:
        return
    with meter.work(f"add {kind}") as line:
        line.count = workspace.add_file(scheme, kind, file, "bench", synthetic=True).rows
    with meter.floor("read, SHA-256 of each row and node, Parquet"):
        given = _read(file)
        for _ in range(2 * given.num_rows):
            sha256(ROW).digest()
        pyarrow.parquet.write_table(given, site.into / "floor.parquet", compression="zstd")


def reach(site: Site, meter: Meter, name: str, kind: str) -> None:
    """The rows that were added last, from the ledger into the projection."""
    workspace, scheme = site.open(name)
    file = site.evidence(name, kind)
    if file is None:
        return
    with meter.work(f"catch up with {kind}") as line:
        workspace.projection.catch_up(scheme.id, evidence_types(scheme), zone=scheme.zone)
    given = _read(file)
    line.count = given.num_rows
    database = site.into / "floor.duckdb"
    with meter.floor("DuckDB: CREATE TABLE AS"), duckdb.connect(database) as connection:
        connection.execute("CREATE TABLE kept AS FROM given")
    database.unlink()


def copy(site: Site, meter: Meter, name: str) -> None:
    """The rows as often as is asked, in the projection."""
    workspace, scheme = site.open(name)
    with meter.work(f"{site.copies} of each row") as line:
        line.count = copy_rows(workspace, scheme, site.copies)


def measure(site: Site, meter: Meter, name: str, issue: Mapping[str, Any]) -> None:
    """All values of a period, in a fresh process and again, when its queries are compiled; reading the subjects stands apart."""
    workspace, scheme = site.open(name)
    period = Period.parse(issue["period"])
    with meter.work("read the subjects") as line:
        workspace.hierarchy(scheme)
    with workspace.view(scheme) as view:
        line.count = view.rows("subject").count().execute()
        with meter.floor("DuckDB: its rows to Python"):
            view.connection.con.execute("SELECT * FROM subject").fetchall()
    target = site.target("0.3 s", 1) or site.target("4 s, 4 GiB") or site.target("8 GiB", 10 * MANY)
    with meter.work(f"measure {period}", target) as line:
        line.count = len(workspace.measure(scheme, period))
    with workspace.view(scheme) as view, meter.floor("DuckDB: count and avg of each kind by subject"):
        for evidence in evidence_types(scheme).values():
            for query in _by_hand(evidence, period):
                view.connection.con.execute(query).fetchall()
    with workspace.view(scheme) as view, meter.work(f"measure {period} again, as for new rows", target) as line:
        line.count = len(evaluate(scheme, view, workspace.hierarchy(scheme), period))


def explain(site: Site, meter: Meter, name: str, issue: Mapping[str, Any]) -> None:
    """The numbers on a portrait, once to warm up and once to be timed, while there is time; the slowest counts."""
    workspace, scheme = site.open(name)
    period = Period.parse(issue["period"])
    workspace.hierarchy(scheme)  # which every process reads once, and the step before has timed
    statement = issue["statements"][0]
    there, shown = workspace.subjects(scheme, statement, period), scheme.statements[statement].show
    subject = next((paper for paper in issue["papers"] if paper in there), there[0])  # other scales have other ids
    values = [v for v in workspace.measure(scheme, period, only=shown, subjects=[subject]) if v.measure in shown]
    tried = Meter()
    for measure, member in dict.fromkeys((value.measure, value.member) for value in values):
        for again in ("first", "warm"):
            with tried.work(f"explain {measure} {member}".strip() + f", {again}", site.target("0.3 s")):
                workspace.explain(scheme, measure, subject, period, member)
        if sum(line.wall for line in tried.lines) > EXPLAINING:
            break
    for rank in (0, 1):
        line = max(tried.lines[rank::2], key=lambda line: line.wall)
        line.count = 1
        line.what += f", slowest of {len(tried.lines) // 2}"
        meter.lines.append(line)
    with workspace.view(scheme) as view, meter.floor("DuckDB: all rows of one subject"):
        for evidence in evidence_types(scheme).values():
            for field in evidence.subjects:
                where = f'FROM "{evidence.id}" WHERE "{field}" = ?'
                view.connection.con.execute(where, [subject]).fetchall()


def issue_all(site: Site, meter: Meter, name: str, issue: Mapping[str, Any]) -> None:
    """Statements of all subjects, or of as many as the bench has time for; the values were measured before."""
    workspace, scheme = site.open(name)
    period = Period.parse(issue["period"])
    workspace.measure(scheme, period)
    everybody = [(kind, who) for kind in issue["statements"] for who in workspace.subjects(scheme, kind, period)]
    some = everybody if len(everybody) <= STATEMENTS else _mixed(everybody)
    chosen = {kind: [who for of, who in some if of == kind] for kind in issue["statements"]}
    order = Order(period, chosen, level_of(issue["level"]))
    of = f" (of {len(everybody):,})" if len(some) < len(everybody) else ""
    with meter.work(f"issue {period}{of}", site.target("4 GiB")) as line:
        written = issue_into(workspace, scheme, order, site.issued(name), by="bench")
        line.count = len(written.files)
    key = Ed25519PrivateKey.generate()
    credentials = [orjson.loads(file.read_bytes())["credential"] for file in written.files]
    with meter.floor("JCS and Ed25519 of as many credentials"):
        for credential in credentials:
            key.sign(rfc8785.dumps(credential))


def draw_all(site: Site, meter: Meter, name: str, issue: Mapping[str, Any]) -> None:
    """Their papers as PDF, those of a thousand statements at most; the floor is a page for each, by Typst alone."""
    workspace, scheme = site.open(name)
    packages = [read_package(file.read_bytes()) for file in package_files(site.issued(name))[:MOST_PAPERS]]
    items = [(package.statement, package) for package in packages]
    papers = Papers.of(workspace, scheme, Period.parse(issue["period"]))
    with meter.work(f"draw {issue['period']}", site.target("15 s for 605", 1)) as line:
        line.count = len(papers.write_all(items, site.issued(name), "zh"))
    fonts = typst.Fonts()
    with meter.floor("Typst: a page with one letter for each"):
        for _ in items:
            typst.Compiler(b"x", font_paths=fonts).compile(format="pdf", pdf_standards=["a-2b"], timestamp=0)


def verify(site: Site, meter: Meter, name: str) -> None:
    """From the files alone: more and more of them, so that the time a statement shows whether it is linear."""
    folder = site.issued(name)
    files = package_files(folder)
    trust, status = read_trust(folder / TRUST_FILE), [folder / STATUS_FILE]
    workspace, _ = site.open(name)
    key = Ed25519PrivateKey.generate()
    public, signature = key.public_key(), key.sign(ROW)
    for size in sorted({min(size, len(files)) for size in SIZES}):
        some = [files[place * len(files) // size] for place in range(size)]  # as many of each kind as there are in all
        with meter.work(f"verify {size}") as line:
            report = verify_files(some, trust=trust, now=workspace.clock(), status=status)
        line.count = size
        line.what += f" ({1000 * line.wall / size:.1f} ms each)" + ("" if report.good else " NOT GOOD")
        with meter.floor("reading, JCS and Ed25519 of as many"):
            for file in some:
                _check_by_hand(public, signature, file)


def claims(site: Site, meter: Meter) -> None:
    """The published figures; what they are held against is measured on the way."""
    workspace = Workspace.open(site.into / "workspace")
    file = site.example / site.declared["claims"]
    with meter.work("claims, measuring what they are held against") as line:
        line.count = len(workspace.claims(file))
    with meter.floor("reading their TOML"):
        tomllib.loads(file.read_text("utf-8"))


def _check_by_hand(public: Ed25519PublicKey, signature: bytes, file: Path) -> None:
    rfc8785.dumps(orjson.loads(file.read_bytes())["credential"])
    public.verify(signature, ROW)


def _mixed(everybody: list[tuple[str, str]]) -> list[tuple[str, str]]:
    """As many as the bench has time for, evenly from all, the first of each kind (whose papers are drawn) among them."""
    firsts = {kind: (kind, who) for kind, who in reversed(everybody)}
    evenly = islice(everybody, 0, None, -(-len(everybody) // (STATEMENTS - len(firsts))))
    return sorted({*firsts.values(), *evenly})


def _read(file: Path) -> Any:
    return pyarrow.csv.read_csv(file) if file.suffix == ".csv" else pyarrow.parquet.read_table(file)


def _by_hand(evidence: EvidenceType, period: Period) -> Iterator[str]:
    """Queries that somebody in a hurry would write: rows of the period by subject, the mean of each mark and number."""
    shown = ["count(*)"]
    for field in evidence.fields.values():
        if field.type == "choice":
            points = " ".join(f"WHEN '{code}' THEN {place}" for place, code in enumerate(field.choices))
            shown.append(f'avg(CASE "{field.name}" {points} END)')
        elif field.type in ("integer", "quantity", "decimal"):
            shown.append(f'sum("{field.name}")')
    when = f"WHERE _date >= DATE '{period.first}' AND _date < DATE '{period.end}'" if evidence.date else ""
    for subject in evidence.subjects:
        yield f'SELECT "{subject}", {", ".join(shown)} FROM "{evidence.id}" {when} GROUP BY 1'
