"""``hvrescue diagnose``."""

from __future__ import annotations

from pathlib import Path

import click

from hvrescue.cli.options import GROUP, common, drives
from hvrescue.cli.running import context, show
from hvrescue.core.language import _


@click.command(
    context_settings=GROUP,
    help=_(
        "Look at everything below one or more folders: a host's disk that is mounted here, copied files, one disk. "
        "Says what is damaged and where, who hangs on whom, what to do first and what not to do. Reads only.\n\n"
        "Example: hvrescue diagnose /mnt/host --map D:=/mnt/host-d"
    ),
)
@click.argument(
    "sources", nargs=-1, required=True, type=click.Path(readable=False, path_type=Path), metavar="SOURCE..."
)
@drives
@common
def diagnose(sources: tuple[Path, ...], drives: tuple[tuple[str, Path], ...]) -> int:
    """The main job."""
    from hvrescue.app.diagnose import diagnose as run

    return show(run(sources, dict(drives), context()))
