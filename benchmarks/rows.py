"""One row per damage: its variants (base, block size, place) asked of every tool and folded."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.answers import NOT_ASKED, OURS, Answer, Kind, Tool
from tests.matrix.judge import wanted
from tests.strangers.cases import Case, DamagePlan, Plan, plans
from tests.strangers.damage import AnyImage
from tests.strangers.expect import Expectation, Recovery, Severity
from tests.strangers.vhd_bases import vhd_base
from tests.strangers.vhdx_bases import base


@dataclass(frozen=True, slots=True)
class Told:
    """A tool's answer to one damaged disk, and to the same disk undamaged."""

    answer: Answer
    before: Answer
    asked: bool
    """Whether a finding is asked for: the damage matters, and the file holds a contradiction."""
    detectable: bool

    @property
    def reads_it(self) -> bool:
        """Whether the tool reads this kind of disk, undamaged, right and without complaint."""
        return self.before.kind is Kind.RIGHT and not self.before.flagged

    @property
    def found(self) -> bool:
        """Whether it told the damage: a complaint it does not make about the healthy disk too."""
        return self.reads_it and self.answer.complained


@dataclass(slots=True)
class Row:
    """``told``: per tool, one entry per variant."""

    name: str
    format: str
    healthy: bool
    description: str
    reason: str = ""
    """Why some variants cannot be told by anybody; empty when all can."""
    told: dict[str, list[Told]] = field(default_factory=dict)

    @property
    def variants(self) -> int:
        """How many disks stand behind the row."""
        return len(self.told[OURS])


class Undamaged:
    """What each tool says of the healthy disks under the damages; each is asked once."""

    def __init__(self, tools: dict[str, Tool], folder: Path) -> None:
        self._tools, self._folder = tools, folder
        self._known: dict[tuple[str, str, int, int], dict[str, Answer]] = {}

    def answers(self, plan: DamagePlan) -> dict[str, Answer]:
        """Per tool."""
        key = (plan.format, plan.base, plan.size, plan.place if plan.format == "vhdx" else 0)
        if key not in self._known:
            case = self._case(plan)
            self._known[key] = {name: tool(case) for name, tool in self._tools.items()}
            case.discard()
        return self._known[key]

    def _case(self, plan: DamagePlan) -> Case:
        home = self._folder / "undamaged"
        home.mkdir()
        image: AnyImage
        if plan.format == "vhdx":
            image = base(plan.base).build(plan.size, plan.place, home)
        else:
            image = vhd_base(plan.base).build(plan.size, home)
        nothing = Expectation(Severity.NONE, False, "nothing is wrong", Recovery.INTACT, (), ())
        files = tuple(sorted(file for file in home.rglob("*") if file.is_file()))
        return Case(plan.base, plan.format, True, "", (), "undamaged", home, image.path, files, image, nothing)


def chosen(quick: bool, format: str) -> Iterator[Plan]:
    """Every plan, or with ``quick`` the first variant of each damage."""
    seen: set[tuple[str, str]] = set()
    for plan in plans():
        key = (plan.format, damage_of(plan))
        if format in ("", plan.format) and not (quick and key in seen):
            seen.add(key)
            yield plan


def damage_of(plan: Plan) -> str:
    """What variants have in common."""
    return plan.damage.name if isinstance(plan, DamagePlan) else plan.name


def collect(wanted_plans: Iterable[Plan], tools: dict[str, Tool], folder: Path) -> Iterator[Row]:
    """Build each disk, ask each tool, fold; a row comes when its last variant is done."""
    undamaged = Undamaged(tools, folder)
    row: Row | None = None
    for plan in wanted_plans:
        case = plan.build(folder)
        if row is None or (row.format, row.name) != (plan.format, damage_of(plan)):
            if row is not None:
                yield row
            row = Row(damage_of(plan), plan.format, plan.healthy, case.description)
            row.told = {name: [] for name in tools}
        asked, detectable = not case.healthy and wanted(case), case.healthy or case.expect.detectable
        row.reason = row.reason or ("" if detectable else case.expect.reason)
        before = undamaged.answers(plan) if isinstance(plan, DamagePlan) else {}
        for name, tool in tools.items():
            row.told[name].append(Told(tool(case), before.get(name, NOT_ASKED), asked, detectable))
        case.discard()
    if row is not None:
        yield row
