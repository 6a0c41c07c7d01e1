"""Which language is spoken, and the UI strings in it.

``--lang`` decides, else the locale; the choice is made before the command line is imported, so that
help texts are right too. Knowledge and finding texts stand in the packs, both languages side by side.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Sequence

LANGUAGES = ("en", "de")
_LOCALE = os.path.join(os.path.dirname(__file__), "locale")  # noqa: PTH118, PTH120 - pathlib is slow to start


class _Spoken:
    """The one piece of state: the language of this process."""

    language = "en"
    translate: Callable[[str], str] = staticmethod(str)


def wanted_language(argv: Sequence[str]) -> str:
    """The language asked for by ``--lang``, ``HVRESCUE_LANG`` or the locale; English otherwise."""
    for i, word in enumerate(argv):
        if word == "--":
            break
        value = argv[i + 1] if word == "--lang" and i + 1 < len(argv) else word.removeprefix("--lang=")
        if value != word and value in LANGUAGES:
            return value
    for name in ("HVRESCUE_LANG", "LC_ALL", "LC_MESSAGES", "LANG"):
        if value := os.environ.get(name, ""):
            return "de" if value.lower().startswith("de") else "en"
    return _system_language()


def _system_language() -> str:
    """Windows sets no LANG: ask for the user's interface language."""
    if sys.platform == "win32":
        import ctypes

        primary = ctypes.windll.kernel32.GetUserDefaultUILanguage() & 0x3FF
        return "de" if primary == 0x07 else "en"
    return "en"


def speak(language: str) -> None:
    """Choose the language of this process."""
    translate: Callable[[str], str] = str
    if language != "en":
        import gettext

        # Click asks the process-wide catalogue for its own words ("Usage", "Options"): it is ours too.
        os.environ["LANGUAGE"] = language
        gettext.bindtextdomain("hvrescue", _LOCALE)
        gettext.textdomain("hvrescue")
        translate = gettext.gettext
    _Spoken.language = language
    _Spoken.translate = staticmethod(translate)


def language() -> str:
    """The language spoken: ``en`` or ``de``."""
    return _Spoken.language


def _(text: str) -> str:
    """A UI string in the language spoken."""
    return _Spoken.translate(text)
