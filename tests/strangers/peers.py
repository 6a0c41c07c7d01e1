"""What other tools say about a case: qemu-img, libvhdi, dissect.hypervisor, 7-Zip.

Each runs in a child process with a time limit.  A tool that is not installed is reported as absent.
"""

from __future__ import annotations

import enum
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from .cases import Case
from .compare import Difference, compare
from .model import GIB, MIB, Span
from .truth import Truth

CHILD = Path(__file__).with_name("peer_child.py")
STREAM_LIMIT = 9 * GIB
"""Peers that deliver the whole disk as a stream are not asked about larger ones."""


class Answer(enum.Enum):
    """What a peer did."""

    ABSENT = "absent"
    TOO_LARGE = "too large to ask"
    REFUSED = "refused"
    TIMEOUT = "timeout"
    RIGHT = "right"
    WRONG = "wrong"
    SHORT = "short"
    """True as far as it goes, but not all of it."""


@dataclass(frozen=True)
class Verdict:
    """A peer's answer; ``flagged`` means it complained in words or by its exit code."""

    peer: str
    answer: Answer
    wrong: int = 0
    wrong_outside_lost: int = 0
    missing: int = 0
    flagged: bool = False
    message: str = ""

    def __str__(self) -> str:
        extra = f" {self.wrong} bytes" if self.answer is Answer.WRONG else ""
        return f"{self.peer}: {self.answer.value}{extra}{', flagged' if self.flagged else ''}"


@dataclass(frozen=True)
class Question:
    """A disk to be read: its files (leaf first), the truth, the ranges a case declares lost."""

    format: str
    paths: tuple[Path, ...]
    truth: Truth
    lost: tuple[Span, ...] = ()

    @classmethod
    def of(cls, case: Case) -> Question:
        """The question a case poses; missing parents are left out."""
        below = tuple(path for path in case.image.paths[1:] if path.exists())
        return cls(case.format, (case.leaf, *below), case.truth, case.expect.lost)


Run = subprocess.CompletedProcess[bytes]


def _run(arguments: list[str], seconds: float, stdin: str = "") -> Run | None:
    try:
        text = stdin.encode()
        return subprocess.run(arguments, input=text, capture_output=True, timeout=seconds, check=False)
    except subprocess.TimeoutExpired:
        return None


def _last_line(run: Run) -> str:
    text = (run.stderr or run.stdout).decode(errors="replace").strip()
    return text.splitlines()[-1][:200] if text else ""


def _verdict(peer: str, found: Difference, flagged: bool, message: str) -> Verdict:
    answer = Answer.SHORT if found.missing else Answer.RIGHT
    if found.wrong or found.parent_shown:
        answer = Answer.WRONG
    words = message or found.first
    return Verdict(peer, answer, found.wrong, found.wrong_outside_lost, found.missing, flagged, words)


def _judge(question: Question, peer: str, raw: Path, flagged: bool, message: str, packed: bool) -> Verdict:
    """Compare a raw file; ``packed`` means it holds only the ranges, one behind the other."""
    ranges = question.truth.ranges()
    starts: list[tuple[Span, int]] = []
    position = 0
    for span in ranges:
        starts.append((span, position))
        position += span.size
    with raw.open("rb") as stream:

        def read(offset: int, size: int) -> bytes:
            at = offset
            if packed:
                span, start = next((s, p) for s, p in starts if s.offset <= offset < s.end)
                at = start + offset - span.offset
            stream.seek(at)
            return stream.read(size)

        found = compare(question.truth, read, lost=question.lost, ranges=ranges)
    return _verdict(peer, found, flagged, message)


def qemu(question: Question, scratch: Path, seconds: float, *, repair: bool = False) -> Verdict:
    """``qemu-img check`` and ``convert``; with ``repair`` on a copy after ``check -r all``."""
    peer = "qemu-img -r all" if repair else "qemu-img"
    tool = shutil.which("qemu-img")
    if tool is None:
        return Verdict(peer, Answer.ABSENT)
    if question.truth.virtual_size > STREAM_LIMIT:
        return Verdict(peer, Answer.TOO_LARGE)
    name = "vhdx" if question.format == "vhdx" else "vpc"
    source = question.paths[0]
    if repair:
        source = scratch / "copy"
        subprocess.run(["cp", "--sparse=always", str(question.paths[0]), str(source)], check=True)
    options = ["-r", "all"] if repair else []
    checked = _run([tool, "check", *options, "-f", name, str(source)], seconds)
    raw = scratch / "raw"
    converted = _run([tool, "convert", "-f", name, "-O", "raw", str(source), str(raw)], seconds)
    if checked is None or converted is None:
        return Verdict(peer, Answer.TIMEOUT)
    flagged = checked.returncode not in (0, 63)  # 63: this format has no check
    if converted.returncode:
        return Verdict(peer, Answer.REFUSED, flagged=True, message=_last_line(converted))
    return _judge(question, peer, raw, flagged, _last_line(checked) if flagged else "", packed=False)


def seven_zip(question: Question, scratch: Path, seconds: float) -> Verdict:
    """``7z x`` to standard output; it reads parents in the same directory."""
    tool = shutil.which("7zz") or shutil.which("7z")
    if tool is None:
        return Verdict("7-zip", Answer.ABSENT)
    if question.truth.virtual_size > 128 * MIB:
        return Verdict("7-zip", Answer.TOO_LARGE)
    run = _run([tool, "x", "-so", str(question.paths[0])], seconds)
    if run is None:
        return Verdict("7-zip", Answer.TIMEOUT)
    flagged = run.returncode != 0 or b"ERROR" in run.stderr or b"WARNING" in run.stderr.upper()
    if not run.stdout:
        return Verdict("7-zip", Answer.REFUSED, flagged=flagged, message=_last_line(run))
    raw = scratch / "raw"
    raw.write_bytes(run.stdout)
    return _judge(question, "7-zip", raw, flagged, _last_line(run) if flagged else "", packed=False)


def _library(peer: str, library: str, question: Question, scratch: Path, seconds: float) -> Verdict:
    raw = scratch / "raw"
    ranges = "".join(f"{span.offset} {span.size}\n" for span in question.truth.ranges())
    paths = [str(path) for path in question.paths]
    run = _run([sys.executable, str(CHILD), library, str(raw), *paths], seconds, ranges)
    if run is None:
        return Verdict(peer, Answer.TIMEOUT)
    if run.returncode == 3:
        return Verdict(peer, Answer.ABSENT)
    if run.returncode and (not raw.exists() or raw.stat().st_size == 0):
        return Verdict(peer, Answer.REFUSED, flagged=True, message=_last_line(run))
    message = _last_line(run) if run.returncode else ""
    return _judge(question, peer, raw, run.returncode != 0, message, packed=True)


def libvhdi(question: Question, scratch: Path, seconds: float) -> Verdict:
    """libvhdi through its Python binding."""
    return _library("libvhdi", "vhdi", question, scratch, seconds)


def dissect(question: Question, scratch: Path, seconds: float) -> Verdict:
    """dissect.hypervisor, aligned reads."""
    return _library("dissect", "dissect", question, scratch, seconds)


def repair(question: Question, scratch: Path, seconds: float) -> Verdict:
    """qemu-img check -r all on a copy, then convert."""
    return qemu(question, scratch, seconds, repair=True)


Peer = Callable[[Question, Path, float], Verdict]
PEERS: tuple[Peer, ...] = (qemu, repair, libvhdi, dissect, seven_zip)


def ask(peer: Peer, question: Question, *, seconds: float = 30.0) -> Verdict:
    """One peer about one disk."""
    with tempfile.TemporaryDirectory(prefix="peer") as scratch:
        return peer(question, Path(scratch), seconds)


def ask_all(case: Case, *, seconds: float = 30.0) -> tuple[Verdict, ...]:
    """All peers about one case."""
    return tuple(ask(peer, Question.of(case), seconds=seconds) for peer in PEERS)
