"""An example programme, built from nothing: a folder with ``example.toml`` names the schemes, what is issued, the claims.

Every row of an example is drawn from its scheme's ``sample.py`` with a fixed seed and marked synthetic. The claims are not.
"""

from __future__ import annotations

import shutil
import sys
import time
import tomllib
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType
from typing import Any, Final

import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet

from mingjian.attest.verify import Report
from mingjian.base.errors import Misuse
from mingjian.base.values import Period
from mingjian.declare import Scheme
from mingjian.reckon.claims import Verdict
from mingjian.workspace._demo_office import Login, open_list, people_in, people_text, write_letters, write_tables
from mingjian.workspace._issued import STATUS_FILE, TRUST_FILE, Order, issue_into, level_of, package_files
from mingjian.workspace._office import ISSUED, Office
from mingjian.workspace._oversight import CLAIMS
from mingjian.workspace._schemes import scheme_folder
from mingjian.workspace._verifying import read_trust, verify_files
from mingjian.workspace._workspace import Workspace

MARK: Final = ".mingjian-example"  # only a folder that an example was built into is ever cleared
PEOPLE: Final = "people.txt"  # who can sign in, for whoever opens the example
CSV_ROWS: Final = 10_000  # beyond, Parquet
BY: Final = "example"

Progress = Callable[[str, int, int], None]


@dataclass(frozen=True, slots=True)
class Step:
    """One step of the building: what, how much of it, where it lies, and how long it took."""

    what: str
    count: int
    where: str
    seconds: float


@dataclass
class Built:
    """An example as built: its workspace, the steps, the report of verifying everything, the verdicts on claims, and who can
    sign in (all of them with ``password``).
    """

    workspace: Workspace
    folder: Path
    steps: list[Step] = field(default_factory=list)
    report: Report | None = None
    verdicts: tuple[Verdict, ...] = ()
    logins: list[Login] = field(default_factory=list)
    password: str = ""

    @contextmanager
    def timed(self, what: str, where: Path | str) -> Iterator[list[int]]:
        """Time a step; put its count into the list."""
        count = [0]
        started = time.perf_counter()
        yield count
        self.steps.append(Step(what, count[0], str(where), time.perf_counter() - started))


def shipped_example() -> Path:
    """The example that comes with Mingjian: inside the installed package, or beside its source. Misuse where there is none."""
    package = Path(__file__).parents[1]
    for folder in (package, package.parents[1]):
        for file in sorted((folder / "examples").glob("*/example.toml")):
            return file.parent
    raise Misuse("no example was installed", remedy="name the folder of one")


def usual_folder(example: Path) -> Path:
    """Where an example is built if nobody says otherwise: build/ and its name. Raises Misuse where it is none."""
    return Path("build", _read(example).get("name", example.name))


def build_example(
    example: Path,
    into: Path,
    *,
    scale: int = 1,
    progress: Progress = lambda *_: None,
) -> Built:
    """Build the example of a folder into another, verify all that it issued, and check its claims.

    An example built there before is cleared first. Raises Misuse where ``into`` holds anything else, or there is no
    ``example.toml``.
    """
    declared = _read(example)
    _clear(into)
    workspace = Workspace.create(into / "workspace", origin=declared["origin"])
    (into / MARK).touch()
    (workspace.folder / ISSUED).mkdir()
    (into / ISSUED).symlink_to(Path("workspace", ISSUED))
    built = Built(workspace, into)
    for programme in declared["programme"]:
        _programme(built, programme, scale, progress)
    _verify(built)
    if "claims" in declared:
        shutil.copyfile(example / declared["claims"], workspace.folder / CLAIMS)
        with built.timed("claims", example / declared["claims"]) as count:
            built.verdicts = workspace.claims(example / declared["claims"])
            count[0] = len(built.verdicts)
    return built


def sample_rows(scheme: str, seed: int, scale: int = 1) -> Mapping[str, pa.Table]:
    """The synthetic rows of a scheme by evidence type, subjects first. Raises Misuse where it has no ``sample.py``."""
    rows: Mapping[str, pa.Table] = sample_of(scheme).sample(seed=seed, scale=scale)
    return rows


def sample_of(scheme: str) -> ModuleType:
    """The module that draws a scheme's synthetic rows. Raises Misuse where there is no ``sample.py``."""
    file = scheme_folder(scheme) / "sample.py"
    spec = spec_from_file_location(f"mingjian_sample_{file.parent.name}", file) if file.is_file() else None
    if spec is None or spec.loader is None:
        raise Misuse(f"scheme {scheme} has no sample.py", remedy="only a scheme with synthetic rows can be an example")
    module = module_from_spec(spec)
    sys.modules[spec.name] = module  # dataclasses look their module up there while it runs
    try:
        spec.loader.exec_module(module)
    finally:
        del sys.modules[spec.name]
    return module


def _programme(built: Built, programme: Mapping[str, Any], scale: int, progress: Progress) -> None:
    workspace = built.workspace
    scheme = workspace.adopt(programme["scheme"], BY)
    folder = built.folder / "evidence" / scheme.id
    folder.mkdir(parents=True)
    tables = sample_rows(programme["scheme"], programme["seed"], scale)
    for done, (kind, table) in enumerate(tables.items(), 1):
        with built.timed(f"add {kind}", folder) as count:
            file = _write(folder, kind, table)
            count[0] = workspace.add_file(scheme, kind, file, BY, synthetic=True).rows
        progress(f"{scheme.id}: add", done, len(tables))
    for issue in programme["issue"]:
        _issue(built, scheme, issue, progress)
    if "office" in programme:
        _office(built, scheme, programme, folder)


def _issue(built: Built, scheme: Scheme, issue: Mapping[str, Any], progress: Progress) -> None:
    workspace, period = built.workspace, Period.parse(issue["period"])
    with built.timed(f"measure {scheme.id} {period}", built.folder / "workspace") as count:
        count[0] = len(workspace.measure(scheme, period))
    order = Order(
        period,
        dict.fromkeys(issue["statements"]),
        level_of(issue["level"]),
        _papers(workspace, scheme, period, issue),
        issue.get("language", "zh"),
    )
    folder = built.folder / ISSUED
    with built.timed(f"issue {scheme.id} {period}", folder) as count:
        written = issue_into(workspace, scheme, order, folder, by=BY, progress=progress)
        count[0] = len(written.files)
    papers = built.folder / "papers"
    if issue.get("letters"):
        with built.timed(f"letters {period}", papers) as count:
            count[0] = len(
                write_letters(workspace, scheme, period, papers, order.language, lambda n: progress("letters", n, n))
            )
    if issue.get("tables"):
        with built.timed(f"tables {period}", papers) as count:
            count[0] = len(write_tables(workspace, scheme, order.statements, period, papers, order.language))


def _papers(workspace: Workspace, scheme: Scheme, period: Period, issue: Mapping[str, Any]) -> Collection[str]:
    """The subjects whose statements are drawn: those named, or "all"."""
    named: Collection[str] = issue.get("papers", ())
    if named != "all":
        return named
    return {subject for statement in issue["statements"] for subject in workspace.subjects(scheme, statement, period)}


def _office(built: Built, scheme: Scheme, programme: Mapping[str, Any], folder: Path) -> None:
    """Open the office of a programme: accounts for its people, and the list of the quarter that it is now."""
    workspace, sample, seed = built.workspace, sample_of(programme["scheme"]), programme["seed"]
    built.password = programme["office"]["password"]
    with built.timed("open list", folder) as count:
        count[0] = open_list(workspace, scheme, sample, seed, lambda kind, table: _write(folder, kind, table), BY)
    with built.timed("accounts", workspace.folder) as count:
        built.logins = people_in(Office(workspace, scheme.id), sample, seed, built.password, BY)
        count[0] = len(built.logins)
    (built.folder / PEOPLE).write_text(people_text(built.logins, built.password), "utf-8")


def _verify(built: Built) -> None:
    folder = built.folder / ISSUED
    with built.timed("verify", folder) as count:
        files = package_files(folder)
        trust = read_trust(folder / TRUST_FILE)
        built.report = verify_files(files, trust=trust, now=built.workspace.clock(), status=[folder / STATUS_FILE])
        count[0] = len(files)


def _write(folder: Path, kind: str, table: pa.Table) -> Path:
    if table.num_rows <= CSV_ROWS:
        file = folder / f"{kind}.csv"
        pyarrow.csv.write_csv(table, file)
    else:
        file = folder / f"{kind}.parquet"
        pyarrow.parquet.write_table(table, file)
    return file


def _read(example: Path) -> dict[str, Any]:
    file = example / "example.toml"
    if not file.is_file():
        raise Misuse(f"{example} is no example", why="it has no example.toml", remedy="name the folder of one")
    return tomllib.loads(file.read_text("utf-8"))


def _clear(into: Path) -> None:
    if (into / MARK).is_file():
        shutil.rmtree(into)
    elif into.exists() and any(into.iterdir()):
        raise Misuse(f"{into} is not empty", remedy="name a new folder, or one that an example was built into")
