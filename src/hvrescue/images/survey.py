"""Survey: one pass over a format that never raises on content; and the book it is written into."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from hvrescue.byteio.source import ByteSource
from hvrescue.byteio.window import ByteWindow
from hvrescue.core.errors import FormatError, Unreadable, problem
from hvrescue.core.words import (
    EMPTY,
    MAX_SAMPLES,
    Finding,
    NotLooked,
    Repair,
    Scalar,
    Severity,
    Verdict,
    Where,
    worst,
)
from hvrescue.images.identity import Identity, ParentLink

L = TypeVar("L")


@dataclass(frozen=True, slots=True)
class Survey(Generic[L]):
    """What one pass over a file found. ``refusal`` set: no guest byte can be known."""

    format: str
    source: ByteSource
    layout: L
    findings: tuple[Finding, ...]
    not_looked: tuple[NotLooked, ...]
    refusal: FormatError | None
    identity: Identity | None
    parent: ParentLink | None
    doubtful: bool = False
    """Whether some guest bytes will be refused as UNKNOWN."""

    @property
    def verdict(self) -> Verdict:
        """UNREADABLE: nothing can be known. UNKNOWN: not enough could be looked at. Else by the findings."""
        if self.refusal is not None:
            return Verdict.UNKNOWN if self.not_looked and not self.findings else Verdict.UNREADABLE
        if worst(self.findings) >= Severity.WARNING:
            return Verdict.DAMAGED
        return Verdict.UNKNOWN if self.not_looked else Verdict.HEALTHY

    @property
    def is_child(self) -> bool:
        """Whether the disk needs a parent to be whole."""
        return self.parent is not None


@dataclass
class Book:
    """Where a survey writes down what it sees: one finding per (code, structure), samples capped."""

    source: ByteSource
    _rows: dict[tuple[str, str], Finding] = field(default_factory=dict)
    _not_looked: list[NotLooked] = field(default_factory=list)
    refusal: FormatError | None = None

    def where(self, structure: str, offset: int | None = None, size: int | None = None, field: str = "") -> Where:
        """A place in the file under survey."""
        return Where(self.source.name, self.source.name, structure, field, offset, size)

    def find(
        self,
        code: str,
        severity: Severity,
        where: Where | Iterable[Where],
        args: Mapping[str, Scalar] = EMPTY,
        repair: Repair = Repair.NONE,
        count: int | None = None,
    ) -> Finding:
        """Write down a finding; the same code in the same structure adds up to one."""
        places = (where,) if isinstance(where, Where) else tuple(where)
        many = len(places) if count is None else count
        key = (code, places[0].structure)
        if old := self._rows.get(key):
            places, many = old.where + places, old.count + many
            args = {**args, **old.args}
            severity = max(severity, old.severity)
        finding = Finding(code, severity, places[:MAX_SAMPLES], many, args, repair)
        self._rows[key] = finding
        return finding

    def refuse(
        self,
        code: str,
        where: Where | Iterable[Where],
        args: Mapping[str, Scalar] = EMPTY,
        repair: Repair = Repair.NONE,
        severity: Severity = Severity.FATAL,
    ) -> None:
        """A finding after which no guest byte can be known. The first one names the reason."""
        finding = self.find(code, severity, where, args, repair)
        if self.refusal is None:
            self.refusal = FormatError(finding)

    def read(self, source: ByteSource, structure: str, offset: int, size: int) -> ByteWindow | None:
        """A structure; None when the file ends before it does, or (noted) when it cannot be read."""
        if offset < 0 or offset + size > source.size:
            return None
        try:
            return ByteWindow(self.source.name, structure, offset, source.pread(offset, size))
        except Unreadable as error:
            self.could_not_read(error, structure, offset, size)
            return None

    def could_not_read(self, error: Unreadable, structure: str, offset: int, size: int) -> None:
        """Note a place that the medium does not give."""
        place = self.where(structure, offset, size)
        self._not_looked.append(NotLooked(place, error.finding.code, error.finding.args))

    def not_looked(self, structure: str, reason: str, args: Mapping[str, Scalar] = EMPTY) -> None:
        """Note a part that was left out, with the catalogue code of the reason."""
        self._not_looked.append(NotLooked(self.where(structure), reason, args))

    def close(
        self,
        format: str,
        layout: L,
        identity: Identity | None = None,
        parent: ParentLink | None = None,
        *,
        doubtful: bool = False,
    ) -> Survey[L]:
        """The finished survey, worst findings first, then by place."""
        ordered = sorted(self._rows.values(), key=lambda f: (-f.severity, f.where[0].offset or 0, f.code))
        refusal = self.refusal
        if refusal is None and identity is None:
            refusal = FormatError(problem("IMG-010", self.where("")))
        return Survey(
            format,
            self.source,
            layout,
            tuple(ordered),
            tuple(self._not_looked),
            refusal,
            identity,
            parent,
            doubtful or refusal is not None,
        )
