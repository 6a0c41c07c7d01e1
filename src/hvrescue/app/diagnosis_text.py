"""A diagnosis for a person: the situation, what to do first, what not, then disk by disk."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence

from hvrescue.app import pieces
from hvrescue.app.advice import avoid, broken, first_steps, summary
from hvrescue.core import units
from hvrescue.core.language import _
from hvrescue.core.words import Verdict
from hvrescue.diagnosis.judgement import Amount, Basis, Onset, Start, known_amount, may_start, onset
from hvrescue.diagnosis.storage import Disk, Storage
from hvrescue.document.model import (
    Block,
    Branch,
    Bullets,
    Facts,
    Heading,
    Item,
    Paragraph,
    Table,
    Tone,
    Tree,
)

_DEEPEST = 16
"""Levels of the tree that are shown: each is set further in, and a line has an end."""


def diagnosis_blocks(storage: Storage, sources: Sequence[str]) -> Iterator[Block]:
    """The whole report."""
    bad = broken(storage)
    yield Heading(_("Diagnosis of {sources}").format(sources=", ".join(sources)), 1)
    lead, tone = (_("PROBLEMS"), Tone.ERROR) if bad else (_("NO PROBLEM FOUND"), Tone.GOOD)
    if not storage.disks or (not bad and any(d.verdict == Verdict.UNKNOWN for d in storage.disks)):
        lead, tone = _("NOT CERTAIN"), Tone.WARNING
    yield Paragraph(summary(storage), lead, tone)
    if storage.disks:
        yield _overview(storage, sources)
    if forbidden := avoid(storage):
        yield Heading(_("Do not do this"))
        yield Bullets(tuple(Item(text) for text in forbidden))
    if steps := first_steps(storage, sources):
        yield Heading(_("Do this first"))
        yield Bullets(tuple(Item(s.text, s.command) for s in steps), ordered=True)
    for disk in (*bad, *(d for d in storage.disks if d.estranged and d not in bad)):
        yield from _section(disk, sources)
    if any(d.children or d.survey.is_child for d in storage.disks):
        yield Heading(_("Which disk depends on which"))
        yield Tree(tuple(_branch(root, sources) for root in storage.roots))
    notes = [d for d in storage.disks if d not in bad and d.findings]
    if notes:
        yield Heading(_("Notes on disks that are whole"))
        for disk in notes:
            for finding in disk.findings:
                yield pieces.finding_card(finding, short(disk.name, sources))
    yield from pieces.not_looked_blocks((*storage.not_looked, *pieces.beyond_disks(sources)))


def _overview(storage: Storage, sources: Sequence[str]) -> Table:
    rows = [
        (
            short(disk.name, sources),
            pieces.kind_words(disk.survey.identity, disk.survey.format, blocks=False),
            pieces.verdict_word(disk.verdict),
            _start_word(may_start(disk)),
        )
        for disk in storage.disks
    ]
    return Table((_("disk"), _("kind"), _("state"), _("may it be started?")), tuple(rows))


def _section(disk: Disk, sources: Sequence[str]) -> Iterator[Block]:
    yield Heading(short(disk.name, sources))
    yield Paragraph(_state_sentence(disk), pieces.verdict_word(disk.verdict), pieces.VERDICT_TONES[disk.verdict])
    rows = [(_("may it be started?"), _start_sentence(may_start(disk)))]
    if (since := onset(disk)) is not None:
        rows.append((_("not whole since"), since_sentence(since)))
    if len(disk.chain.links) > 1:
        rows.append((_("depends on"), short(disk.chain.links[1].source.name, sources)))
    if disk.children:
        rows.append((_("needed by"), ", ".join(short(child.name, sources) for child in disk.children)))
    if disk.chain.stand_in is not None:
        rows.append((_("in its parent's place"), short(disk.chain.stand_in.name, sources)))
    if disk.estranged:
        rows.append((_("expected by"), ", ".join(short(child.name, sources) for child in disk.estranged)))
    if disk.verdict == Verdict.DAMAGED and (amount := known_amount(disk)) is not None:
        rows.append((_("can be read"), _amount_sentence(amount)))
    yield Facts(tuple(rows))
    refusal = disk.survey.refusal.finding if disk.survey.refusal else None
    for finding in disk.findings:
        yield pieces.finding_card(finding, refused_for=refusal)


def _state_sentence(disk: Disk) -> str:
    if disk.chain.broken is not None and disk.survey.refusal is None:
        return _("This file itself can be read, but its chain is broken: what came from the parent cannot be known.")
    if disk.estranged and disk.verdict == Verdict.HEALTHY:
        return _("Whole in itself, but no longer the state that another disk was made from.")
    return pieces.verdict_sentence(disk.verdict)


def _amount_sentence(amount: Amount) -> str:
    if not amount.unknown:
        return _("all of it")
    known = units.size(amount.size - amount.unknown)
    text = _("{known} of {size}").format(known=known, size=units.size(amount.size))
    if amount.start_unknown:
        text += ". " + _("The very beginning is not known: partition table and boot sector.")
    return text


def _branch(disk: Disk, sources: Sequence[str], depth: int = 0) -> Branch:
    words = f"{short(disk.name, sources)}  {pieces.verdict_word(disk.verdict)}"
    if disk.survey.is_child and disk.chain.broken is not None and len(disk.chain.links) == 1:
        recorded = disk.survey.parent.paths[0][1] if disk.survey.parent and disk.survey.parent.paths else "?"
        words += "  " + _("(its parent is missing or not the right one: {recorded})").format(recorded=recorded)
    if disk.estranged:
        names = ", ".join(short(child.name, sources) for child in disk.estranged)
        words += "  " + _("(stands where {names} expects its parent, but is not the state it was made from)").format(
            names=names
        )
    tone = Tone.PLAIN if disk.verdict == Verdict.HEALTHY else pieces.VERDICT_TONES[disk.verdict]
    if disk.children and depth >= _DEEPEST:
        more = Branch(_("and {count} more").format(count=units.number(_descendants(disk))), Tone.QUIET)
        return Branch(words, tone, (more,))
    return Branch(words, tone, tuple(_branch(child, sources, depth + 1) for child in disk.children))


def _descendants(disk: Disk) -> int:
    count, stack = 0, list(disk.children)
    while stack:
        count += 1
        stack += stack.pop().children
    return count


def _start_word(start: Start) -> str:
    words = {
        Start.YES: _("nothing against it"),
        Start.NO: _("NO"),
        Start.NEVER: _("NEVER by itself"),
        Start.UNKNOWN: _("not known"),
    }
    return words[start]


def _start_sentence(start: Start) -> str:
    sentences = {
        Start.YES: _("Nothing in its structure speaks against it."),
        Start.NO: _("No. A started VM writes to the disk and can destroy what can still be rescued."),
        Start.NEVER: _("Never by itself: other disks depend on it, or were made from an earlier state of it."),
        Start.UNKNOWN: _("Not known: too little was looked at. Of a single file nobody can tell what depends on it."),
    }
    return sentences[start]


def since_sentence(since: Onset) -> str:
    """Since when a disk cannot be whole, and what that rests on."""
    after = since.after.strftime("%Y-%m-%d %H:%M UTC") if since.after else ""
    before = since.before.strftime("%Y-%m-%d %H:%M UTC") if since.before else ""
    if since.basis == Basis.PARENT_WRITE and before:
        text = _("{before} at the latest: then the file of its parent was last written to, after this disk was made "
                 "from it.")  # fmt: skip
    elif since.basis == Basis.PARENT_GONE:
        text = _("after {after}: this disk was still written to then, so its parent was still in its place.")
    else:
        text = _(
            "{before} at the latest, unless the drive itself harmed it later: since then the file was not "
            "written to. When it began is not known, so check each backup before you trust it, however "
            "old it is. A copied file may carry the time of the copying."
        )
    return text.format(after=after or "?", before=before or "?")


def short(name: str, sources: Sequence[str]) -> str:
    """A path below its source, so that tables stay narrow."""
    for source in sources:
        if name.startswith(source.rstrip(os.sep) + os.sep):
            return name[len(source.rstrip(os.sep)) + 1 :]
    return name
