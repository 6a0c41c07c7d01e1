"""``disk chain``: who the disk hangs on, link by link, and who else hangs there."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from hvrescue.app import pieces
from hvrescue.app.check import all_not_looked, link_data
from hvrescue.app.looking import Drives, Looked, look_at
from hvrescue.app.result import COULD_NOT_LOOK, HEALTHY, PROBLEMS, Result
from hvrescue.core.context import Context
from hvrescue.core.language import _
from hvrescue.core.words import Severity, Verdict, worst
from hvrescue.document.model import Block, Document, Facts, Heading, Paragraph, Table, Tone

SCHEMA = "hvrescue/disk-chain/1"


def disk_chain(path: Path, drives: Drives, ctx: Context) -> Result:
    """The chain from the disk asked for down to its base. Exit 1 when it is broken or a link is damaged."""
    looked = look_at(path, drives, ctx)
    chain = looked.chain
    whole = chain.broken is None and all(link.verdict == Verdict.HEALTHY for link in chain.links)
    notes = all_not_looked(looked)
    data: dict[str, Any] = {
        "complete": not notes,
        "path": looked.survey.source.name,
        "whole": whole,
        "chain": [link_data(link) for link in chain.links],
        "findings": [pieces.finding_data(f) for f in chain.findings],
        "not_looked": pieces.not_looked_data(notes),
    }
    bad = not whole or worst(chain.findings) >= Severity.WARNING
    code = PROBLEMS if bad else COULD_NOT_LOOK if notes else HEALTHY
    return Result(Document(SCHEMA, data, tuple(_blocks(looked, whole))), code)


def _blocks(looked: Looked, whole: bool) -> Iterator[Block]:
    chain = looked.chain
    yield Heading(looked.survey.source.name, 1)
    if whole:
        text = _("Files, from the newest down to the base: {count}. Every link fits.")
        yield Paragraph(text.format(count=len(chain.links)), _("WHOLE"), Tone.GOOD)
    else:
        yield Paragraph(_("The chain is broken or one of its files is damaged."), _("NOT WHOLE"), Tone.ERROR)
    rows = tuple(
        (
            str(n),
            link.source.name,
            pieces.verdict_word(link.verdict),
            pieces.kind_words(link.identity, link.format),
            str(link.identity.link) if link.identity else "",
        )
        for n, link in enumerate(chain.links)
    )
    yield Table(("", _("file"), _("state"), _("kind"), _("identity")), rows)
    leaf = chain.links[-1]
    if chain.broken is not None and leaf.parent is not None:
        recorded = [(kind, path) for kind, path in leaf.parent.paths]
        yield Facts((*recorded, (_("identity wanted"), str(leaf.parent.accepted[0]))))
    for finding in chain.findings:
        yield pieces.finding_card(finding)
    yield from pieces.not_looked_blocks(all_not_looked(looked))
