"""Holds what hvrescue says of a stranger's case against what the stranger knows to be true."""

from __future__ import annotations

from dataclasses import dataclass

from hvrescue.app.check import all_findings
from hvrescue.app.looking import look_at
from hvrescue.byteio.extents import State
from hvrescue.core.context import QUIET
from hvrescue.core.errors import RescueError
from hvrescue.core.words import Finding, Severity, Verdict
from hvrescue.images.chain import open_chain
from tests.strangers.cases import Case
from tests.strangers.expect import Severity as Wanted

_STEP = 64 << 10


@dataclass(frozen=True)
class Judgement:
    """``wrong`` guest bytes were delivered although they differ from the truth; ``refused`` were not delivered."""

    verdict: Verdict
    findings: tuple[Finding, ...]
    detected: bool
    located: bool
    wrong: int
    wrong_silent: int
    right: int
    refused: int
    false_alarm: bool

    @property
    def codes(self) -> str:
        return ",".join(f"{f.code}/{f.severity.name[0]}" for f in self.findings)


def judge(case: Case) -> Judgement:
    """Check the case, read all of it that can be read, compare."""
    looked = look_at(case.leaf, {}, QUIET)
    findings = all_findings(looked)
    worst = max((f.severity for f in findings), default=None)
    detected = worst is not None and worst >= Severity.WARNING
    wrong, right, refused = _read(case)
    outside = _outside_lost(case, wrong)
    return Judgement(
        looked.chain.verdict,
        findings,
        detected,
        _located(case, findings),
        outside if detected else sum(size for _, size in wrong),
        0 if detected else sum(size for _, size in wrong),
        right,
        refused,
        case.healthy and detected,
    )


def _read(case: Case) -> tuple[list[tuple[int, int]], int, int]:
    """Wrong ranges, right bytes, refused bytes over what is worth reading."""
    truth = case.truth
    wrong: list[tuple[int, int]] = []
    right = refused = 0
    looked = look_at(case.leaf, {}, QUIET)
    try:
        disk = open_chain(looked.chain, allow_damaged=True)
    except RescueError:
        return [], 0, sum(span.size for span in truth.interesting())
    undefined = truth.undefined
    for span in truth.interesting():
        end = min(span.end, disk.size)
        refused += span.end - max(end, span.offset)
        for run in disk.runs(span.offset, max(0, end - span.offset)) if end > span.offset else ():
            if run.state == State.UNKNOWN:
                refused += run.length
                continue
            for at in range(run.start, run.end, _STEP):
                size = min(_STEP, run.end - at)
                ours, theirs = disk.pread(at, size), truth(at, size)
                if ours == theirs:
                    right += size
                    continue
                wrong += [
                    (at + sector, 512)
                    for sector in range(0, size, 512)
                    if ours[sector : sector + 512] != theirs[sector : sector + 512]
                    and not any(u.offset <= at + sector < u.end for u in undefined)
                ]
    return wrong, right, refused


def _outside_lost(case: Case, wrong: list[tuple[int, int]]) -> int:
    lost = case.expect.lost
    return sum(size for at, size in wrong if not any(s.offset <= at < s.end for s in lost))


def _located(case: Case, findings: tuple[Finding, ...]) -> bool:
    """Whether any finding of weight points into a place that was damaged."""
    for finding in findings:
        if finding.severity < Severity.WARNING:
            continue
        for where in finding.where:
            for mark in case.expect.where:
                same = where.path == str(mark.file)
                if where.offset is None:
                    if same or where.path == str(case.leaf):
                        return True
                    continue
                end = where.offset + (where.size or 1)
                if same and where.offset < mark.span.end and mark.span.offset < max(end, where.offset + 1):
                    return True
    return not case.expect.where


def wanted(case: Case) -> bool:
    """Whether the stranger asks for at least a warning."""
    return case.expect.detectable and case.expect.severity >= Wanted.WARNING
