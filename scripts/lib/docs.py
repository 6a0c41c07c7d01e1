"""The pages that are written by a program: every finding, and every command's help, in both languages.

``docs.py`` writes them below ``docs``; ``docs.py --check`` only says which of them are not up to date.
Findings come from the compiled catalogue (``python hatch_build.py`` compiles it), helps from the command line itself.
"""

from __future__ import annotations

import difflib
import json
import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
COMPILED = ROOT / "src" / "hvrescue" / "rules" / "compiled.json"
DOCS = ROOT / "docs"
LANGUAGES = ("en", "de")
WIDTH = 96
"""Columns of the helps, whatever the terminal is."""

_HOLE = re.compile(r"\{(\w+)(?::\w+)?\}")
_CODE = re.compile(
    r"(hvrescue (?:disk [a-z]+|diagnose|explain)(?: (?:[A-Z]{2,}\b|--[a-z-]+|\{\w+\}))*"  # a command to type
    r"|\{\w+(?::\w+)?\})"  # a value of the case
)
_SPECIAL = re.compile(r"([\\`*_\[\]<>|])")

_GROUPS: dict[str, dict[str, str]] = {
    "CHAIN": {"en": "Chains: a disk and its parents", "de": "Ketten: ein Datenträger und seine übergeordneten"},
    "DIA": {"en": "The diagnosis as a whole", "de": "Die Diagnose als Ganzes"},
    "IMG": {"en": "Files that are no disk, and content that is not known",
            "de": "Dateien, die kein Datenträger sind, und Inhalt, der nicht bekannt ist"},
    "OUT": {"en": "Writing a new file", "de": "Eine neue Datei schreiben"},
    "RAW": {"en": "Raw images", "de": "Rohabbilder"},
    "SRC": {"en": "Sources: files, folders, drives", "de": "Quellen: Dateien, Ordner, Laufwerke"},
    "VHD-BAT": {"en": "VHD: table of blocks (BAT)", "de": "VHD: Tabelle der Blöcke (BAT)"},
    "VHD-BMP": {"en": "VHD: sector bitmaps", "de": "VHD: Sektor-Bitmaps"},
    "VHD-FTR": {"en": "VHD: footers", "de": "VHD: Footer"},
    "VHD-HDR": {"en": "VHD: dynamic header", "de": "VHD: dynamischer Header"},
    "VHD-LOC": {"en": "VHD: parent locators", "de": "VHD: Verweise auf den übergeordneten Datenträger"},
    "VHDX-BAT": {"en": "VHDX: table of blocks (BAT)", "de": "VHDX: Tabelle der Blöcke (BAT)"},
    "VHDX-FILE": {"en": "VHDX: the file as a whole", "de": "VHDX: die Datei als Ganzes"},
    "VHDX-HDR": {"en": "VHDX: headers", "de": "VHDX: Header"},
    "VHDX-ID": {"en": "VHDX: file identifier", "de": "VHDX: Dateikennung"},
    "VHDX-LOC": {"en": "VHDX: parent locator", "de": "VHDX: Verweis auf den übergeordneten Datenträger"},
    "VHDX-LOG": {"en": "VHDX: log", "de": "VHDX: Log"},
    "VHDX-META": {"en": "VHDX: metadata", "de": "VHDX: Metadaten"},
    "VHDX-REG": {"en": "VHDX: region tables", "de": "VHDX: Regionstabellen"},
}  # fmt: skip

_WORDS: dict[str, dict[str, str]] = {
    "findings": {"en": "Findings", "de": "Befunde"},
    "findings-intro": {
        "en": """
Every code that hvrescue can print, with all it has to say about it. A code never changes its meaning.
On the command line: `hvrescue explain CODE`.

How grave a finding is depends on the case; the program says it beside the code. Words set `like_this` stand for
values of the case at hand. *Repair* says what a repair would do and cost; **this version does not repair**.
*Rule* names the rule of the format that is broken, by the project's own numbers.
""",
        "de": """
Jeder Code, den hvrescue ausgeben kann, mit allem, was es dazu sagt. Ein Code ändert seine Bedeutung nie.
Auf der Befehlszeile: `hvrescue explain CODE`.

Wie schwer ein Befund wiegt, hängt vom Fall ab; das Programm sagt es neben dem Code. Wörter in `dieser_Schrift` stehen
für Werte des Falls. *Reparatur* sagt, was eine Reparatur täte und kostete; **diese Version repariert nicht**.
*Regel* nennt die verletzte Regel des Formats, mit den Nummern des Projekts.
""",
    },
    "meaning": {"en": "Meaning", "de": "Bedeutung"},
    "next": {"en": "Next", "de": "Als Nächstes"},
    "avoid": {"en": "Do not", "de": "Nicht tun"},
    "action": {"en": "Repair", "de": "Reparatur"},
    "rule": {"en": "Rule", "de": "Regel"},
    "cli": {"en": "Commands", "de": "Befehle"},
    "cli-intro": {
        "en": "The help of every command, as `--help` prints it.",
        "de": "Die Hilfe jedes Befehls, wie `--help` sie ausgibt.",
    },
    "generated": {
        "en": "Written by scripts/lib/docs.py; changes here are lost.",
        "de": "Geschrieben von scripts/lib/docs.py; Änderungen hier gehen verloren.",
    },
}  # fmt: skip


def pages() -> Iterator[tuple[Path, str]]:
    """Each page and its text."""
    catalogue: dict[str, Any] = json.loads(COMPILED.read_text(encoding="utf-8"))["findings"]
    for lang in LANGUAGES:
        suffix = ".md" if lang == "en" else f".{lang}.md"
        yield DOCS / f"findings{suffix}", _page(lang, _findings(catalogue, lang))
        yield DOCS / f"cli{suffix}", _page(lang, _commands(lang))


def _page(lang: str, parts: Iterator[str]) -> str:
    return "\n\n".join((f"<!-- {_WORDS['generated'][lang]} -->", *parts)) + "\n"


def _findings(catalogue: dict[str, Any], lang: str) -> Iterator[str]:
    yield f"# {_WORDS['findings'][lang]}"
    yield _WORDS["findings-intro"][lang].strip()
    group = ""
    for code in sorted(catalogue):
        if group != (group := code.rpartition("-")[0]):
            yield f"## {_GROUPS[group][lang] if group in _GROUPS else group}"
        yield f"### {code}"
        row = catalogue[code]
        yield f"**{_markdown(row['title'][lang])}**"
        lines = [
            f"- **{_WORDS[field][lang]}:** {_markdown(row[field][lang])}"
            for field in ("meaning", "next", "avoid", "action")
            if row.get(field, {}).get(lang)
        ]
        if row.get("invariant"):
            lines.append(f"- **{_WORDS['rule'][lang]}:** {', '.join(row['invariant'])}")
        yield "\n".join(lines)


def _markdown(text: str) -> str:
    """A text of the catalogue: commands and placeholders as code, everything else as it stands."""
    parts = _CODE.split(" ".join(text.split()))
    parts[::2] = [_SPECIAL.sub(r"\\\1", part) for part in parts[::2]]
    parts[1::2] = ["`" + _HOLE.sub(r"\1", part) + "`" for part in parts[1::2]]
    return "".join(parts)


def _commands(lang: str) -> Iterator[str]:
    yield f"# {_WORDS['cli'][lang]}"
    yield _WORDS["cli-intro"][lang]
    # The language is chosen before the command line is imported: a process of its own.
    command = [sys.executable, str(Path(__file__).resolve()), "--helps", lang]
    environment = {**os.environ, "PYTHONUTF8": "1"}
    printed = subprocess.run(command, check=True, capture_output=True, env=environment).stdout
    for name, text in json.loads(printed).items():
        yield f"## {name}"
        yield f"```text\n{text}\n```"


def _helps(lang: str) -> dict[str, str]:
    from hvrescue.core.language import speak

    speak(lang)
    import click

    from hvrescue.cli.main import cli

    found: dict[str, str] = {}

    def walk(command: click.Command, name: str, above: click.Context | None) -> None:
        # The width is given, so that no terminal has a say.
        settings = {**command.context_settings, "terminal_width": WIDTH, "max_content_width": WIDTH}
        context = click.Context(command, info_name=name, parent=above, **settings)
        lines = [line.rstrip() for line in command.get_help(context).strip().splitlines()]
        found[context.command_path] = "\n".join(lines)
        if isinstance(command, click.Group):
            for member in command.list_commands(context):
                inner = command.get_command(context, member)
                if inner is not None:
                    walk(inner, member, context)

    walk(cli, "hvrescue", None)
    return found


def _differences(path: Path, wanted: str) -> str:
    """Nothing when the page is up to date, else what would change, shortened."""
    there = path.read_text(encoding="utf-8") if path.exists() else ""
    if there == wanted:
        return ""
    name = path.relative_to(ROOT).as_posix()
    lines = list(difflib.unified_diff(there.splitlines(), wanted.splitlines(), name, "wanted", n=1, lineterm=""))
    rest = [f"... and {len(lines) - 40} lines more"] if len(lines) > 40 else []
    return "\n".join([*lines[:40], *rest])


def main(argv: list[str]) -> int:
    """Write, or with ``--check`` compare."""
    if argv[:1] == ["--helps"] and argv[1:] in ([lang] for lang in LANGUAGES):
        sys.stdout.write(json.dumps(_helps(argv[1])))
        return 0
    if argv not in ([], ["--check"]):
        print("usage: python scripts/lib/docs.py [--check]", file=sys.stderr)
        return 2
    work: Callable[[Path, str], str] = _differences if argv else _write
    stale = [said for path, text in pages() if (said := work(path, text))]
    for said in stale:
        print(said, file=sys.stderr)
    if stale:
        print("python scripts/lib/docs.py writes them anew", file=sys.stderr)
    return 1 if stale else 0


def _write(path: Path, text: str) -> str:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8", newline="\n")
    return ""


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
