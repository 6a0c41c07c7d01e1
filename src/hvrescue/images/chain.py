"""Chains: from a child to the disk at its bottom, by identity first and by name second (X23-X25, V11)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import PureWindowsPath
from uuid import UUID

from hvrescue.byteio.file import FileSource
from hvrescue.byteio.source import ByteSource
from hvrescue.core.context import Context
from hvrescue.core.errors import FormatError, RescueError, Unreadable
from hvrescue.core.words import Finding, NotLooked, Repair, Scalar, Severity, Verdict, Where, worst
from hvrescue.images import formats
from hvrescue.images.disk import Layer, Unknowable, VirtualDisk
from hvrescue.images.identity import Neighbours, ParentLink
from hvrescue.images.survey import Survey

SurveyOf = Callable[[ByteSource], Survey[object]]
"""Surveys a source, or remembers that it did."""
Seek = Callable[[Survey[object], ParentLink, Neighbours], "Found"]
"""Finds a child's parent, or remembers that it did."""


@dataclass(frozen=True, slots=True)
class Chain:
    """Leaf first. ``broken`` names why the last link's parent is missing or cannot be trusted."""

    links: tuple[Survey[object], ...]
    findings: tuple[Finding, ...] = ()
    not_looked: tuple[NotLooked, ...] = ()
    broken: Finding | None = None
    stand_in: ByteSource | None = None
    """The file that stands where the parent should be, but is not the parent the child was made from."""

    @property
    def leaf(self) -> Survey[object]:
        """The disk asked for."""
        return self.links[0]

    @property
    def doubtful(self) -> bool:
        """Whether some guest bytes will be refused as UNKNOWN."""
        return self.broken is not None or any(link.doubtful for link in self.links)

    @property
    def verdict(self) -> Verdict:
        """The leaf's verdict with its chain's: a whole child of a missing parent is not healthy."""
        own = self.leaf.verdict
        if own in (Verdict.HEALTHY, Verdict.UNKNOWN):
            if worst(self.findings) >= Severity.WARNING:
                return Verdict.DAMAGED
            if self.not_looked or any(link.verdict == Verdict.UNKNOWN for link in self.links):
                return Verdict.UNKNOWN
        return own


def resolve(
    leaf: Survey[object],
    near: Neighbours,
    ctx: Context,
    survey: SurveyOf | None = None,
    seek: Seek | None = None,
) -> Chain:
    """Follow the parents of a surveyed disk. Never raises on content."""
    look: SurveyOf = survey or (lambda source: formats.survey_image(source, ctx))
    links, findings = [leaf], list[Finding]()
    not_looked: list[NotLooked] = []
    seen = {leaf.source.name}
    while (link := links[-1].parent) is not None:
        child = links[-1]
        where = _parent_place(child)
        if len(links) >= ctx.limits.chain_depth:
            broken = Finding("CHAIN-004", Severity.ERROR, (_parent_place(leaf), where), args={"depth": len(links)})
            return Chain(tuple(links), (*findings, broken), tuple(not_looked), broken)
        found = (seek or find_parent)(child, link, near)
        not_looked.extend(found.not_looked)
        if found.source is None and found.finding is None and found.not_looked:
            broken = Finding("CHAIN-016", Severity.WARNING, (where,), args=_named(link))
            return Chain(tuple(links), tuple(findings), tuple(not_looked), broken)
        if found.source is None:
            broken = found.finding or Finding("CHAIN-001", Severity.ERROR, (where,), args=_named(link))
            return Chain(tuple(links), (*findings, broken), tuple(not_looked), broken, found.stand_in)
        if found.finding:
            findings.append(found.finding)
        if found.source.name in seen:
            broken = Finding("CHAIN-003", Severity.ERROR, (where,), args={"parent": found.source.name})
            return Chain(tuple(links), (*findings, broken), tuple(not_looked), broken)
        seen.add(found.source.name)
        parent = look(found.source)
        rest(found.source)
        links.append(parent)
        findings += [note for note in (_grown(child, parent, where), _written_later(child, parent, where)) if note]
        if misfit := _misfit(child, parent, where):
            return Chain(tuple(links[:-1]), (*findings, misfit), tuple(not_looked), misfit, found.source)
        if parent.verdict in (Verdict.DAMAGED, Verdict.UNREADABLE):
            findings.append(_parent_damaged(child, parent))
    return Chain(tuple(links), tuple(findings), tuple(not_looked))


def open_chain(chain: Chain, *, allow_damaged: bool = False) -> VirtualDisk:
    """The disk the guest sees. Refuses a broken chain, unless what it cannot know may be UNKNOWN."""
    leaf = chain.leaf
    if leaf.refusal is not None or leaf.identity is None:
        raise leaf.refusal or FormatError(leaf.findings[0])
    layers: list[Layer] = []
    for link in chain.links:
        if link.refusal is not None:
            if not allow_damaged:
                raise link.refusal
            layers.append(Unknowable(link.source, leaf.identity.virtual_size))
            break
        layers.append(formats.layer_of(link))
    if chain.broken is not None:
        if not allow_damaged:
            raise FormatError(chain.broken)
        layers.append(Unknowable(leaf.source, leaf.identity.virtual_size))
    return VirtualDisk(layers, leaf.identity)


def open_disk(survey: Survey[object], near: Neighbours, ctx: Context, *, allow_damaged: bool = False) -> VirtualDisk:
    """A survey plus a refusal: what the survey cannot know cannot be read."""
    return open_chain(resolve(survey, near, ctx), allow_damaged=allow_damaged)


def rest(source: ByteSource) -> None:
    """Give a file's descriptor back until it is read again: a chain may have more files than may be open."""
    if isinstance(source, FileSource):
        source.close()


@dataclass(frozen=True, slots=True)
class Found:
    """The search for a parent: the source when its identity fits, else what stands in its place."""

    source: ByteSource | None
    finding: Finding | None = None
    stand_in: ByteSource | None = None
    not_looked: tuple[NotLooked, ...] = ()


Identify = Callable[[ByteSource, str], UUID | None]
"""The identity a child of this format would name; ``formats.link_of``, or somebody who remembers."""


def find_parent(
    child: Survey[object], link: ParentLink, near: Neighbours, identify: Identify = formats.link_of
) -> Found:
    """By the recorded paths in their order, then by name in the child's folder, then by identity anywhere near."""
    where = _parent_place(child)
    stand_in: ByteSource | None = None
    failed: list[NotLooked] = []
    for source in _by_name(child, link, near, failed):
        identity = _link_of(source, child.format, failed, identify)
        if identity is not None and identity in link.accepted:
            finding = None
            if identity != link.accepted[0]:
                finding = Finding("CHAIN-013", Severity.INFO, (where,), args={"parent": source.name})
            return Found(source, finding, not_looked=tuple(failed))
        if stand_in is None and source.name != child.source.name:
            stand_in = source
        elif source.name == child.source.name:
            finding = Finding("CHAIN-003", Severity.ERROR, (where,), args={"parent": source.name})
            return Found(None, finding, None, tuple(failed))
    matches = [
        s for s in near.candidates(formats.suffixes_of(child.format)) if _fits(s, child, link, failed, identify)
    ]
    if matches:
        code = "CHAIN-008" if len(matches) == 1 else "CHAIN-012"
        args: dict[str, Scalar] = {"parent": matches[0].name, **_named(link), "candidates": len(matches)}
        # Windows looks only where the child says: a parent under another name is a parent not found.
        finding = Finding(code, Severity.WARNING, (where,), args=args, repair=Repair.SAFE)
        return Found(matches[0], finding, not_looked=tuple(failed))
    if stand_in is not None:
        actual = _link_of(stand_in, child.format, failed, identify)
        code = "CHAIN-002" if actual is not None else "CHAIN-007"
        args = {"parent": stand_in.name, "expected": str(link.accepted[0]), "actual": str(actual)}
        finding = Finding(code, Severity.ERROR, (where,), args=args, repair=Repair.CONSENT)
        return Found(None, finding, stand_in, tuple(failed))
    return Found(None, None, None, tuple(failed))


def _by_name(
    child: Survey[object], link: ParentLink, near: Neighbours, failed: list[NotLooked]
) -> Iterator[ByteSource]:
    seen: set[str] = set()
    names = [path for _, path in link.paths]
    names += [".\\" + PureWindowsPath(path).name for path in names]
    for path in dict.fromkeys(names):
        try:
            source = near.find(path, child.source.name)
        except RescueError as error:
            failed.append(NotLooked(error.finding.where[0], error.finding.code, error.finding.args))
            continue
        if source is not None and source.name not in seen:
            seen.add(source.name)
            yield source


def _fits(
    source: ByteSource, child: Survey[object], link: ParentLink, failed: list[NotLooked], identify: Identify
) -> bool:
    return source.name != child.source.name and _link_of(source, child.format, failed, identify) in link.accepted


def _link_of(source: ByteSource, format: str, failed: list[NotLooked], identify: Identify) -> UUID | None:
    try:
        return identify(source, format)
    except Unreadable as error:
        failed.append(NotLooked(error.finding.where[0], error.finding.code, error.finding.args))
        return None


def _named(link: ParentLink) -> dict[str, Scalar]:
    recorded = link.paths[0][1] if link.paths else ""
    return {"recorded": recorded, "identity": str(link.accepted[0])}


def _parent_place(child: Survey[object]) -> Where:
    return Where(child.source.name, child.source.name, "parent locator")


def _misfit(child: Survey[object], parent: Survey[object], where: Where) -> Finding | None:
    mine, theirs = child.identity, parent.identity
    if mine is None or theirs is None:
        return None
    args: dict[str, Scalar] = {"parent": parent.source.name}
    if mine.virtual_size < theirs.virtual_size:
        sizes = {"child_size": mine.virtual_size, "parent_size": theirs.virtual_size}
        return Finding("CHAIN-005", Severity.ERROR, (where,), args={**args, **sizes})
    if mine.sector_size != theirs.sector_size:
        sectors = {"child_sector": mine.sector_size, "parent_sector": theirs.sector_size}
        return Finding("CHAIN-006", Severity.ERROR, (where,), args={**args, **sectors})
    return None


_EPOCH_2000 = 946_684_800
_TOLERANCE = 2
"""Seconds: file systems round times, FAT to two."""


def _written_later(child: Survey[object], parent: Survey[object], where: Where) -> Finding | None:
    """A VHD's identity stays when it is written to; only times can tell (V11), and a copy may have changed those.

    A warning when the parent's file is younger than the child recorded and younger than the child itself; a note
    when the child was written to later still.
    """
    recorded = child.parent.written if child.parent else None
    mine, theirs = getattr(child.source, "stamp", None), getattr(parent.source, "stamp", None)
    if not recorded or mine is None or theirs is None:
        return None
    written = theirs.mtime_ns // 1_000_000_000
    if written <= recorded + _EPOCH_2000 + _TOLERANCE:
        return None
    younger = theirs.mtime_ns > mine.mtime_ns + _TOLERANCE * 10**9
    severity = Severity.WARNING if younger else Severity.INFO
    args: dict[str, Scalar] = {"parent": parent.source.name, "written": _utc(written)}
    return Finding("CHAIN-014", severity, (where,), args={**args, "recorded": _utc(recorded + _EPOCH_2000)})


def _utc(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M UTC")


def _grown(child: Survey[object], parent: Survey[object], where: Where) -> Finding | None:
    """A child larger than its parent: what lies past the parent's end is zeros."""
    mine, theirs = child.identity, parent.identity
    if mine is None or theirs is None or mine.virtual_size <= theirs.virtual_size:
        return None
    args: dict[str, Scalar] = {"child_size": mine.virtual_size, "parent_size": theirs.virtual_size}
    return Finding("CHAIN-015", Severity.WARNING, (where,), args={"parent": parent.source.name, **args})


def _parent_damaged(child: Survey[object], parent: Survey[object]) -> Finding:
    args: dict[str, Scalar] = {"parent": parent.source.name, "verdict": parent.verdict.value}
    gravest = worst(parent.findings)
    return Finding("CHAIN-010", gravest, (Where(child.source.name, parent.source.name),), args=args)
