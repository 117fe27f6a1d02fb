"""A scheme to start from: it loads, and its own case comes out."""

from __future__ import annotations

from pathlib import Path

from mingjian.base.errors import Misuse
from mingjian.declare._check import is_name

_SCHEME = """\
[scheme]
id = "NAME"
version = "0.1"
title = { en = "A programme", zh = "示例方案" }
period = "quarter"
zone = "Asia/Shanghai"
law = ["Which text lays this programme down"]

[subject.unit]
title = { en = "Unit", zh = "单位" }

[evidence.task]                # what is handed in: one row a task; a later row of a task replaces it
title = { en = "Task", zh = "任务" }
key = ["task"]
date = "quarter"

[evidence.task.field]
task = { type = "text", title = { en = "Task", zh = "任务" } }
unit = { type = "subject", of = ["unit"], title = { en = "Unit", zh = "单位" } }
quarter = { type = "period", of = ["quarter"], title = { en = "Quarter", zh = "季度" } }
possible = { type = "decimal", decimals = 1, min = 0, title = { en = "Points possible", zh = "满分" } }
awarded = { type = "decimal", decimals = 1, min = 0, at_most = "possible", title = { en = "Awarded", zh = "得分" } }

[parameter.full_marks]         # a number that a text lays down, from a day on
title = { en = "Full marks", zh = "满分值" }
unit = "percent"
values = [ { from = 2021-01-01, value = 100, source = "Article 1" } ]

[measure.fulfilment]           # what it amounts to: the function of this name in measures.py
title = { en = "Tasks fulfilled", zh = "任务完成率" }
of = "unit"
unit = "percent"
decimals = 2
grades = [ { at = 90, title = { en = "Excellent", zh = "优秀" } } ]

[statement.portrait]           # what is said of a unit, and signed
title = { en = "Portrait", zh = "画像" }
kind = "portrait"
of = "unit"
show = ["fulfilment"]
"""

_MEASURES = """\
def fulfilment(task, full_marks):
    return full_marks * task.awarded.sum() / task.possible.sum()
"""

_CASE = """\
[[case]]
id = "excellent"
title = "Nine points of ten are exactly the threshold"
period = "2021Q3"
rows.subject = [ { id = "U01", type = "unit", en = "Unit one", zh = "一号单位", from = 2021-01-01 } ]
rows.task = [
    { task = "T1", unit = "U01", quarter = "2021Q3", possible = 5, awarded = 5 },
    { task = "T2", unit = "U01", quarter = "2021Q3", possible = 5, awarded = 4 },
]
expect = [ { measure = "fulfilment", subject = "U01", value = "90.00" } ]
"""

_README = """\
# NAME

What this programme is for, which law lays it down, and who answers for it.

`scheme.toml` declares, `measures.py` computes, `cases/` proves: `mingjian check` runs every case.
"""

_FILES = {"scheme.toml": _SCHEME, "measures.py": _MEASURES, "cases/first.toml": _CASE, "README.md": _README}


def new_scheme(folder: Path, name: str) -> tuple[Path, ...]:
    """Write a small scheme called ``name`` into a new or empty folder; gives the files written.

    Raises Misuse when the folder holds anything already, or when a scheme cannot be called so.
    """
    if not is_name(name):
        raise Misuse(
            f"{name!r} cannot be the id of a scheme", remedy="lower-case letters, digits and _, a letter first"
        )
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise Misuse(f"{folder} is not empty", remedy="give a new folder")
    written = []
    for file, text in _FILES.items():
        path = folder / file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text.replace("NAME", name), encoding="utf-8")
        written.append(path)
    return tuple(written)
