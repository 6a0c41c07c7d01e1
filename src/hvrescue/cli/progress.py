"""Progress on standard error: one line that renews itself on a terminal, a line now and then elsewhere."""

from __future__ import annotations

import time
from typing import TextIO

from hvrescue.core import units

_PATIENCE = 1.0
"""Seconds before anything is shown: what is quick needs no progress."""


class Lines:
    """Shows bytes done; on a terminal in place, elsewhere every five seconds."""

    def __init__(self, file: TextIO) -> None:
        self._file = file
        self._terminal = file.isatty()
        self._every = 0.2 if self._terminal else 5.0
        self._what, self._total, self._done = "", 0, 0
        self._next = self._begun = 0.0

    def start(self, what: str, total: int | None) -> None:
        """A piece of work begins."""
        self._what, self._total, self._done = units.printable(what, 60), total or 0, 0
        self._begun = time.monotonic()
        self._next = self._begun + _PATIENCE

    def advance(self, amount: int) -> None:
        """So many bytes more."""
        self._done += amount
        now = time.monotonic()
        if now >= self._next:
            self._next = now + self._every
            self._show(now)

    def _show(self, now: float) -> None:
        speed = units.size(int(self._done / max(now - self._begun, 0.001)))
        share = f"{100 * self._done // self._total:3d} %  " if self._total else ""
        line = f"{self._what}  {share}{units.size(self._done)}  {speed}/s"
        self._file.write(f"\r\x1b[K{line}" if self._terminal else f"{line}\n")
        self._file.flush()

    def end(self) -> None:
        """The piece of work is over; the terminal's line is cleared."""
        if self._terminal and time.monotonic() >= self._begun + _PATIENCE:
            self._file.write("\r\x1b[K")
            self._file.flush()
