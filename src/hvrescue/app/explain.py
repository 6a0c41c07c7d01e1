"""``explain``: what a finding's code means."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator

from hvrescue.app.result import COULD_NOT_LOOK, HEALTHY, Result
from hvrescue.core.language import LANGUAGES, _
from hvrescue.document.model import Block, Bullets, Document, Facts, Heading, Item, Paragraph, Tone
from hvrescue.rules import catalogue
from hvrescue.rules.catalogue import Texts

SCHEMA = "hvrescue/explanation/1"
_CODE = re.compile(r"\b([A-Z]+(?:-[A-Z]+)?-\d{3})\b", re.IGNORECASE)
_FIELDS = ("title", "meaning", "next", "avoid", "action")


def explain(text: str) -> Result:
    """Explain every finding code in the text; what is not known is said to be not known."""
    asked = list(dict.fromkeys(found.upper() for found in _CODE.findall(text)))
    known = [code for code in asked if code in catalogue.codes()]
    unknown = [code for code in asked if code not in known] or ([] if known else [text.strip()])
    data = {
        "complete": not unknown,
        "asked": text,
        "explanations": [_data(code) for code in known],
        "unknown": unknown,
    }
    blocks = [block for code in known for block in _blocks(catalogue.texts(code, {}))]
    blocks += [block for code in unknown for block in _not_known(code)]
    return Result(Document(SCHEMA, data, tuple(blocks)), HEALTHY if known and not unknown else COULD_NOT_LOOK)


def _data(code: str) -> dict[str, object]:
    both = {lang: catalogue.texts(code, {}, lang) for lang in LANGUAGES}
    texts = {field: {lang: getattr(both[lang], field) for lang in LANGUAGES} for field in _FIELDS}
    return {"code": code, "invariants": list(both["en"].invariants), **texts}


def _blocks(texts: Texts) -> Iterator[Block]:
    yield Heading(f"{texts.code}: {texts.title}", 1)
    rows = [(_("meaning"), texts.meaning), (_("next"), texts.next), (_("do not"), texts.avoid)]
    if texts.action:
        rows.append((_("repair"), _("Not in this version.") + " " + texts.action))
    yield Facts(tuple(row for row in rows if row[1]))


def _not_known(code: str) -> Iterator[Block]:
    yield Paragraph(
        _("{code} is no finding code that this version knows.").format(code=code), _("UNKNOWN"), Tone.WARNING
    )
    near = difflib.get_close_matches(code.upper(), catalogue.codes(), 3)
    if near:
        items = tuple(Item(f"{c}: {catalogue.texts(c, {}).title}") for c in near)
        yield Paragraph(_("Similar codes:"))
        yield Bullets(items)
