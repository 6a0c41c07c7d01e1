"""Law 1: reading never writes. Law 6: a dying disk is not worked to death."""

from __future__ import annotations

import errno
import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from hvrescue.byteio.file import FileSource, open_file
from hvrescue.core.errors import Unreadable
from hvrescue.core.limits import DEFAULT_LIMITS
from tests.hostile.cli import forked, hv, tidy
from tests.hostile.deep import guid, linked, write_tiny
from tests.laws.scene import Scene, build, fingerprint

if sys.platform == "win32":
    pytest.skip("users of Unix", allow_module_level=True)

_HOOK: list[list[tuple[str, int]]] = []


def _audit(event: str, args: tuple[object, ...]) -> None:
    if _HOOK and event == "open" and isinstance(args[0], str | os.PathLike) and isinstance(args[2], int):
        _HOOK[-1].append((os.fspath(args[0]), args[2]))
    elif _HOOK and event in ("os.rename", "os.remove", "os.truncate", "os.utime", "os.chmod", "os.mkdir", "os.link"):
        _HOOK[-1].append((str(args[0]), os.O_RDWR))


sys.addaudithook(_audit)


@contextmanager
def opens() -> Iterator[list[tuple[str, int]]]:
    """Every file opened meanwhile, with its flags."""
    seen: list[tuple[str, int]] = []
    _HOOK.append(seen)
    try:
        yield seen
    finally:
        _HOOK.remove(seen)


def verbs(scene: Scene, out: Path) -> list[list[str]]:
    words = [["diagnose", str(scene.root)], ["diagnose", "--json", str(scene.root), "--map", f"D:={scene.root}"]]
    for name, path in scene.files.items():
        words += [["disk", verb, str(path)] for verb in ("info", "check", "chain", "map")]
        words += [["disk", "cat", "--length", "4096", str(path)]]
        for suffix in ("raw", "vhdx"):
            holes = ["--allow-damaged", "--hole-map", str(out / f"{name}.{suffix}.json")]
            words += [["disk", "convert", *holes, str(path), str(out / f"{name}.{suffix}")]]
        words += [["diagnose", str(path)]]
    return words


def test_no_verb_changes_a_source(scene: Scene, tmp_path: Path) -> None:
    before = fingerprint(scene.root)
    changing = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
    for words in verbs(scene, tmp_path):
        with opens() as seen:
            hv(*words)
        touched = [(path, flags) for path, flags in seen if path.startswith(str(scene.root)) and flags & changing]
        assert not touched, words
    assert fingerprint(scene.root) == before
    assert any(tmp_path.iterdir())


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root, to become somebody else")
def test_where_nobody_may_write() -> None:
    """Read-only files in a read-only folder, as somebody without rights: all is read all the same."""
    with tempfile.TemporaryDirectory() as name:
        home = Path(name)
        scene = build(home)
        for words in (["diagnose"], ["disk", "check"]):
            hv(*words, scene.healthy)  # imports what is imported late
        for path in [home, *home.rglob("*")]:
            if not path.is_symlink():
                path.chmod(0o555 if path.is_dir() else 0o444)
        before = fingerprint(home)
        ran = tidy(forked("diagnose", "--json", home, user=65534))
        assert ran.code == 1 and len(ran.data["disks"]) == 9
        assert tidy(forked("disk", "check", scene.pending, user=65534)).code == 0
        ran = tidy(forked("disk", "convert", scene.healthy, home / "new.raw", user=65534))
        assert ran.code == 5
        assert fingerprint(home) == before
        for path in [home, *home.rglob("*")]:
            if path.is_dir():
                path.chmod(0o755)


class Dying:
    """Counts what is asked of a medium, which gives nothing from ``good`` on."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, path: Path, good: int = 0) -> None:
        self.reads = self.failed = 0
        true_read = FileSource._read_some

        def read(source: FileSource, offset: int, buf: memoryview) -> int:
            if source.path == path:
                self.reads += 1
                if offset + len(buf) > good:
                    self.failed += 1
                    raise OSError(errno.EIO, "Input/output error")
            return true_read(source, offset, buf)

        monkeypatch.setattr(FileSource, "_read_some", read)


def test_three_errors_and_no_more(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write_tiny(tmp_path / "a.vhdx", guid(1))
    dying = Dying(monkeypatch, path)
    with open_file(path) as source:
        codes = []
        for offset in range(0, 10 * 512, 512):
            with pytest.raises(Unreadable) as told:
                source.pread(offset, 512)
            codes.append(told.value.finding.code)
        assert codes == ["SRC-004"] * 3 + ["SRC-009"] * 7
    assert dying.reads == DEFAULT_LIMITS.read_errors


@pytest.mark.parametrize("good", [0, 65536, 0x40000, 1 << 20, (1 << 21) + 65536])
@pytest.mark.parametrize(
    "words", [["disk", "check"], ["disk", "info"], ["disk", "chain"], ["disk", "map"], ["disk", "cat"], ["diagnose"]]
)
def test_no_verb_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: list[str], good: int) -> None:
    path = write_tiny(tmp_path / "a.vhdx", guid(1))
    dying = Dying(monkeypatch, path, good)
    ran = hv(*words, path)
    # The table's last part is not needed to read this disk; whoever only reads is not told about it.
    assert ran.code in (1, 3) or (words[1:] == ["cat"] and good > 2 << 20)
    assert 0 < dying.failed <= DEFAULT_LIMITS.read_errors


def test_not_for_the_sake_of_children(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Twenty children want the same dying parent."""
    path = write_tiny(tmp_path / "base.vhdx", guid(1))
    for n in range(20):
        write_tiny(tmp_path / f"{n}.avhdx", guid(n + 2), linked(guid(1), "base.vhdx"))
    dying = Dying(monkeypatch, path)
    ran = tidy(hv("diagnose", "--json", tmp_path))
    assert ran.data["complete"] is False
    assert 0 < dying.failed <= DEFAULT_LIMITS.read_errors


def test_metadata_only(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A survey does not read the payload of a large disk."""
    from hvrescue.lab.guests import write_base

    path = tmp_path / "a.vhdx"
    write_base(path, "large", 1 << 30, tuple(range(0, 500, 2)))
    read = 0
    true_read = FileSource._read_some

    def count(source: FileSource, offset: int, buf: memoryview) -> int:
        nonlocal read
        got = true_read(source, offset, buf)
        read += got
        return got

    monkeypatch.setattr(FileSource, "_read_some", count)
    assert hv("diagnose", path).code in (0, 3)
    assert read < 8 << 20 < path.stat().st_size
