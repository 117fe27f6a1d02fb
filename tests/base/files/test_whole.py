"""A file is there whole under its name, or is still what it was."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from mingjian.base.errors import MingjianError
from mingjian.base.files import DRAFT, drafting, keep_names, write_whole


def test_a_file_is_written_and_written_over_and_leaves_no_draft(tmp_path: Path) -> None:
    for data in (b"one", b"another"):
        write_whole(tmp_path / "paper.pdf", data)
        assert (tmp_path / "paper.pdf").read_bytes() == data
    assert [file.name for file in tmp_path.iterdir()] == ["paper.pdf"]


def test_what_breaks_off_leaves_the_file_as_it_was(tmp_path: Path) -> None:
    write_whole(tmp_path / "paper.pdf", b"whole")

    def broken_off() -> None:
        with drafting(tmp_path, "paper.pdf") as draft:
            draft.write_bytes(b"ha")
            raise OSError(28, "No space left on device")

    with pytest.raises(MingjianError, match=r"paper\.pdf was not written.*No space left"):
        broken_off()
    assert {file.name: file.read_bytes() for file in tmp_path.iterdir()} == {"paper.pdf": b"whole"}


def test_the_draft_of_somebody_who_died_is_written_over(tmp_path: Path) -> None:
    (tmp_path / DRAFT).write_bytes(b"much more than what comes next")
    write_whole(tmp_path / "paper.pdf", b"short")
    assert (tmp_path / "paper.pdf").read_bytes() == b"short"


def test_those_who_write_to_one_folder_at_once_do_not_mix(tmp_path: Path) -> None:
    contents = {f"{n}": bytes([n]) * 100_000 for n in range(8)}
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda name: write_whole(tmp_path / name, contents[name]), contents))
    assert {file.name: file.read_bytes() for file in tmp_path.iterdir()} == contents


def test_the_names_of_a_folder_that_is_not_there_cannot_be_kept(tmp_path: Path) -> None:
    keep_names(tmp_path)
    with pytest.raises(FileNotFoundError):
        keep_names(tmp_path / "nowhere")
