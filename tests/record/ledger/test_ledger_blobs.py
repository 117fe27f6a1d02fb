"""Blobs in a directory and on S3: the same promises, and a place that fails is told from a blob that is bad."""

from __future__ import annotations

import errno
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from hashlib import sha256
from pathlib import Path

import pytest

from mingjian.base.errors import MingjianError, Misuse, Tampered
from mingjian.record.ledger._blobs import BlobDirectory, BlobObjects, Blobs, blobs_at

ABSENT = "0" * 64
Alter = Callable[[str, bytes], None]


@pytest.fixture(params=["directory", "file URL", "s3"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Where blobs may lie."""
    if request.param == "s3":
        return f"{request.getfixturevalue('s3')}/ledgers/甲 1"
    folder = tmp_path / "a blob directory"
    return str(folder) if request.param == "directory" else folder.as_uri()


@pytest.fixture
def blobs(place: str) -> Blobs:
    blobs = blobs_at(place)
    blobs.create()
    return blobs


@pytest.fixture
def overwrite(blobs: Blobs) -> Alter:
    """Somebody writes other bytes under a name, past the house."""

    def overwritten(name: str, data: bytes) -> None:
        if isinstance(blobs, BlobDirectory):
            (blobs.path / name).write_bytes(data)
        else:
            from s3fs import S3FileSystem

            S3FileSystem().pipe_file(f"{blobs.where.removeprefix('s3://')}/{name}", data)

    return overwritten


@pytest.mark.parametrize("data", [b"", b"\x00", b"rows" * 100_000], ids=["empty", "one byte", "large"])
def test_a_blob_comes_back_under_the_digest_of_its_bytes(blobs: Blobs, place: str, data: bytes) -> None:
    name = blobs.put(data)
    assert name == blobs.put(data) == sha256(data).hexdigest(), "twice is no harm"
    assert blobs.get(name) == blobs_at(blobs.where).get(name) == blobs_at(place).get(name) == data


def test_the_blobs_that_are_there_are_named(blobs: Blobs, overwrite: Alter) -> None:
    overwrite("something else", b"of somebody else")
    names = {blobs.put(data) for data in (b"1", b"2", b"3")}
    assert set(blobs.names()) == names


def test_a_whole_bucket_may_be_the_place(s3: str) -> None:
    blobs_at(f"{s3}/folder").put(b"not of the bucket itself")
    blobs = blobs_at("s3://bucket")
    name = blobs.put(b"rows")
    assert (blobs.get(name), list(blobs.names())) == (b"rows", [name])


def test_two_ledgers_do_not_share_a_place(blobs: Blobs) -> None:
    blobs.create()
    blobs.put(b"of the first")
    with pytest.raises(Misuse, match="a place of its own"):
        blobs_at(blobs.where).create()


def test_a_blob_that_is_missing_cut_or_altered_is_named_with_its_entry(blobs: Blobs, overwrite: Alter) -> None:
    with pytest.raises(Tampered, match=f"entry 7: blob {ABSENT} is missing"):
        blobs.get(ABSENT, "entry 7")
    name = blobs.put(b"what was written")
    for data in (b"what was writteN", b"what was", b""):
        overwrite(name, data)
        with pytest.raises(Tampered, match=f"entry 7: blob {name} has other bytes.*: {len(data)} bytes are there"):
            blobs.get(name, "entry 7")


def test_many_put_at_once(blobs: Blobs) -> None:
    with ThreadPoolExecutor(8) as pool:
        names = list(pool.map(blobs.put, [b"%d" % (n % 5) for n in range(20)]))
    assert set(blobs.names()) == set(names) == {sha256(b"%d" % n).hexdigest() for n in range(5)}


def test_an_object_is_never_replaced(s3: str) -> None:
    from s3fs import S3FileSystem

    blobs = blobs_at(s3)
    name = sha256(b"evidence").hexdigest()
    files = S3FileSystem()
    path = f"{s3.removeprefix('s3://')}/{name}"
    files.pipe_file(path, b"altered")
    with pytest.raises(Tampered, match=f"blob {name} has other bytes"):
        blobs.put(b"evidence")
    assert files.cat_file(path) == b"altered", "it is left for those who look into it"


# -- a place that fails -------------------------------------------------------------------------------------------------
ACTS: dict[str, Callable[[Blobs], object]] = {
    "create": lambda blobs: blobs.create(),
    "put": lambda blobs: blobs.put(b"rows"),
    "get": lambda blobs: blobs.get(ABSENT, "entry 7"),
    "names": lambda blobs: list(blobs.names()),
}


@pytest.fixture
def forgotten() -> Iterator[None]:
    """Clients are kept for the process: the next one reads the environment anew."""
    from s3fs import S3FileSystem

    S3FileSystem.clear_instance_cache()
    yield
    S3FileSystem.clear_instance_cache()


@pytest.mark.parametrize("fault", ["nobody answers", "no bucket", "no credentials"])
@pytest.mark.usefixtures("forgotten")
def test_what_cannot_be_reached_is_not_missing(s3: str, monkeypatch: pytest.MonkeyPatch, fault: str) -> None:
    if fault == "nobody answers":
        monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")  # the port of discard, where nothing listens
    if fault == "no credentials":
        monkeypatch.delenv("AWS_ACCESS_KEY_ID")
        monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    where = "s3://nobody-has-this-bucket" if fault == "no bucket" else s3
    blobs = blobs_at(where)
    for act in ACTS.values():
        with pytest.raises(
            MingjianError, match="see to the network, and to endpoint, credentials and bucket"
        ) as caught:
            act(blobs)
        assert (type(caught.value), caught.value.where) == (MingjianError, where)


def test_a_disk_that_fails_is_not_a_missing_blob(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    blobs = blobs_at(tmp_path)
    name = blobs.put(b"rows")

    def fail(_: Path) -> bytes:
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(Path, "read_bytes", fail)
    with pytest.raises(MingjianError, match=f"blob {name} could not be read: Input/output error") as caught:
        blobs.get(name)
    assert not isinstance(caught.value, Tampered)


def test_what_is_not_a_directory_keeps_no_blobs(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    for act in ACTS.values():
        with pytest.raises(MingjianError, match="make room, or mend the disk"):
            act(blobs_at(tmp_path / "file"))


# -- what is no place ---------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    "where",
    [
        "ftp://host/blobs",
        "memory://blobs",
        "s3://",
        "s3:///prefix",
        "s3://key:secret@bucket/prefix",
        "s3://bucket/prefix?endpoint_url=http://elsewhere",
        "s3://bucket/#prefix",
        "file://host/blobs",
        "file://",
    ],
)
def test_other_places_are_refused(where: str) -> None:
    with pytest.raises(Misuse, match=r"no place for blobs.*give a directory, or s3://bucket/prefix"):
        blobs_at(where)


def test_the_missing_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "s3fs", None)
    with pytest.raises(Misuse, match=r"`pip install mingjian\[s3\]`"):
        BlobObjects("bucket", "")
