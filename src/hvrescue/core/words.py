"""The types every room agrees on: where, finding, severity, verdict.

A finding carries a stable code and arguments, never text: what a person reads stands in the
catalogue (``rules/packs``), in German and English.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import IntEnum, StrEnum
from types import MappingProxyType

Scalar = str | int | float | bool | None
EMPTY: Mapping[str, Scalar] = MappingProxyType({})
MAX_SAMPLES = 64
"""A finding shows at most this many places; ``count`` says how many there are."""


class Severity(IntEnum):
    """How much a finding matters. FATAL: Hyper-V cannot open the file at all."""

    INFO = 0
    WARNING = 1
    ERROR = 2
    FATAL = 3


class Verdict(StrEnum):
    """What a survey concludes about one file."""

    HEALTHY = "healthy"
    DAMAGED = "damaged"
    UNREADABLE = "unreadable"
    UNKNOWN = "unknown"


class Repair(StrEnum):
    """SAFE: deterministic and lossless. CONSENT: plausible, but may hide a loss. NONE: report only."""

    SAFE = "safe"
    CONSENT = "consent"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class Where:
    """A place in evidence. ``path`` nests with ``!`` (``host.raw!p3!/VMs/a.vhdx``); offset and size in bytes."""

    source: str
    path: str
    structure: str = ""
    field: str = ""
    offset: int | None = None
    size: int | None = None


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that matters: a stable code, its arguments and up to ``MAX_SAMPLES`` places."""

    code: str
    severity: Severity
    where: tuple[Where, ...]
    count: int = 1
    args: Mapping[str, Scalar] = field(default_factory=lambda: EMPTY)
    repair: Repair = Repair.NONE

    def __post_init__(self) -> None:
        if not 1 <= len(self.where) <= MAX_SAMPLES:
            raise ValueError(f"{self.code}: a finding names 1..{MAX_SAMPLES} places, not {len(self.where)}")


@dataclass(frozen=True, slots=True)
class NotLooked:
    """What could not be looked at; ``reason`` is a catalogue code. It travels with every result."""

    where: Where
    reason: str
    args: Mapping[str, Scalar] = field(default_factory=lambda: EMPTY)


def worst(findings: tuple[Finding, ...]) -> Severity:
    """The highest severity among the findings; INFO when there are none."""
    return max((f.severity for f in findings), default=Severity.INFO)
