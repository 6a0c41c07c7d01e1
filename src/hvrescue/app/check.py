"""``disk check``: is this disk whole, and if not, where not."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from hvrescue.app import pieces
from hvrescue.app.looking import Drives, Looked, look_at
from hvrescue.app.result import COULD_NOT_LOOK, HEALTHY, PROBLEMS, Result
from hvrescue.core.context import Context
from hvrescue.core.language import _
from hvrescue.core.words import Finding, NotLooked, Severity, Verdict
from hvrescue.document.model import Block, Document, Facts, Heading, Paragraph
from hvrescue.images.survey import Survey

SCHEMA = "hvrescue/disk-check/1"


def check_disk(path: Path, drives: Drives, ctx: Context) -> Result:
    """Survey one disk and the chain beneath it. Raises ``RescueError`` when the file cannot be opened."""
    looked = look_at(path, drives, ctx)
    verdict = looked.chain.verdict
    code = {Verdict.HEALTHY: HEALTHY, Verdict.UNKNOWN: COULD_NOT_LOOK}.get(verdict, PROBLEMS)
    return Result(Document(SCHEMA, _data(looked, verdict), tuple(_blocks(looked, verdict))), code)


def all_findings(looked: Looked) -> tuple[Finding, ...]:
    """The disk's own, then its chain's, then its parents'; the worst first within each."""
    parents = [f for link in looked.chain.links[1:] for f in link.findings if f.severity > Severity.INFO]
    return (*looked.survey.findings, *looked.chain.findings, *parents)


def all_not_looked(looked: Looked) -> tuple[NotLooked, ...]:
    """What was not looked at, in the disk, its parents and the search for them."""
    links = [note for link in looked.chain.links for note in link.not_looked]
    return (*links, *looked.chain.not_looked)


def _data(looked: Looked, verdict: Verdict) -> dict[str, Any]:
    survey, not_looked = looked.survey, all_not_looked(looked)
    return {
        "complete": not not_looked,
        "path": survey.source.name,
        "format": survey.format,
        "verdict": verdict.value,
        "disk": pieces.identity_data(survey.identity),
        "findings": [pieces.finding_data(f) for f in all_findings(looked)],
        "chain": [link_data(link) for link in looked.chain.links],
        "not_looked": pieces.not_looked_data(not_looked),
    }


def link_data(link: Survey[Any]) -> dict[str, Any]:
    """One disk of a chain, as ``--json`` shows it."""
    return {
        "path": link.source.name,
        "format": link.format,
        "verdict": link.verdict.value,
        "disk": pieces.identity_data(link.identity),
        "parent": [str(guid) for guid in link.parent.accepted] if link.parent else [],
    }


def _blocks(looked: Looked, verdict: Verdict) -> Iterator[Block]:
    survey = looked.survey
    yield Heading(survey.source.name, 1)
    yield Paragraph(pieces.verdict_sentence(verdict), pieces.verdict_word(verdict), pieces.VERDICT_TONES[verdict])
    rows = [(_("disk"), pieces.kind_words(survey.identity, survey.format))]
    if survey.identity and survey.identity.creator:
        rows.append((_("written by"), survey.identity.creator))
    for n, link in enumerate(looked.chain.links[1:], 1):
        words = f"{link.source.name} ({pieces.verdict_word(link.verdict)})"
        rows.append((_("parent") if n == 1 else _("its parent"), words))
    yield Facts(tuple(rows))
    for finding in all_findings(looked):
        elsewhere = finding.where[0].path != survey.source.name
        refused_for = survey.refusal.finding if survey.refusal and not elsewhere else None
        yield pieces.finding_card(finding, finding.where[0].path if elsewhere else "", refused_for=refused_for)
    yield from pieces.not_looked_blocks(all_not_looked(looked))
