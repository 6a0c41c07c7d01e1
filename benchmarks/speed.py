"""How fast hvrescue is beside what it is measured against: whole processes in turn, medians and ratios.

    python -m benchmarks.speed [--only a,b,c,d] [--runs N] [--dir FOLDER]

from the project's folder, or ``scripts/bench speed``. Nothing is asserted: a figure is printed beside what is asked
of it. Trust ratios, not seconds. Needs about 9 GiB in FOLDER for a while; by default that is memory (``/dev/shm``),
because on a disk the write-back of earlier runs is measured with each.
"""

from __future__ import annotations

import argparse
import filecmp
import platform
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from benchmarks.runs import NOISY, Command, Failed, Pair, Run, in_turn, median, memory, once, seconds

_GIB = 1 << 30
_TIB = 1 << 40
_SHORT = 3
"""Processes of a fraction of a second run this many times more often."""


class Skipped(Exception):
    """Why a figure was not measured."""


@dataclass(frozen=True, slots=True)
class Figure:
    """One line of the result. ``of``: what is compared."""

    name: str
    asked: float
    pair: Pair
    of: Callable[[Run], float]
    ours: str
    theirs: str

    def lines(self) -> Iterator[str]:
        """For a person."""
        ratio, low, high = self.pair.ratio(self.of)
        verdict = "met" if ratio <= self.asked else "NOT MET"
        yield f"{self.name}: {ratio:.2f} x, asked {self.asked:g} x or less: {verdict}"
        yield f"  side by side {low:.2f} .. {high:.2f} x, {len(self.pair.ours)} runs each"
        for who, runs, command in (("ours", self.pair.ours, self.ours), ("than", self.pair.theirs, self.theirs)):
            kib = median(runs, memory) / 1024
            yield f"  {who} {median(runs, seconds):7.3f} s {kib:6.0f} MiB  {command}"
        if self.pair.noise > NOISY:
            yield f"  the machine was not quiet: the baseline's own runs differ {self.pair.noise:.1f}-fold"


def hvrescue(*argv: str) -> tuple[str, ...]:
    """The installed program beside this Python."""
    program = Path(sys.executable).with_name("hvrescue")
    if not program.exists():
        raise Skipped("hvrescue is not installed beside this Python")
    return (str(program), *argv)


def qemu(*argv: str) -> tuple[str, ...]:
    """The baseline of most figures."""
    if shutil.which("qemu-img") is None:
        raise Skipped("qemu-img is not installed")
    return ("qemu-img", *argv)


@contextmanager
def made(kind: str, folder: Path, needed: int, suffix: str = ".vhdx") -> Iterator[Path]:
    """A test file, removed afterwards."""
    free = shutil.disk_usage(folder).free
    if free < needed:
        raise Skipped(f"{needed / _GIB:.0f} GiB are needed in {folder}, {free / _GIB:.1f} are free")
    path = folder / (kind + suffix)
    maker = [sys.executable, "-m", "benchmarks.big_files", kind, str(path)]
    try:
        done = subprocess.run(maker, check=False, capture_output=True, text=True)
        if done.returncode:
            raise Failed(f"{kind} could not be made: {done.stderr.strip()[-300:]}")
        yield path
    finally:
        path.unlink(missing_ok=True)


def a(folder: Path, runs: int) -> Iterator[Figure]:
    """Checking a big disk costs about as much as starting Python with what it needs."""
    with made("table-8t", folder, _GIB) as path:
        ours = Command(hvrescue("disk", "check", "--quiet", str(path)))
        theirs = Command((sys.executable, "-c", "import click, numpy, google_crc32c"))
        pair = in_turn(ours, theirs, _SHORT * runs)
        yield Figure("a  check, 8 TiB VHDX, 4 MiB blocks, full", 2, pair, seconds, *_words(ours, theirs, path))


def b(folder: Path, runs: int) -> Iterator[Figure]:
    """The largest table there can be."""
    _needs_large_files(folder)
    with made("table-64t", folder, 2 * _GIB) as path:
        ours = Command(hvrescue("disk", "check", "--quiet", str(path)))
        theirs = Command(qemu("check", "-f", "vhdx", str(path)))
        pair = in_turn(ours, theirs, runs)
        words = _words(ours, theirs, path)
        yield Figure("b  check, 64 TiB VHDX, 1 MiB blocks, full: time", 2, pair, seconds, *words)
        yield Figure("b  check, 64 TiB VHDX, 1 MiB blocks, full: memory", 0.4, pair, memory, *words)


def _needs_large_files(folder: Path) -> None:
    probe = folder / "large"
    try:
        with probe.open("wb") as file:
            file.truncate(65 * _TIB)
    except OSError as error:
        raise Skipped(f"{folder} takes no file of 65 TiB ({error.strerror}): name a tmpfs with --dir") from error
    finally:
        probe.unlink(missing_ok=True)


def c(folder: Path, runs: int) -> Iterator[Figure]:
    """Copying out."""
    for kind, format, asked in (("vhdx", "vhdx", 0.5), ("vhd", "vpc", 0.6)):
        with made(kind, folder, 9 * _GIB, f".{kind}") as path:
            targets = folder / "ours.raw", folder / "theirs.raw"
            ours = Command(hvrescue("disk", "convert", "--quiet", str(path), str(targets[0])), targets[0])
            theirs = Command(qemu("convert", "-f", format, "-O", "raw", str(path), str(targets[1])), targets[1])
            same = _same(ours, theirs)
            pair = in_turn(ours, theirs, runs)
            name = f"c  convert to raw, 2 GiB in a {kind.upper()}" + ("" if same else ": THE TARGETS DIFFER")
            yield Figure(name, asked, pair, seconds, *_words(ours, theirs, path))


def _same(ours: Command, theirs: Command) -> bool:
    """Whether both write the same bytes; a fast copy that differs is no figure."""
    for command in (ours, theirs):
        once(command)
    assert ours.writes is not None and theirs.writes is not None
    same = filecmp.cmp(ours.writes, theirs.writes, shallow=False)
    for command in (ours, theirs):
        command.clean()
    return same


_HELLO = '''
import click


@click.command()
@click.option("--name", default="world", help="Whom to greet.")
def cli(name):
    """Say hello."""
    click.echo(f"hello {name}")


def main():
    cli()
'''


def d(folder: Path, runs: int) -> Iterator[Figure]:
    """Starting."""
    installed = Path(hvrescue()[0])
    (folder / "hello_click.py").write_text(_HELLO, encoding="utf-8")
    hello = folder / "hello"
    hello.write_text(
        installed.read_text(encoding="utf-8").replace("hvrescue.cli.entry", "hello_click"), encoding="utf-8"
    )
    hello.chmod(0o755)
    ours, theirs = Command((str(installed), "--help")), Command((str(hello), "--help"))
    pair = in_turn(ours, theirs, _SHORT * runs)
    yield Figure(
        "d  --help, beside a click program of one command", 1.3, pair, seconds, *_words(ours, theirs, folder)
    )


def _words(ours: Command, theirs: Command, path: Path) -> tuple[str, str]:
    """Commands without the folders of this machine."""
    folders = {f"{path.parent}/", f"{path}/", f"{Path(sys.executable).parent}/"}
    words = [str(ours), str(theirs)]
    for folder in sorted(folders, key=len, reverse=True):
        words = [text.replace(folder, "") for text in words]
    return words[0], words[1]


FIGURES = {"a": a, "b": b, "c": c, "d": d}


def main(argv: list[str]) -> int:
    """Measure and print. Exit 1 when a command failed, never for a slow one."""
    parser = argparse.ArgumentParser(prog="speed", description="Ratios of whole processes.")
    parser.add_argument("--only", default="a,b,c,d", metavar="a,b,c,d", help="these figures")
    parser.add_argument("--runs", type=int, default=7, metavar="N", help="runs of each side [7]")
    parser.add_argument(
        "--dir", type=Path, default=None, metavar="FOLDER", help="where the test files go for a while"
    )
    wish = parser.parse_args(argv)
    names = wish.only.split(",")
    if unknown := set(names) - FIGURES.keys():
        parser.error(f"no such figure: {', '.join(sorted(unknown))}")
    memory_folder = Path("/dev/shm")  # noqa: S108
    above = wish.dir or (memory_folder if memory_folder.is_dir() else None)
    print(
        f"Python {platform.python_version()}, {platform.system()} {platform.machine()}; {_qemu_version()}", flush=True
    )
    code = 0
    for name in names:
        with tempfile.TemporaryDirectory(prefix="speed", dir=above) as folder:
            try:
                for figure in FIGURES[name](Path(folder), max(1, wish.runs)):
                    print("\n".join(figure.lines()), flush=True)
            except Skipped as reason:
                print(f"{name}  skipped: {reason}", flush=True)
            except Failed as reason:
                print(f"{name}  FAILED: {reason}", flush=True)
                code = 1
    return code


def _qemu_version() -> str:
    if shutil.which("qemu-img") is None:
        return "no qemu-img"
    said = subprocess.run(["qemu-img", "--version"], check=True, capture_output=True, text=True).stdout
    return said.splitlines()[0]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
