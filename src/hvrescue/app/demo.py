"""``demo``: a broken host's storage built, diagnosed, and what was planted held against what was found."""

from __future__ import annotations

from pathlib import Path

from hvrescue.app.diagnose import SCHEMA, diagnose
from hvrescue.app.result import FAILED, HEALTHY, Result
from hvrescue.core.context import Context
from hvrescue.core.language import _, language
from hvrescue.core.words import Verdict
from hvrescue.document.model import Document, Heading, Paragraph, Table, Tone
from hvrescue.lab.host import build_host


def demo(folder: Path, ctx: Context) -> Result:
    """Build below ``folder``, which must be empty. Exit 0 when exactly what was planted was found."""
    stories = build_host(folder)
    found = diagnose([folder], {}, ctx)
    verdicts = {disk["path"]: disk["verdict"] for disk in found.document.data["disks"]}
    rows, right = [], True
    for story in stories:
        verdict = verdicts.get(str(story.path), "")
        agrees = (verdict == Verdict.HEALTHY) == story.harmless
        right = right and agrees
        told = story.told[language()]
        rows.append((str(story.path.relative_to(folder)), told, _("as it should be") if agrees else _("WRONG")))
    lead, tone = (_("RIGHT"), Tone.GOOD) if right else (_("WRONG"), Tone.ERROR)
    blocks = (
        *found.document.blocks,
        Heading(_("The truth about this demonstration")),
        Paragraph(_("This host does not exist. This is what was done to its disks on purpose:"), lead, tone),
        Table((_("disk"), _("what was done"), _("the diagnosis is")), tuple(rows)),
        Paragraph(_("The folder is still there to try things out: {folder}").format(folder=folder), tone=Tone.QUIET),
    )
    return Result(Document(SCHEMA, found.document.data, blocks), HEALTHY if right else FAILED)
