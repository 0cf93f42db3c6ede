"""Which files a search for plaintexts reads, and what it tells of those that it does not."""

from __future__ import annotations

import contextlib
import errno
import gzip
import os
import socket
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from kmsmock import KMSMock, mock_kms
from kmsmock.plaintexts import files

#: A plaintext for which all searches look.
PLAIN = b"correct horse battery"
LIMIT = 1 << 20


@pytest.fixture(scope="module")
def kms() -> Iterator[KMSMock]:
    with mock_kms() as control:
        control.secrets.add(PLAIN, "passphrase")
        yield control


@pytest.fixture
def low_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let files of more than a MiB be too large."""
    monkeypatch.setattr(files, "LARGEST_BYTES", LIMIT)


def places(kms: KMSMock, target: Any) -> list[str]:
    return [finding.place for finding in kms.secrets.find_in(target).findings]


# --- large files --------------------------------------------------------------------------------

LARGE: dict[str, Callable[[bytes], bytes]] = {
    "as it is": lambda content: content,
    "compressed": gzip.compress,
    "compressed in parts": lambda content: b"".join(
        gzip.compress(content[start : start + 1000]) for start in range(0, len(content), 1000)
    ),
}


@pytest.mark.usefixtures("low_limit")
@pytest.mark.parametrize("form", LARGE)
@pytest.mark.parametrize("given", ["file", "folder"])
def test_the_beginning_of_a_large_file_is_searched_and_the_rest_is_told(
    kms: KMSMock, tmp_path: Path, form: str, given: str
) -> None:
    file = tmp_path / "large"
    file.write_bytes(LARGE[form](PLAIN + bytes(LIMIT) + PLAIN))

    search = kms.secrets.find_in(file if given == "file" else tmp_path)

    assert [finding.byte for finding in search.findings] == [0]
    assert search.unsearched == (
        f"{file} was not searched to its end: only its first 1 MiB were searched",
    )
    assert search.skipped == search.unsearched


@pytest.mark.usefixtures("low_limit")
@pytest.mark.parametrize("size", [LIMIT - 1, LIMIT, LIMIT + 1])
def test_a_file_up_to_the_limit_is_searched_to_its_end(
    kms: KMSMock, tmp_path: Path, size: int
) -> None:
    file = tmp_path / "large"
    file.write_bytes(bytes(size - len(PLAIN)) + PLAIN)

    search = kms.secrets.find_in(file)

    assert len(search.findings) == (size <= LIMIT)
    assert len(search.skipped) == (size > LIMIT)


@pytest.mark.usefixtures("low_limit")
def test_the_beginning_of_a_large_open_file_is_searched(kms: KMSMock, tmp_path: Path) -> None:
    file = tmp_path / "large"
    file.write_bytes(PLAIN + bytes(LIMIT))

    with file.open("rb") as opened:
        search = kms.secrets.find_in(opened)

    assert len(search.findings) == 1
    assert search.skipped == (f"{file} was not searched: only its first 1 MiB were searched",)


def test_a_file_of_many_gigabytes_is_searched_soon(kms: KMSMock, tmp_path: Path) -> None:
    file = tmp_path / "sparse"
    with file.open("wb") as opened:
        opened.write(PLAIN)
        opened.truncate(1 << 40)

    search = kms.secrets.find_in(tmp_path)

    assert len(search.findings) == 1
    assert search.skipped == (
        f"{file} was not searched to its end: only its first 16 MiB were searched",
    )


# --- folders --------------------------------------------------------------------------------------


@contextlib.contextmanager
def deep_folders(name: str, depth: int) -> Iterator[Path]:
    """Give a folder with a file at a depth that neither pytest nor Python's rmtree can remove."""
    top = Path(tempfile.mkdtemp())
    before = Path.cwd()
    try:
        # Step by step: the path of the deepest one can be longer than that of a call can be.
        os.chdir(top)
        for _ in range(depth):
            Path(name).mkdir()
            os.chdir(name)
        Path("key").write_bytes(PLAIN)
        os.chdir(before)
        yield top
    finally:
        os.chdir(before)
        subprocess.run(["rm", "-rf", str(top)], check=True)


def test_deep_folders_are_searched(kms: KMSMock) -> None:
    with deep_folders("d", 1500) as top:
        assert places(kms, top) == [str(top.joinpath(*["d"] * 1500, "key"))]


def test_folders_too_deep_for_a_path_are_told(kms: KMSMock) -> None:
    with deep_folders("d" * 200, 30) as top:
        (skipped,) = kms.secrets.find_in(top).skipped
    assert skipped.endswith("was not searched: File name too long")


def make_loop(folder: Path) -> None:
    (folder / "a").mkdir()
    (folder / "a" / "up").symlink_to(folder)
    (folder / "b").symlink_to(folder / "a")


def make_link_to_itself(folder: Path) -> None:
    (folder / "itself").symlink_to(folder / "itself")


def make_many_links(folder: Path) -> None:
    for number in range(20):
        (folder / str(number)).mkdir()
        for other in range(20):
            (folder / str(number) / f"to {other}").symlink_to(folder / str(other))


LOOPS = {
    "a loop of folders": (make_loop, 0),
    "a link to itself": (make_link_to_itself, 1),
    "links among all folders": (make_many_links, 0),
}


@pytest.mark.parametrize("loop", LOOPS)
def test_links_in_a_loop_are_followed_once(kms: KMSMock, tmp_path: Path, loop: str) -> None:
    make, skipped = LOOPS[loop]
    make(tmp_path)
    (tmp_path / "key").write_bytes(PLAIN)

    search = kms.secrets.find_in(tmp_path)

    assert [finding.place for finding in search.findings] == [str(tmp_path / "key")]
    assert len(search.skipped) == skipped


def test_the_target_of_a_link_is_searched_as_a_name(kms: KMSMock, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(PLAIN.decode())

    assert places(kms, tmp_path) == [f"names of the files in {tmp_path}"]


def make_pipe(folder: Path) -> Path:
    os.mkfifo(folder / "it")
    return folder / "it"


def make_socket(folder: Path) -> Path:
    # The path of a socket is short.
    before = Path.cwd()
    os.chdir(folder)
    try:
        with socket.socket(socket.AF_UNIX) as made:
            made.bind("it")
    finally:
        os.chdir(before)
    return folder / "it"


def make_device(folder: Path) -> Path:
    (folder / "it").symlink_to("/dev/zero")
    return folder / "it"


SPECIAL = {"a named pipe": make_pipe, "a socket": make_socket, "a device": make_device}


@pytest.mark.parametrize("given", ["file", "folder"])
@pytest.mark.parametrize("kind", SPECIAL)
def test_what_is_no_file_is_not_read_but_told(
    kms: KMSMock, tmp_path: Path, kind: str, given: str
) -> None:
    path = SPECIAL[kind](tmp_path)

    search = kms.secrets.find_in(path if given == "file" else tmp_path)

    assert search.skipped == (f"{path} was not searched: it is {kind}",)


@pytest.mark.parametrize("reason", [errno.EACCES, errno.EIO, errno.ENOENT], ids=os.strerror)
def test_a_file_that_cannot_be_read_is_told(
    kms: KMSMock, tmp_path: Path, reason: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "a").write_bytes(PLAIN)
    (tmp_path / "b").write_bytes(PLAIN)
    open_path = Path.open

    def open_or_fail(path: Path, *args: Any, **kwargs: Any) -> Any:
        if path.name == "a":
            raise OSError(reason, os.strerror(reason))
        return open_path(path, *args, **kwargs)

    monkeypatch.setattr(Path, "open", open_or_fail)
    search = kms.secrets.find_in(tmp_path)

    assert [finding.place for finding in search.findings] == [str(tmp_path / "b")]
    assert search.skipped == (f"{tmp_path / 'a'} was not searched: {os.strerror(reason)}",)


def test_a_folder_that_cannot_be_read_is_told(
    kms: KMSMock, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "b").write_bytes(PLAIN)
    scandir = os.scandir

    def scan_or_fail(path: Any) -> Any:
        if Path(path).name == "a":
            raise PermissionError(errno.EACCES, "Permission denied")
        return scandir(path)

    monkeypatch.setattr(os, "scandir", scan_or_fail)
    search = kms.secrets.find_in(tmp_path)

    assert len(search.findings) == 1
    assert search.skipped == (f"{tmp_path / 'a'} was not searched: Permission denied",)


def test_a_deep_structure_is_searched_as_far_as_it_goes(kms: KMSMock) -> None:
    structure: list[Any] = [PLAIN]
    for _ in range(10_000):
        structure = [structure]
    shallow = [[[[PLAIN]]], structure]

    search = kms.secrets.find_in(shallow)

    assert len(search.findings) == 1
    assert [line.partition(": ")[2] for line in search.skipped] == ["it is nested too deeply"]


def test_what_is_told_does_not_name_a_plaintext(kms: KMSMock, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / PLAIN.decode())

    search = kms.secrets.find_in(tmp_path)

    assert search.skipped == (
        "a place with a plaintext in its name was not searched: it is a named pipe",
    )
