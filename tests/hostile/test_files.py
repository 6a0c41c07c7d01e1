"""What lies in a folder besides disks: links, pipes, sockets, devices, nothing at all, files that go away."""

from __future__ import annotations

import os
import socket
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest

from hvrescue.byteio.file import FileSource, open_file
from hvrescue.core.context import QUIET
from hvrescue.core.errors import Unreadable
from hvrescue.diagnosis.storage import examine
from hvrescue.sources.folder import Folder
from tests.hostile.cli import Ran, forked, hv, tidy
from tests.hostile.deep import guid, linked, write_tiny

if sys.platform == "win32":
    pytest.skip("files and calls of Unix", allow_module_level=True)

VERBS = ("info", "check", "chain", "map")
ROOT_ONLY = pytest.mark.skipif(os.geteuid() != 0, reason="needs root, to become somebody else")


def pipe(path: Path) -> None:
    os.mkfifo(path)


def listener(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as made:
        here = Path.cwd()
        os.chdir(path.parent)  # socket names are short
        try:
            made.bind(path.name)
        finally:
            os.chdir(here)


def device(path: Path) -> None:
    path.symlink_to("/dev/null")


def folder(path: Path) -> None:
    path.mkdir()


def loop(path: Path) -> None:
    path.symlink_to(path.name)


def dangling(path: Path) -> None:
    path.symlink_to("nowhere")


def nothing(path: Path) -> None:
    del path


ODD = {"pipe": pipe, "socket": listener, "null": device, "folder": folder, "loop": loop, "dangling": dangling,
       "missing": nothing}  # fmt: skip


@pytest.mark.parametrize("kind", ODD)
def test_named_on_the_command_line(tmp_path: Path, kind: str) -> None:
    """One clear card, exit 3, and it does not wait for a writer."""
    path = tmp_path / "a.vhdx"
    ODD[kind](path)
    for verb in VERBS:
        ran = tidy(hv("disk", verb, path))
        assert (ran.code, ran.out) == (3, ""), verb
        assert "SRC-" in ran.err
        ran = tidy(hv("disk", verb, "--json", path))
        assert ran.code == 3
        assert ran.data["schema"] == "hvrescue/error/1"
        assert ran.data["complete"] is False
    assert tidy(hv("disk", "cat", path)).code == 3
    assert tidy(hv("disk", "convert", path, tmp_path / "out.raw")).code == 3
    assert not (tmp_path / "out.raw").exists()


@pytest.mark.parametrize("kind", ODD)
def test_the_run_goes_on(tmp_path: Path, kind: str) -> None:
    """A neighbour of a whole disk: noted where it could have been one, and the disk is still found."""
    write_tiny(tmp_path / "good.vhdx", guid(1))
    ODD[kind](tmp_path / "a.vhdx")
    data = tidy(hv("diagnose", "--json", tmp_path)).data
    assert [(Path(d["path"]).name, d["verdict"]) for d in data["disks"]] == [("good.vhdx", "healthy")]
    assert data["complete"] is False
    noted = any(note["where"]["path"] == str(tmp_path / "a.vhdx") for note in data["not_looked"])
    assert noted == (kind not in ("missing", "folder"))


@pytest.mark.parametrize("kind", ["pipe", "socket", "null", "loop", "dangling", "missing"])
def test_as_a_source(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "source"
    ODD[kind](path)
    assert tidy(hv("diagnose", path)).code == 3
    assert tidy(hv("diagnose", "--json", path)).data["complete"] is False


@pytest.mark.parametrize(
    ("size", "codes"), [(0, {"IMG-006"}), (1, {"IMG-005"}), (511, {"IMG-001"}), (1 << 20, {"IMG-001"})]
)
def test_hardly_a_file(tmp_path: Path, size: int, codes: set[str]) -> None:
    path = tmp_path / "a.vhdx"
    path.write_bytes(b"x"[: size % 2 * (size < 2)].ljust(size, b"\0"))
    ran = tidy(hv("disk", "check", "--json", path))
    assert ran.code == 1
    assert {f["code"] for f in ran.data["findings"]} == codes
    write_tiny(tmp_path / "good.vhdx", guid(1))
    data = tidy(hv("diagnose", "--json", tmp_path)).data
    assert {Path(d["path"]).name for d in data["disks"]} == {"a.vhdx", "good.vhdx"}
    assert tidy(hv("disk", "cat", path)).code == 3


class TestLinks:
    """Symlinks are noted, and never lead out of a source."""

    @pytest.fixture
    def outside(self, tmp_path: Path) -> Path:
        folder = tmp_path / "outside"
        folder.mkdir()
        write_tiny(folder / "secret.vhdx", guid(7))
        return folder

    @pytest.fixture
    def host(self, tmp_path: Path) -> Path:
        folder = tmp_path / "host"
        folder.mkdir()
        return folder

    def test_never_walked(self, host: Path, outside: Path) -> None:
        (host / "dir").symlink_to(outside)
        (host / "file.vhdx").symlink_to(outside / "secret.vhdx")
        (host / "self").symlink_to(host)
        data = tidy(hv("diagnose", "--json", host)).data
        assert data["disks"] == []
        noted = {n["where"]["path"] for n in data["not_looked"] if n["code"] == "SRC-012"}
        assert noted == {str(host / name) for name in ("dir", "file.vhdx", "self")}

    @pytest.mark.parametrize(
        "recorded",
        [
            "..\\outside\\secret.vhdx",
            "dir\\secret.vhdx",
            "file.vhdx",
            "D:\\dir\\secret.vhdx",
            "D:\\..\\outside\\secret.vhdx",
            "\\\\?\\Volume{11111111-1111-1111-1111-111111111111}\\dir\\secret.vhdx",
            "\\\\?\\D:\\dir\\..\\..\\outside\\secret.vhdx",
            "self\\..\\..\\outside\\secret.vhdx",
            "{absolute}",
        ],
    )
    def test_never_followed_to_a_parent(self, host: Path, outside: Path, recorded: str) -> None:
        """The parent a child names lies outside, behind a link or above the source: it stays unread."""
        (host / "dir").symlink_to(outside)
        (host / "file.vhdx").symlink_to(outside / "secret.vhdx")
        (host / "self").symlink_to(host)
        recorded = recorded.replace("{absolute}", str(outside / "secret.vhdx").replace("/", "\\"))
        pairs = {"parent_linkage": f"{{{guid(7)}}}", "relative_path": recorded}
        write_tiny(host / "child.avhdx", guid(8), pairs)
        data = tidy(hv("diagnose", "--json", host)).data
        (disk,) = data["disks"]
        assert disk["parent"] is None and disk["orphan"]
        assert "CHAIN-001" in disk["findings"]

    def test_outside_is_not_even_listed(self, host: Path, outside: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """A recorded path that climbs: no folder above the source is searched."""
        seen: list[Path] = []
        true_scan, true_lstat = os.scandir, os.path.lexists

        def scan(path: Path) -> object:
            seen.append(Path(path))
            return true_scan(path)

        def lexists(path: Path) -> bool:
            seen.append(Path(path))
            return true_lstat(path)

        monkeypatch.setattr("hvrescue.sources.folder.os.scandir", scan)
        monkeypatch.setattr("hvrescue.sources.folder.os.path.lexists", lexists)
        source = Folder(host)
        for path in ("..\\outside\\secret.vhdx", "..\\..\\..\\..\\etc\\PASSWD", "D:\\..\\OUTSIDE\\secret.vhdx"):
            assert source.find(path, str(host / "child.avhdx")) is None
        assert all(path.is_relative_to(host) for path in seen), seen

    def test_inside_they_may_be_followed_to_a_parent(self, host: Path) -> None:
        """A link that stays inside is what dead hosts keep their configurations by."""
        (host / "real").mkdir()
        write_tiny(host / "real" / "base.vhdx", guid(1))
        (host / "link").symlink_to(host / "real")
        write_tiny(host / "child.avhdx", guid(2), linked(guid(1), "link\\base.vhdx"))
        data = tidy(hv("diagnose", "--json", host)).data
        assert all(disk["verdict"] == "healthy" for disk in data["disks"]) and len(data["disks"]) == 2


def as_nobody(*words: str | Path) -> Ran:
    """Without any rights; the program itself is in memory already."""
    return tidy(forked(*words, user=65534))


@ROOT_ONLY
def test_no_permission() -> None:
    """As somebody who may read nothing: one card for a file, a note for each in a folder."""
    with tempfile.TemporaryDirectory() as name:
        home = Path(name)
        home.chmod(0o755)
        closed = write_tiny(home / "closed.vhdx", guid(1))
        closed.chmod(0)
        write_tiny(home / "open.vhdx", guid(2))
        (home / "shut").mkdir(mode=0)
        for words in (("disk", "check"), ("diagnose",)):  # whatever is imported late is imported now
            hv(*words, "--json", home / "open.vhdx")
        ran = as_nobody("disk", "check", "--json", closed)
        assert ran.code == 3, ran.err
        assert ran.data["finding"]["code"] == "SRC-002"
        assert as_nobody("disk", "check", "--json", home / "shut" / "a.vhdx").code == 3
        data = as_nobody("diagnose", "--json", home).data
        assert [Path(disk["path"]).name for disk in data["disks"]] == ["open.vhdx"]
        noted = {Path(n["where"]["path"]).name for n in data["not_looked"] if n["code"] == "SRC-002"}
        assert noted == {"closed.vhdx", "shut"}
        assert as_nobody("diagnose", "--json", home / "shut").code == 3


class TestGoingAway:
    """Files that change while they are looked at."""

    def test_vanished_between_walk_and_open(self, tmp_path: Path) -> None:
        gone = write_tiny(tmp_path / "gone.vhdx", guid(1))
        write_tiny(tmp_path / "here.vhdx", guid(2))
        source = Folder(tmp_path)
        assert len(source.entries()) == 2
        gone.unlink()
        storage = examine([source], QUIET)
        assert [Path(d.name).name for d in storage.disks] == ["here.vhdx"]
        assert [(n.reason, n.where.path) for n in storage.not_looked] == [("SRC-001", str(gone))]

    def test_vanished_folder(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        (tmp_path / "a").mkdir()
        write_tiny(tmp_path / "b.vhdx", guid(2))
        true_scan: Callable[..., object] = os.scandir

        def scan(path: Path) -> object:
            if Path(path).name == "a":
                raise FileNotFoundError(2, "gone")
            return true_scan(path)

        monkeypatch.setattr("hvrescue.sources.folder.os.scandir", scan)
        storage = examine([Folder(tmp_path)], QUIET)
        assert len(storage.disks) == 1 and [n.reason for n in storage.not_looked] == ["SRC-004"]

    def test_shrinks_while_read(self, tmp_path: Path) -> None:
        path = write_tiny(tmp_path / "a.vhdx", guid(1))
        with open_file(path) as source:
            os.truncate(path, 4096)
            assert source.pread(0, 4096)[:8] == b"vhdxfile"
            with pytest.raises(Unreadable) as told:
                source.pread(0, 8192)
            assert told.value.finding.code == "SRC-008"
            assert told.value.ranges == ((4096, 4096),)

    def test_replaced_while_closed(self, tmp_path: Path) -> None:
        """A handle given back is taken again only on the same file."""
        path = write_tiny(tmp_path / "a.vhdx", guid(1))
        source = open_file(path)
        source.close()
        assert source.pread(0, 8) == b"vhdxfile"
        source.close()
        path.unlink()
        write_tiny(path, guid(2))
        with pytest.raises(Unreadable) as told:
            source.pread(0, 8)
        assert told.value.finding.code == "SRC-008"
        source.close()

    def test_shrinks_during_a_survey(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """The first structure can still be read, the next is gone: told, and the run goes on."""
        path = write_tiny(tmp_path / "a.vhdx", guid(1))
        write_tiny(tmp_path / "b.vhdx", guid(2))
        true_read = FileSource.pread

        def read(self: FileSource, offset: int, size: int) -> bytes:
            if self.path == path and offset >= 1 << 20:
                os.truncate(path, 1 << 20)
            return true_read(self, offset, size)

        monkeypatch.setattr(FileSource, "pread", read)
        data = tidy(hv("diagnose", "--json", tmp_path)).data
        verdicts = {Path(disk["path"]).name: disk["verdict"] for disk in data["disks"]}
        assert verdicts["b.vhdx"] == "healthy"
        assert verdicts["a.vhdx"] in ("unreadable", "unknown", "damaged")
        assert any(note["code"] == "SRC-008" for note in data["not_looked"])
