"""All cases: healthy variants and damaged files with their verdicts.

``plans()`` lists what can be built, ``cases(directory)`` builds one after the other.  Everything
depends on names only, so a case is the same on every machine.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Protocol

from . import (  # noqa: F401  (their import fills the register)
    damage_bat,
    damage_bitmap,
    damage_chain,
    damage_cycle,
    damage_file,
    damage_head,
    damage_locator,
    damage_log,
    damage_map,
    damage_meta,
    damage_region,
    damage_values,
    damage_vhd_chain,
    damage_vhd_footer,
    damage_vhd_map,
    damage_vhd_table,
)
from .damage import REGISTER, AnyImage, Damage, Outcome, VhdSite, VhdxSite
from .expect import Expectation, Recovery, Severity
from .healthy import Variant, variants
from .model import merge
from .sparse import Editor
from .truth import Truth
from .vhd_bases import vhd_base
from .vhdx_bases import base


@dataclass(frozen=True)
class Case:
    """One file (with its chain) in a directory of its own, and what an honest tool must say about it."""

    name: str
    format: str
    healthy: bool
    damage: str
    invariants: tuple[str, ...]
    description: str
    directory: Path
    leaf: Path
    files: tuple[Path, ...]
    image: AnyImage
    """The healthy image the damage was done to: its structures tell where everything lay."""
    expect: Expectation

    @property
    def truth(self) -> Truth:
        """What the guest saw before the damage."""
        return self.image.truth

    def discard(self) -> None:
        """Delete the directory of the case."""
        shutil.rmtree(self.directory, ignore_errors=True)


class Plan(Protocol):
    """A case that is not built yet."""

    @property
    def name(self) -> str:
        """Unique; also the name of the case's directory."""

    @property
    def format(self) -> str:
        """'vhdx' or 'vhd'."""

    @property
    def healthy(self) -> bool:
        """True when nothing is wrong with the files."""

    def build(self, directory: Path) -> Case:
        """Write the files into ``directory / name``; deterministic, well under a second."""


@dataclass(frozen=True)
class HealthyPlan:
    """A healthy variant that is not built yet."""

    variant: Variant

    @property
    def name(self) -> str:
        """Unique name."""
        return f"{self.format}-healthy-{self.variant.name}"

    @property
    def format(self) -> str:
        """'vhdx' or 'vhd'."""
        return self.variant.format

    healthy: ClassVar[bool] = True

    def build(self, directory: Path) -> Case:
        """Write the files."""
        home = _fresh(directory / self.name)
        image = self.variant.build(home)
        worst = Severity.WARNING if self.variant.disputed else Severity.INFO
        expect = Expectation(Severity.NONE, False, "nothing is wrong", Recovery.INTACT, (), (), at_most=worst)
        text = "healthy, with a log to be replayed" if self.variant.pending else "healthy"
        return Case(self.name, self.format, True, "", (), text, home, image.path, _files(home), image, expect)


@dataclass(frozen=True)
class DamagePlan:
    """A damaged case that is not built yet."""

    damage: Damage
    base: str
    size: int
    place: int

    @property
    def name(self) -> str:
        """Unique name: format, damage, base, block size, place."""
        block = ("512k", "2m")[self.size]
        if self._vhdx:
            block = f"{base(self.base).block_sizes[self.size] >> 20}m"
        return f"{self.format}-{self.damage.name}-{self.base}-{block}-{'ab'[self.place]}"

    @property
    def format(self) -> str:
        """'vhdx' or 'vhd'."""
        return "vhdx" if self._vhdx else "vhd"

    healthy: ClassVar[bool] = False

    @property
    def _vhdx(self) -> bool:
        return self.damage.apply_vhdx is not None

    def build(self, directory: Path) -> Case:
        """Build the healthy base, then damage it."""
        home = _fresh(directory / self.name)
        image, outcome = self._damage_vhdx(home) if self._vhdx else self._damage_vhd(home)
        terms = self.damage
        expect = Expectation(
            terms.severity if outcome.severity is None else outcome.severity,
            terms.detectable if outcome.detectable is None else outcome.detectable,
            terms.reason if outcome.reason is None else outcome.reason,
            terms.recovery if outcome.recovery is None else outcome.recovery,
            outcome.where,
            merge(outcome.lost),
        )
        return Case(
            self.name,
            self.format,
            False,
            terms.name,
            terms.invariants,
            terms.description,
            home,
            image.path if outcome.leaf is None else outcome.leaf,
            _files(home),
            image,
            expect,
        )

    def _damage_vhdx(self, home: Path) -> tuple[AnyImage, Outcome]:
        apply = self.damage.apply_vhdx
        assert apply is not None
        image = base(self.base).build(self.size, self.place, home)
        with Editor(image.path) as edit:
            return image, apply(VhdxSite(image, self.place, self.base, edit))

    def _damage_vhd(self, home: Path) -> tuple[AnyImage, Outcome]:
        apply = self.damage.apply_vhd
        assert apply is not None
        image = vhd_base(self.base).build(self.size, home)
        with Editor(image.path) as edit:
            return image, apply(VhdSite(image, self.place, self.base, edit))


def _fresh(home: Path) -> Path:
    shutil.rmtree(home, ignore_errors=True)
    home.mkdir(parents=True)
    return home


def _files(home: Path) -> tuple[Path, ...]:
    return tuple(sorted(path for path in home.rglob("*") if path.is_file()))


def plans() -> Iterator[Plan]:
    """All cases, unbuilt: the healthy ones first."""
    for variant in variants():
        yield HealthyPlan(variant)
    for damage in REGISTER:
        for name in damage.bases:
            for size in (0, 1):
                for place in damage.places:
                    yield DamagePlan(damage, name, size, place)


def first_of_each() -> Iterator[Plan]:
    """Every healthy variant, and of every damage the first base, block size and place."""
    seen: set[str] = set()
    for plan in plans():
        key = plan.name if plan.healthy else "-".join(plan.name.split("-")[:-3])
        if key not in seen:
            seen.add(key)
            yield plan


def cases(directory: Path) -> Iterator[Case]:
    """Build all cases lazily, one sub-directory each.

    The files stay until ``case.discard()``; all together they take about 2.7 GB of real bytes.
    """
    for plan in plans():
        yield plan.build(directory)
