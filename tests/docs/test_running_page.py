"""What the page on PostgreSQL, S3 and Spark says is typed, over servers on loopback."""

from __future__ import annotations

import os
import re
import shlex
import sys
from pathlib import Path
from string import Template

import pyarrow.csv
import pytest

from mingjian.cli import main
from mingjian.workspace import sample_rows

PAGE = Path(__file__).parents[2] / "docs" / "running.md"


@pytest.mark.skipif("MINGJIAN_SPARK" not in os.environ, reason="it takes minutes: `make spark` tries it")
def test_a_workspace_runs_on_postgresql_s3_and_spark_as_the_page_says(
    spark, postgresql, s3, tmp_path, monkeypatch, capsys
):
    """In this process, so that one Spark serves all commands."""
    for kind, table in sample_rows("green_power", 20210907).items():
        pyarrow.csv.write_csv(table, tmp_path / f"{kind}.csv")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MINGJIAN_USER", "reader")
    blocks = re.findall(r"^```bash\n(.*?)^```$", PAGE.read_text("utf-8"), re.MULTILINE | re.DOTALL)
    commands = "".join(blocks).splitlines()
    assert len(commands) == 9
    for command in commands:
        typed = Template(command).substitute(LEDGER=postgresql, BLOBS=s3, ENGINE=spark)
        monkeypatch.setattr(sys, "argv", shlex.split(typed))
        with pytest.raises(SystemExit) as ended:
            main()
        assert not ended.value.code, (command, capsys.readouterr())
    assert not (tmp_path / "market" / "ledger.db").exists()
