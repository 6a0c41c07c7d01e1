"""A command group that knows its commands' names and one-line helps, and imports a command only to run it."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from dataclasses import dataclass

import click

from hvrescue.core.language import _


@dataclass(frozen=True, slots=True)
class Verb:
    """``target`` is ``module:attribute``; ``help`` is already in the language spoken."""

    target: str
    help: str


class FullGroup(click.Group):
    """Lists each command with its whole first sentence; Click would cut it."""

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The commands with their first sentences."""
        rows = [(name, command.get_short_help_str(200)) for name, command in self.commands.items()]
        with formatter.section(_("Commands")):
            formatter.write_dl(rows)


class LazyGroup(click.Group):
    """Lists without importing."""

    def __init__(self, *args: object, verbs: Mapping[str, Verb], **kwargs: object) -> None:
        super().__init__(*args, **kwargs)  # type: ignore[arg-type]
        self._verbs = verbs

    def list_commands(self, ctx: click.Context) -> list[str]:
        """In the order a person needs them."""
        return list(self._verbs)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import the command."""
        verb = self._verbs.get(cmd_name)
        if verb is None:
            return None
        module, _, attribute = verb.target.partition(":")
        command = getattr(importlib.import_module(module), attribute)
        assert isinstance(command, click.Command)  # noqa: S101 - a wrong table is our own mistake
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The commands with their one-line helps."""
        with formatter.section(_("Commands")):
            formatter.write_dl([(name, verb.help) for name, verb in self._verbs.items()])
