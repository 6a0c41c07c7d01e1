"""Errors that end one look or one command. Each carries the finding that tells the user why.

RescueError            exit 3  could not look
├── FormatError                the content cannot be known, so it is refused
├── Unreadable                 these byte ranges cannot be had
├── Misuse             exit 2  asked for what cannot be
├── Refused            exit 4  refused for safety
└── StepFailed         exit 5  a step failed
"""

from __future__ import annotations

from collections.abc import Mapping

from hvrescue.core.words import EMPTY, Finding, Repair, Scalar, Severity, Where

Range = tuple[int, int]
"""(offset, length) in bytes."""


class RescueError(Exception):
    """A finding that ended something."""

    exit_code = 3

    def __init__(self, finding: Finding) -> None:
        super().__init__(finding.code)
        self.finding = finding

    def __str__(self) -> str:
        place = self.finding.where[0]
        return f"{self.finding.code} at {place.path} {dict(self.finding.args)}"


class FormatError(RescueError):
    """What the file says of itself is contradictory or lost: no guest byte can be known."""


class Unreadable(RescueError):
    """``ranges`` of the source cannot be had: medium, truncation, or not knowable."""

    def __init__(self, finding: Finding, ranges: tuple[Range, ...] = ()) -> None:
        super().__init__(finding)
        self.ranges = ranges


class Refused(RescueError):
    """Refused for safety."""

    exit_code = 4


class Misuse(RescueError):
    """What was asked for makes no sense for this source."""

    exit_code = 2


class StepFailed(RescueError):
    """A step of an action failed."""

    exit_code = 5


def problem(
    code: str, where: Where, args: Mapping[str, Scalar] = EMPTY, severity: Severity = Severity.ERROR
) -> Finding:
    """A finding about one place, as errors carry it."""
    return Finding(code, severity, (where,), args=args, repair=Repair.NONE)
