"""What an honest checker and an honest reader owe a case."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from pathlib import Path

from .model import Span


class Severity(enum.IntEnum):
    """Spec 1.5: I, W, E, F; NONE when nothing need be said."""

    NONE = 0
    INFO = 1
    WARNING = 2
    ERROR = 3
    FATAL = 4


class Recovery(enum.Enum):
    """How much of the truth the files still hold."""

    INTACT = "intact"
    """The guest view needs no repair: a reader should deliver the truth everywhere."""
    RESTORABLE = "restorable"
    """All of the truth can be had again from copies, by scanning, or by a reasoned guess with consent."""
    PARTIAL = "partial"
    """Everything but the lost ranges."""
    NOTHING = "nothing"


@dataclass(frozen=True)
class Mark:
    """A place in a file where a good checker should point."""

    file: Path
    span: Span


@dataclass(frozen=True)
class Expectation:
    """The verdict a case asks for.

    Reader: outside ``lost`` and the undefined ranges every delivered byte equals the truth, or the
    read is refused.  Inside ``lost`` bytes may be delivered only together with a finding of at
    least ``severity``; if the damage is not ``detectable`` nothing can be demanded there.
    Checker: the worst finding is at least ``severity`` and, when ``at_most`` is set, not above it.
    """

    severity: Severity
    detectable: bool
    reason: str
    recovery: Recovery
    where: tuple[Mark, ...]
    lost: tuple[Span, ...]
    at_most: Severity | None = None
