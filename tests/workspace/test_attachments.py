"""What may be handed in as proof, and what is refused."""

from __future__ import annotations

import io
import zipfile
import zlib
from pathlib import Path

import pytest

from mingjian.base.errors import MingjianError, Misuse, Tampered
from mingjian.workspace._attachments import LARGEST, LARGEST_UNFOLDED, Attachments, clean_name

PDF = b"%PDF-1.7\n1 0 obj << /Type /Catalog >> endobj\n%%EOF\n"
OBJECTS = b"<< /Type /ObjStm /N 1 /First 4 /Filter /FlateDecode >>\nstream\n"
PNG = b"\x89PNG\r\n\x1a\n" + bytes(32)


def archive(members: dict[str, bytes]) -> bytes:
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w", zipfile.ZIP_DEFLATED) as file:
        for name, content in members.items():
            file.writestr(name, content)
    return held.getvalue()


def test_a_file_is_kept_once_and_reads_back(tmp_path: Path) -> None:
    store = Attachments(tmp_path / "attachments")
    first = store.keep("会议纪要.pdf", io.BytesIO(PDF))
    again = store.keep("minutes.pdf", io.BytesIO(PDF))
    assert (first.name, first.media, first.size) == ("会议纪要.pdf", "application/pdf", len(PDF))
    assert again.sha256 == first.sha256
    assert store.read(first.sha256) == PDF
    assert len([p for p in store.folder.rglob("*") if p.is_file()]) == 1


@pytest.mark.parametrize(
    ("name", "content", "why"),
    [
        ("a.exe", b"MZ", "no file of this kind"),
        ("a", b"x", "no file of this kind"),
        ("a.pdf", b"", "empty"),
        ("a.pdf", b"<html>", "not of the kind"),
        ("a.png", PDF, "not of the kind"),
        ("script.pdf", PDF + b"<< /OpenAction 4 0 R >>", "active"),
        ("js.pdf", PDF + b"<< /S /JavaScript /JS (app.alert(1)) >>", "active"),
        ("escaped.pdf", PDF + b"<< /S /J#61vaScript >>", "active"),
        ("launch.pdf", PDF + b"<< /S /Launch /F (calc.exe) >>", "active"),
        ("inside.pdf", PDF + b"<< /Type /EmbeddedFile >>", "active"),
        ("folded.pdf", PDF + OBJECTS + zlib.compress(b"<< /S /JavaScript >>"), "active"),
        ("closed.pdf", PDF + b"trailer << /Encrypt 9 0 R >>", "encrypted"),
        ("broken.docx", b"PK\x03\x04 and nothing more", "cannot be opened"),
        ("macros.xlsx", archive({"xl/vbaProject.bin": b"x"}), "macros"),
        ("a.txt", b"\0\1\2", "no text"),
        ("a.csv", b"\xff\xff\xff", "no text"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_is_not_taken_is_refused_and_leaves_nothing(tmp_path: Path, name: str, content: bytes, why: str) -> None:
    store = Attachments(tmp_path)
    with pytest.raises(MingjianError, match=why) as refused:
        store.keep(name, io.BytesIO(content))
    assert refused.value.findings[0].remedy
    assert not [p for p in tmp_path.rglob("*") if p.is_file()]


def test_a_bomb_does_not_unfold(tmp_path: Path) -> None:
    bomb = archive({f"{n}.xml": bytes(LARGEST_UNFOLDED // 8) for n in range(9)})
    with pytest.raises(MingjianError, match="unfolds"):
        Attachments(tmp_path).keep("bomb.xlsx", io.BytesIO(bomb))


def test_a_file_without_end_is_cut_off(tmp_path: Path) -> None:
    class Endless(io.RawIOBase):
        read_so_far = 0

        def read(self, size: int = -1) -> bytes:
            self.read_so_far += size
            return bytes(size)

    endless = Endless()
    with pytest.raises(MingjianError, match="MiB"):
        Attachments(tmp_path).keep("a.pdf", endless)  # type: ignore[arg-type]
    assert endless.read_so_far <= LARGEST + (1 << 17)


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("../../etc/passwd.txt", "passwd.txt"),
        ("..\\..\\boot.txt", "boot.txt"),
        ("/abs/a.pdf", "a.pdf"),
        ("a\r\nSet-Cookie: x.pdf", "aSet-Cookie: x.pdf"),
        ("fdp.\u202ecod.pdf", "fdp.cod.pdf"),
        ("...", "attachment"),
        ("", "attachment"),
        ("x" * 300 + ".pdf", "x" * 116 + ".pdf"),
    ],
    ids=["up", "up-backwards", "absolute", "header", "reordered", "dots", "empty", "long"],
)
def test_a_name_says_nothing_but_a_name(given: str, kept: str) -> None:
    assert clean_name(given) == kept


@pytest.mark.parametrize(
    "digest", ["../../ledger.db", "0" * 64, "", "A" * 64], ids=["path", "unknown", "empty", "upper"]
)
def test_what_was_never_kept_is_not_read(tmp_path: Path, digest: str) -> None:
    with pytest.raises(Misuse, match="no such attachment"):
        Attachments(tmp_path).read(digest)


def test_an_altered_file_is_named(tmp_path: Path) -> None:
    store = Attachments(tmp_path)
    kept = store.keep("a.pdf", io.BytesIO(PDF))
    (tmp_path / kept.sha256[:2] / kept.sha256).write_bytes(PDF + b" ")
    with pytest.raises(Tampered, match="not what was handed in"):
        store.read(kept.sha256)
