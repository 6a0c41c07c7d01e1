"""Is every UI string translated? ``--update`` writes the strings of the source into the ``.po`` files.

The strings in the source are English; each other language has its ``.po``. Texts of findings are not here:
they stand in the packs, both languages side by side.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from babel.messages.catalog import Catalog, Message
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po, write_po

ROOT = Path(__file__).resolve().parents[2]
SOURCE = ROOT / "src" / "hvrescue"
LANGUAGES = ("de",)
CREATED = datetime(2026, 1, 1, tzinfo=UTC)  # the history of changes tells when; a date here would only make noise
PLACEHOLDER = re.compile(r"{(\w*)[^{}]*}")


def source_strings(source: Path) -> Catalog:
    """Every string the source marks for translation, with its places, as a template."""
    template = Catalog(charset="utf-8")
    found = extract_from_dir(source, [("**.py", "python")], comment_tags=("Translators:",), strip_comment_tags=True)
    for name, line, msgid, comments, context in found:
        template.add(msgid, None, [(Path(name).as_posix(), line)], auto_comments=comments, context=context)
    return template


def translations(source: Path, language: str) -> Path:
    """The ``.po`` of a language."""
    return source / "core" / "locale" / language / "LC_MESSAGES" / "hvrescue.po"


def _key(message: Message) -> tuple[str, str | None]:
    return (message.id if isinstance(message.id, str) else message.id[0]), message.context


def _placeholders(text: str) -> set[str]:
    return set(PLACEHOLDER.findall(text))


def _is_clicks(message: Message) -> bool:
    """A word of Click's own, which it looks up in our catalogue; no source of ours has it."""
    return any("Click" in comment for comment in message.user_comments)


def problems(source: Path, language: str) -> Iterator[str]:
    """What keeps a language from being complete."""
    po = translations(source, language)
    template = source_strings(source)
    wanted = {_key(m): m for m in template if m.id}
    if not po.exists():
        if wanted:
            yield f"{po.name} for {language!r} does not exist, and {len(wanted)} strings want translating"
        return
    with po.open("rb") as file:
        catalogue = read_po(file, locale=language, abort_invalid=True)
    have = {_key(m): m for m in catalogue if m.id}
    for key, message in wanted.items():
        place = "{}:{}".format(*message.locations[0])
        theirs = have.get(key)
        if theirs is None:
            yield f"{place}: not in {language}: {key[0]!r}"
            continue
        forms = theirs.string if isinstance(theirs.string, tuple | list) else (theirs.string,)
        strings = [str(form or "") for form in forms]
        if not all(strings):
            yield f"{place}: not translated into {language}: {key[0]!r}"
        elif theirs.fuzzy:
            yield f"{place}: only guessed (fuzzy) in {language}: {key[0]!r}"
        elif any(_placeholders(one) != _placeholders(key[0]) for one in strings):
            yield f"{place}: other placeholders in {language}: {key[0]!r}"
    for key in have.keys() - wanted.keys():
        if _is_clicks(have[key]):
            continue
        yield f"{po.name}: no longer in the source: {key[0]!r}"


def update(source: Path, language: str) -> None:
    """Bring the ``.po`` up to the source: new strings come empty, old ones go; nothing is guessed."""
    po = translations(source, language)
    template = source_strings(source)
    catalogue = Catalog(locale=language, charset="utf-8", creation_date=CREATED, revision_date=CREATED)
    if po.exists():
        with po.open("rb") as file:
            catalogue = read_po(file, locale=language)
    catalogue.project, catalogue.version, catalogue.fuzzy = "hvrescue", "0", False
    catalogue.msgid_bugs_address = "the issues of the repository"
    catalogue.header_comment = (
        f"# The strings of hvrescue in {language}; written by scripts/lib/catalogue.py --update"
    )
    catalogue.last_translator = catalogue.language_team = "the hvrescue contributors"
    clicks = [message for message in catalogue if message.id and _is_clicks(message)]
    catalogue.update(template, no_fuzzy_matching=True, update_header_comment=False, update_creation_date=False)
    catalogue.obsolete.clear()
    for message in clicks:
        catalogue[message.id] = message
    po.parent.mkdir(parents=True, exist_ok=True)
    with po.open("wb") as file:
        write_po(file, catalogue, width=110, sort_output=True, include_lineno=False)


def main(argv: list[str]) -> int:
    """Check, or with ``--update`` write."""
    if argv == ["--update"]:
        for language in LANGUAGES:
            update(SOURCE, language)
        return 0
    if argv:
        print("usage: python scripts/lib/catalogue.py [--update]", file=sys.stderr)
        return 2
    wrong = [line for language in LANGUAGES for line in problems(SOURCE, language)]
    for line in wrong:
        print(line, file=sys.stderr)
    if wrong:
        print("scripts/lib/catalogue.py --update adds what is missing; then translate it", file=sys.stderr)
        return 1
    count = sum(1 for m in source_strings(SOURCE) if m.id)
    print(f"strings: {count}, complete in {', '.join(LANGUAGES)}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
