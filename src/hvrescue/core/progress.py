"""How long work tells that it goes on. Skins decide how it looks."""

from __future__ import annotations

from typing import Protocol


class Progress(Protocol):
    """Receives progress in bytes or items; called often, so it must be cheap."""

    def start(self, what: str, total: int | None) -> None:
        """A piece of work begins; ``what`` is the name of the file or step."""

    def advance(self, amount: int) -> None:
        """So much more is done."""

    def end(self) -> None:
        """The piece of work is over."""


class Silent:
    """No progress shown."""

    def start(self, what: str, total: int | None) -> None:
        """Ignore."""

    def advance(self, amount: int) -> None:
        """Ignore."""

    def end(self) -> None:
        """Ignore."""
