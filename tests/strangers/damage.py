"""Named damages: the register and the tools a damage works with.  The damages live in ``damage_*.py``."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from .expect import Mark, Recovery, Severity
from .model import Span
from .sparse import Editor
from .vhd_bytes import VhdImage
from .vhdx_bytes import VhdxImage

AnyImage = VhdxImage | VhdImage


@dataclass(frozen=True)
class Outcome:
    """What a damage did; fields left None keep the values of its registration."""

    where: tuple[Mark, ...]
    lost: tuple[Span, ...] = ()
    severity: Severity | None = None
    detectable: bool | None = None
    reason: str | None = None
    recovery: Recovery | None = None
    leaf: Path | None = None


@dataclass(frozen=True)
class Damage:
    """A named damage and what it asks of a checker."""

    name: str
    invariants: tuple[str, ...]
    description: str
    bases: tuple[str, ...]
    severity: Severity
    recovery: Recovery
    detectable: bool
    reason: str
    places: tuple[int, ...]
    apply_vhdx: Callable[[VhdxSite], Outcome] | None = None
    apply_vhd: Callable[[VhdSite], Outcome] | None = None


@dataclass(frozen=True)
class VhdxSite:
    """A built VHDX under the knife; ``place`` is 0 or 1 (first/last block, first/second copy, chunk 0/1)."""

    image: VhdxImage
    place: int
    base: str
    edit: Editor

    @property
    def logged(self) -> bool:
        """True when the log keeps copies of the current BAT page."""
        return any(placed.entry.pages for placed in self.image.log_entries)

    def mark(self, *spans: Span) -> tuple[Mark, ...]:
        """Marks in the leaf file."""
        return tuple(Mark(self.image.path, span) for span in spans)

    def disk(self) -> tuple[Span, ...]:
        """The whole guest disk."""
        return (Span(0, self.image.spec.virtual_size),)


@dataclass(frozen=True)
class VhdSite:
    """A built VHD under the knife."""

    image: VhdImage
    place: int
    base: str
    edit: Editor

    def mark(self, *spans: Span) -> tuple[Mark, ...]:
        """Marks in the leaf file."""
        return tuple(Mark(self.image.path, span) for span in spans)

    def disk(self) -> tuple[Span, ...]:
        """The whole guest disk."""
        return (Span(0, self.image.spec.virtual_size),)


@dataclass(frozen=True)
class Register:
    """All damages, in the order of their definition."""

    entries: dict[str, Damage] = field(default_factory=dict)

    def add(self, damage: Damage) -> None:
        """Record a damage; names are unique within a format."""
        key = f"{'vhd' if damage.apply_vhdx is None else 'vhdx'}-{damage.name}"
        if key in self.entries:
            raise ValueError(f"two damages are named {key}")
        self.entries[key] = damage

    def __iter__(self) -> Iterator[Damage]:
        return iter(self.entries.values())


REGISTER = Register()


VhdxStep = Callable[[VhdxSite], Outcome]
VhdStep = Callable[[VhdSite], Outcome]


@dataclass(frozen=True)
class Terms:
    """The part of a registration both formats share; use :func:`vhdx_damage` or :func:`vhd_damage`."""

    name: str
    invariants: tuple[str, ...]
    bases: tuple[str, ...]
    severity: Severity
    recovery: Recovery
    detectable: bool
    reason: str
    places: tuple[int, ...]

    def damage(self, text: str | None, vhdx: VhdxStep | None, vhd: VhdStep | None) -> Damage:
        """The finished register entry."""
        words = " ".join((text or "").split())
        return Damage(
            self.name,
            self.invariants,
            words,
            self.bases,
            self.severity,
            self.recovery,
            self.detectable,
            self.reason,
            self.places,
            vhdx,
            vhd,
        )


def vhdx_damage(
    name: str,
    *invariants: str,
    bases: tuple[str, ...] = ("clean",),
    severity: Severity,
    recovery: Recovery = Recovery.PARTIAL,
    detectable: bool = True,
    reason: str = "",
    places: tuple[int, ...] = (0, 1),
) -> Callable[[VhdxStep], VhdxStep]:
    """Register a function as a damage to VHDX files; its docstring is the description."""
    terms = Terms(name, invariants, bases, severity, recovery, detectable, reason, places)

    def register(function: VhdxStep) -> VhdxStep:
        REGISTER.add(terms.damage(function.__doc__, function, None))
        return function

    return register


def vhd_damage(
    name: str,
    *invariants: str,
    bases: tuple[str, ...] = ("vhd",),
    severity: Severity,
    recovery: Recovery = Recovery.PARTIAL,
    detectable: bool = True,
    reason: str = "",
    places: tuple[int, ...] = (0, 1),
) -> Callable[[VhdStep], VhdStep]:
    """Register a function as a damage to VHD files; its docstring is the description."""
    terms = Terms(name, invariants, bases, severity, recovery, detectable, reason, places)

    def register(function: VhdStep) -> VhdStep:
        REGISTER.add(terms.damage(function.__doc__, None, function))
        return function

    return register
