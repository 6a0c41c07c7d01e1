"""The pages people read, and what is compared between their languages."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
GERMAN = sorted([ROOT / "README.de.md", *(ROOT / "docs").rglob("*.de.md")])
ENGLISH = sorted([ROOT / "README.md", *(p for p in (ROOT / "docs").rglob("*.md") if not p.name.endswith(".de.md"))])
PRESENT = [*ENGLISH, *GERMAN, ROOT / "ARCHITECTURE.md", ROOT / "CHANGELOG.md"]
"""Pages that speak of what there is now."""
EVERY = [*PRESENT, ROOT / "CONTRIBUTING.md", ROOT / "SECURITY.md"]

_FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_COMMENT = re.compile(r"\s+#.*$", re.MULTILINE)


def text_of(page: Path) -> str:
    """The whole page."""
    return page.read_text(encoding="utf-8")


def headings(text: str) -> list[str]:
    """The levels of its headings, in order: ``##``."""
    return re.findall(r"^(#+) ", _FENCE.sub("", text), re.MULTILINE)


def blocks(text: str) -> list[tuple[str, str]]:
    """(language, what must be the same in every language) of its code blocks."""
    return [(kind, _common(kind, body)) for kind, body in _FENCE.findall(text)]


def _common(kind: str, body: str) -> str:
    """Commands of a session, code without its comments; the text of a help is its language's own."""
    if kind == "console":
        return "\n".join(line for line in body.splitlines() if line.startswith("$ "))
    return "" if kind == "text" else _COMMENT.sub("", body)


def code_spans(text: str) -> list[str]:
    """What stands between back quotes in running text."""
    return re.findall(r"`([^`\n]+)`", _FENCE.sub("", text))
