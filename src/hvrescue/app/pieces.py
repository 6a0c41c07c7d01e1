"""Pieces of documents that several verbs show: findings, what was not looked at, verdicts; as text and as data."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from hvrescue.core import units
from hvrescue.core.language import _
from hvrescue.core.words import Finding, NotLooked, Severity, Verdict, Where
from hvrescue.document.model import Block, Bullets, Card, Heading, Item, Paragraph, Tone
from hvrescue.images.identity import Identity
from hvrescue.rules import catalogue

_SHOWN_PLACES = 4
_TONES = {
    Severity.INFO: Tone.INFO,
    Severity.WARNING: Tone.WARNING,
    Severity.ERROR: Tone.ERROR,
    Severity.FATAL: Tone.FATAL,
}
VERDICT_TONES = {
    Verdict.HEALTHY: Tone.GOOD,
    Verdict.DAMAGED: Tone.ERROR,
    Verdict.UNREADABLE: Tone.FATAL,
    Verdict.UNKNOWN: Tone.WARNING,
}


def severity_word(severity: Severity) -> str:
    """The severity in the language spoken."""
    words = {
        Severity.INFO: _("note"),
        Severity.WARNING: _("warning"),
        Severity.ERROR: _("error"),
        Severity.FATAL: _("fatal"),
    }
    return words[severity]


def verdict_word(verdict: Verdict) -> str:
    """The verdict in the language spoken."""
    words = {
        Verdict.HEALTHY: _("HEALTHY"),
        Verdict.DAMAGED: _("DAMAGED"),
        Verdict.UNREADABLE: _("UNREADABLE"),
        Verdict.UNKNOWN: _("UNKNOWN"),
    }
    return words[verdict]


def verdict_sentence(verdict: Verdict) -> str:
    """What the verdict means, in one sentence."""
    sentences = {
        Verdict.HEALTHY: _(
            "The structure is whole. The content inside has no checksum; whether it is right cannot be verified."
        ),
        Verdict.DAMAGED: _("Something is wrong, but much or all can still be read. The findings say what."),
        Verdict.UNREADABLE: _("Without a repair not one byte of the disk inside can be known for certain."),
        Verdict.UNKNOWN: _("Not enough could be looked at to say anything about this file."),
    }
    return sentences[verdict]


def finding_card(finding: Finding, name: str = "", *, refused_for: Finding | None = None) -> Card:
    """A finding with all five answers: what, where, what it means, what next, what not to do.

    Where the whole disk is refused for another finding, that one says what next.
    """
    texts = catalogue.texts_of(finding)
    places = _places(finding)
    rows = [(_("file"), name)] if name else []
    rows += [
        (_("where"), places if places != name else ""),
        (_("meaning"), texts.meaning),
        (_("next"), texts.next if refused_for in (None, finding) else ""),
        (_("do not"), texts.avoid),
    ]
    if texts.action:
        rows.append((_("repair"), _("Not in this version.") + " " + texts.action))
    mark = f"{severity_word(finding.severity).upper()} {finding.code}"
    return Card(mark, _TONES[finding.severity], texts.title, tuple(row for row in rows if row[1]))


def _places(finding: Finding) -> str:
    shown = [catalogue.place_of(where) for where in finding.where[:_SHOWN_PLACES]]
    more = finding.count - len(shown)
    if more > 0:
        shown.append(_("and {count} more").format(count=units.number(more)))
    return "; ".join(shown)


def finding_data(finding: Finding) -> dict[str, Any]:
    """A finding as ``--json`` shows it."""
    texts = catalogue.texts_of(finding)
    return {
        "code": finding.code,
        "severity": finding.severity.name.lower(),
        "title": texts.title,
        "meaning": texts.meaning,
        "next": texts.next,
        "avoid": texts.avoid,
        "count": finding.count,
        "args": dict(finding.args),
        "where": [where_data(where) for where in finding.where],
        "repair": {"class": finding.repair.value, "action": texts.action},
    }


def where_data(where: Where) -> dict[str, Any]:
    """A place as ``--json`` shows it."""
    return {
        "source": where.source,
        "path": where.path,
        "structure": where.structure,
        "field": where.field,
        "offset": where.offset,
        "size": where.size,
    }


def not_looked_data(notes: Iterable[NotLooked]) -> list[dict[str, Any]]:
    """What was not looked at, as ``--json`` shows it."""
    return [
        {"where": where_data(note.where), "code": note.reason, "reason": catalogue.reason_of(note)} for note in notes
    ]


def not_looked_blocks(notes: Iterable[NotLooked]) -> Iterator[Block]:
    """What was not looked at, for a person; nothing when everything was."""
    items = [
        Item(f"{note.where.path}: {catalogue.place_of(note.where)}: {catalogue.reason_of(note)}")
        if note.where.offset is not None
        else Item(f"{note.where.path}: {catalogue.reason_of(note)}")
        for note in notes
    ]
    if items:
        yield Heading(_("Not looked at"))
        yield Paragraph(_("What was not looked at is not known to be healthy."))
        yield Bullets(tuple(items[:50]))
        if len(items) > 50:
            yield Paragraph(_("and {count} more").format(count=units.number(len(items) - 50)))


def beyond_disks(sources: Iterable[str]) -> list[NotLooked]:
    """What this version does not look at in a source, said every time (law 4)."""
    return [NotLooked(Where(source, source), "DIA-001") for source in sources]


def kind_words(identity: Identity | None, format: str, *, blocks: bool = True) -> str:
    """``VHDX, dynamic, 64 GiB, blocks of 32 MiB``."""
    if identity is None:
        return format.upper() if format != "none" else _("no virtual disk")
    kinds = {"fixed": _("fixed"), "dynamic": _("dynamic"), "differencing": _("differencing")}
    words = [identity.format.upper(), kinds[identity.kind], units.size(identity.virtual_size)]
    if identity.format == "raw":
        del words[1]
    if blocks and identity.block_size:
        words.append(_("blocks of {size}").format(size=units.size(identity.block_size)))
    return ", ".join(words)


def identity_data(identity: Identity | None) -> dict[str, Any] | None:
    """Who the disk is, as ``--json`` shows it."""
    if identity is None:
        return None
    return {
        "kind": identity.kind,
        "virtual_size": identity.virtual_size,
        "sector_size": identity.sector_size,
        "block_size": identity.block_size,
        "identity": str(identity.link),
        "disk_id": str(identity.disk_id) if identity.disk_id else None,
        "creator": units.printable(identity.creator),
    }
