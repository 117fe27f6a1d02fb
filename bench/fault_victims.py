"""The processes that are killed. Run as a script, this one forks a victim for each order, with everything imported already.

An order is a line of JSON on its input: which ``work`` in which ``folder``, and what the disk does to it (``arm``: a mode of
`faults.c` and the number of a call). What a victim says is a line of JSON on the output, written only after the call that it
tells of has returned: ``doing`` before a transaction, ``done`` after it. "ended" has the status it ended with.
"""

from __future__ import annotations

import contextlib
import ctypes
import importlib
import io
import json
import os
import signal
import sys
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from fault_checks import ISSUED_TO, QUARTER, build, check, inspect

from mingjian.base.errors import MingjianError
from mingjian.record.ledger import Entry
from mingjian.web import serve
from mingjian.workspace import Office, Order, Workspace, issue_into

OFF, COUNT, DIE, TEAR, FULL = range(5)  # the modes of faults.c
LONG = "长" * 400  # eighty rows with it do not stand inline

Order_ = dict[str, Any]
_out = os.dup(1)


def say(**told: Any) -> None:
    """One line to whoever gave the order: written whole or not at all, since pipes take so many bytes at once."""
    os.write(_out, json.dumps(told).encode() + b"\n")


# -- what the victims do, over and over -----------------------------------------------------------------------------------
def add(folder: Path, order: Order_) -> Iterator[Any]:
    """Files of rows: a small one, one that becomes a blob, and one about a person."""
    workspace = Workspace.open(folder)
    scheme = workspace.scheme()
    task = {"unit": "U2", "quarter": "2021Q3", "deadline": "2999-12-31", "awarded": "1.0"}
    for round_ in range(1_000_000):
        name = f"{order['seed']}-{round_}"
        files = {
            "task": [{"task": f"{name}-{n}", **task} for n in range(3)],
            "blob": [{"task": f"{name}-{n}-{LONG}", **task} for n in range(80)],
            "item": [{"item": f"{name}-{n}", "leader": f"L{n % 2 + 1}", "day": "2021-08-01"} for n in range(4)],
        }
        for what, rows in files.items():
            path = Path(order["rows"], f"{what}-{name}.jsonl")
            path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), "utf-8")
            say(doing="add", file=path.name, rows=len(rows))
            taken = workspace.add_file(scheme, "item" if what == "item" else "task", path, "loader")
            assert taken.entry is not None
            say(done="add", file=path.name, **_of(taken.entry))
        yield None


def act(folder: Path, order: Order_) -> Iterator[Any]:
    """A case is reported with a text and a file, then reviewed."""
    office = Office(Workspace.open(folder))
    reporter, assessor = office.desk("rep"), office.desk("ass")
    listed = iter(reporter.cases("duty", states=["listed"], subject="U1"))
    for waiting in assessor.cases("duty", states=["reported"], subject="U1"):  # somebody was killed in between
        _review(assessor, waiting.id, waiting.version)
    while True:
        case = next(listed)
        said = {"text": f"done by {order['seed']}"}
        proof = io.BytesIO(f"proof of {case.id}".encode() * 500)
        say(doing="report", case=case.id)
        seen = reporter.act(
            "duty", case.id, "report", expected=0, rows={"report": [said]}, files=[("proof.txt", proof)]
        )
        say(done="report", case=case.id, version=seen.version)
        _review(assessor, case.id, seen.version)
        yield None


def _review(assessor: Any, case: str, version: int) -> None:
    say(doing="review", case=case)
    seen = assessor.act("duty", case, "review", expected=version, fills={"awarded": "7.5"})
    say(done="review", case=case, version=seen.version)


def issue(folder: Path, order: Order_) -> Iterator[Any]:
    """Portraits with their papers, each time in place of those before."""
    workspace = Workspace.open(folder)
    scheme = workspace.scheme()
    wanted = Order(QUARTER, {"portrait": ISSUED_TO}, papers=ISSUED_TO, replace=True)
    while True:
        say(doing="issue")
        written = issue_into(workspace, scheme, wanted, folder / "issued", by="issuer")
        say(done="issue", snapshot=written.snapshot, ids=sorted(written.ids.values()))
        yield None


def projections(folder: Path, _order: Order_) -> Iterator[Any]:
    """The projection, deleted and made again."""
    workspace = Workspace.open(folder)
    scheme = workspace.scheme()
    while True:
        workspace.projection.forget()
        say(doing="projection")
        with workspace.view(scheme) as view:
            rows = sum(view.arrow(kind).num_rows for kind in view.kinds)
        say(done="projection", rows=rows)
        yield None


def served(folder: Path, order: Order_) -> Iterator[Any]:
    """The web face; whoever gave the order uses it, and ends it by a signal."""

    def tell_and_die(*_: object) -> None:
        _learn(order)
        say(seen=_disk().fault_seen())
        os.kill(os.getpid(), signal.SIGKILL)

    signal.signal(signal.SIGUSR1, tell_and_die)
    serve(workspace=folder, port=order["port"], json=True)
    yield None


def full(folder: Path, order: Order_) -> Iterator[Any]:
    """One work on a disk that fills up, then once more with room: what it was told, and that it goes on."""
    rounds = WORKS[order["of"]](folder, order)
    try:
        next(rounds)
        say(full="")  # it had room enough
    except MingjianError as refused:
        say(full=type(refused).__name__, said=str(refused))
    _disk().fault_arm(OFF, 0, b"")
    next(WORKS[order["of"]](folder, {**order, "seed": f"{order['seed']}-again"}))
    say(again=True)
    yield None


WORKS: dict[str, Callable[[Path, Order_], Iterator[Any]]] = {
    "add": add,
    "act": act,
    "issue": issue,
    "projections": projections,
    "serve": served,
    "full": full,
    "build": build,
    "check": check,
    "inspect": inspect,
}


def _of(entry: Entry) -> dict[str, Any]:
    return {"entry": entry.index, "root": entry.root, "count": entry.rows}


# -- the fork -----------------------------------------------------------------------------------------------------------
def _disk() -> ctypes.CDLL:
    """`faults.c`, preloaded. Raises AttributeError where it is not."""
    disk = ctypes.CDLL(None)
    disk.fault_seen.restype = ctypes.c_long
    disk.fault_arm.argtypes = [ctypes.c_int, ctypes.c_long, ctypes.c_char_p]
    return disk


def _live(order: Order_) -> None:
    """A victim's life: rounds of its work until it is killed, or as many as it was asked for."""
    folder = Path(order["folder"])
    log = os.open(order["log"], os.O_CREAT | os.O_WRONLY | os.O_APPEND)
    os.dup2(log, 1)
    os.dup2(log, 2)
    if "arm" in order:
        mode, at = order["arm"]
        _disk().fault_arm(mode, at, str(folder).encode() + b"/")
    rounds = WORKS[order["work"]](folder, order)
    for done, told in enumerate(rounds, 1):
        say(round=done, told=told)
        _learn(order)
        if done == order.get("rounds"):
            break
    if "arm" in order:
        say(seen=_disk().fault_seen())


def _learn(order: Order_) -> None:
    """Write down what was imported, where that is asked for."""
    if "modules" in order:
        Path(order["modules"]).write_text("\n".join([*sys.modules]), "utf-8")


def _import(names: list[str]) -> None:
    """Import what a victim needed, so that those after it do not spend their lives importing."""
    for name in names:
        with contextlib.suppress(ImportError):  # some names are made up by compiled modules
            importlib.import_module(name)


def main() -> None:
    """Fork a victim for each order, one at a time, and say how it ended."""
    for line in sys.stdin:
        order = json.loads(line)
        victim = os.fork()
        if victim == 0:
            os.setsid()
            status = 1
            try:
                _live(order)
                status = 0
            except BaseException as fault:  # noqa: BLE001 - it is told, and the process ends
                traceback.print_exc()
                say(broke="".join(traceback.format_exception_only(fault)).strip())
            finally:
                sys.stderr.flush()
                os._exit(status)
        say(victim=victim)
        status = os.waitpid(victim, 0)[1]
        if "modules" in order and Path(order["modules"]).exists():
            _import(Path(order["modules"]).read_text("utf-8").splitlines())
        say(ended=os.waitstatus_to_exitcode(status))


if __name__ == "__main__":
    main()
