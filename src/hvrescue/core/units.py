"""Sizes, numbers and offsets as a person reads them, in the language spoken."""

from __future__ import annotations

from hvrescue.core.language import language

_UNITS = ("B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB")


def number(value: int | float, digits: int = 0) -> str:
    """``1,234.5`` in English, ``1.234,5`` in German."""
    text = f"{value:,.{digits}f}" if digits else f"{value:,}"
    if language() == "de":
        text = text.replace(",", "\0").replace(".", ",").replace("\0", ".")
    return text


def size(count: int) -> str:
    """A byte count with a binary unit: ``2 MiB``, ``1.5 GiB``."""
    value, unit = float(count), 0
    while abs(value) >= 1024 and unit < len(_UNITS) - 1:
        value, unit = value / 1024, unit + 1
    digits = 0 if value == int(value) else 1
    return f"{number(round(value, 1), digits) if digits else number(int(value))} {_UNITS[unit]}"


def offset(value: int) -> str:
    """A file offset as hexadecimal, the way a hex editor shows it."""
    return f"0x{value:X}"


def printable(text: str, limit: int = 400) -> str:
    """Text from a source, safe for a terminal: control and direction marks escaped, length capped."""
    shown = text[:limit]
    if not shown.isprintable():
        shown = "".join(c if c.isprintable() else f"\\x{ord(c):02x}" for c in shown)
    return shown + ("…" if len(text) > limit else "")
