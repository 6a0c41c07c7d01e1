"""What each tool says of one disk whose truth is known, told in the same words."""

from __future__ import annotations

import importlib.metadata
import shutil
import subprocess
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

import hvrescue
from hvrescue.app.looking import look_at
from hvrescue.byteio.extents import State
from hvrescue.core.context import QUIET
from hvrescue.core.errors import RescueError
from hvrescue.images.chain import open_chain
from hvrescue.images.disk import VirtualDisk
from tests.matrix.judge import judge
from tests.strangers.cases import Case
from tests.strangers.compare import Difference, compare
from tests.strangers.model import Span
from tests.strangers.peers import Answer as PeerAnswer
from tests.strangers.peers import Question, ask, dissect, libvhdi, qemu, seven_zip

OURS = "hvrescue"
PEERS = {"qemu-img": qemu, "libvhdi": libvhdi, "dissect": dissect, "7-Zip": seven_zip}
_SECONDS = 60.0


class Kind(StrEnum):
    """What came back; ``SHORT`` is right as far as it goes. The worst first."""

    WRONG = "WRONG"
    SHORT = "short"
    REFUSED = "refused"
    RIGHT = "right"
    NOT_ASKED = "not asked"


@dataclass(frozen=True, slots=True)
class Answer:
    """``flagged``: the tool complained. Bytes: right, wrong and refused; a peer's right bytes are not counted."""

    kind: Kind
    flagged: bool = False
    wrong: int = 0
    wrong_outside_lost: int = 0
    right: int = 0
    refused: int = 0
    located: bool = False

    @property
    def complained(self) -> bool:
        """Whether its user learns that something is not as it should be."""
        return self.flagged or self.kind is Kind.REFUSED

    @property
    def silent(self) -> bool:
        """Whether it gave wrong bytes, or fewer than there are, and said nothing."""
        return self.kind in (Kind.WRONG, Kind.SHORT) and not self.flagged


NOT_ASKED = Answer(Kind.NOT_ASKED)
Tool = Callable[[Case], Answer]


def ours(case: Case) -> Answer:
    """``disk check``, then every byte that ``--allow-damaged`` gives."""
    judged = judge(case)
    ranges = case.truth.ranges()
    asked = sum(span.size for span in ranges)
    try:
        disk = open_chain(look_at(case.leaf, {}, QUIET).chain, allow_damaged=True)
    except RescueError:
        return Answer(Kind.REFUSED, judged.detected, refused=asked, located=judged.located)
    known = tuple(_known(disk, ranges))
    found = compare(case.truth, disk.pread, lost=case.expect.lost, ranges=known)
    right = sum(span.size for span in known) - found.wrong
    wrong = found.wrong + found.parent_shown
    refused = asked - sum(span.size for span in known)
    kind = Kind.WRONG if wrong else Kind.REFUSED if refused and not right else Kind.SHORT if refused else Kind.RIGHT
    return Answer(kind, judged.detected, wrong, _outside(found), right, refused, judged.located)


def _outside(found: Difference) -> int:
    return found.wrong_outside_lost + found.parent_shown


def _known(disk: VirtualDisk, ranges: tuple[Span, ...]) -> list[Span]:
    spans = []
    for span in ranges:
        end = min(span.end, disk.size)
        if end > span.offset:
            runs = disk.runs(span.offset, end - span.offset)
            spans += [Span(run.start, run.length) for run in runs if run.state != State.UNKNOWN]
    return spans


_KINDS = {
    PeerAnswer.REFUSED: Kind.REFUSED,
    PeerAnswer.RIGHT: Kind.RIGHT,
    PeerAnswer.WRONG: Kind.WRONG,
    PeerAnswer.SHORT: Kind.SHORT,
    PeerAnswer.TIMEOUT: Kind.REFUSED,
}


def peer(name: str) -> Tool:
    """A peer as a tool like ours. Running into the time limit counts as refusing."""

    def tool(case: Case) -> Answer:
        verdict = ask(PEERS[name], Question.of(case), seconds=_SECONDS)
        kind = _KINDS.get(verdict.answer)
        if kind is None:
            return NOT_ASKED
        return Answer(kind, verdict.flagged, verdict.wrong, verdict.wrong_outside_lost, refused=verdict.missing)

    return tool


def tools(peers: bool) -> dict[str, Tool]:
    """Ours, and the peers if they are wanted."""
    return {OURS: ours, **({name: peer(name) for name in PEERS} if peers else {})}


def version(tool: str) -> str:
    """A tool's name with its version."""
    if tool == OURS:
        return f"{tool} {hvrescue.__version__}"
    if tool in ("libvhdi", "dissect"):
        package = {"libvhdi": "libvhdi-python", "dissect": "dissect.hypervisor"}[tool]
        try:
            return f"{package} {importlib.metadata.version(package)}"
        except importlib.metadata.PackageNotFoundError:
            return f"{tool} (not installed)"
    program = shutil.which("qemu-img") if tool == "qemu-img" else shutil.which("7zz") or shutil.which("7z")
    if program is None:
        return f"{tool} (not installed)"
    said = subprocess.run([program, "--version" if tool == "qemu-img" else "i"], capture_output=True, text=True)  # noqa: PLW1510
    first = next(line for line in said.stdout.splitlines() if line.strip())
    words = first.replace("(", " ").replace(":", " ").split()
    return f"{tool} {next((word for word in words if word[:1].isdigit() and '.' in word), '?')}"


def scratch() -> tempfile.TemporaryDirectory[str]:
    """Where the cases are built: in memory where there is such a place."""
    memory = Path("/dev/shm")  # noqa: S108
    return tempfile.TemporaryDirectory(prefix="matrix", dir=memory if memory.is_dir() else None)
