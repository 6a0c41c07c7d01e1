"""``hvrescue explain``."""

from __future__ import annotations

import click

from hvrescue.cli.options import GROUP, common
from hvrescue.cli.running import show
from hvrescue.core.language import _


@click.command(
    context_settings=GROUP,
    help=_("What a finding's code means, what to do next and what not.\n\nExample: hvrescue explain VHDX-BAT-005"),
)
@click.argument("code", nargs=-1, required=True)
@common
def explain(code: tuple[str, ...]) -> int:
    """Explain codes, or a text that holds some."""
    from hvrescue.app.explain import explain as run

    return show(run(" ".join(code)))
