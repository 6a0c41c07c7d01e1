"""``hvrescue demo``."""

from __future__ import annotations

import tempfile
from pathlib import Path

import click

from hvrescue.cli.options import GROUP, common
from hvrescue.cli.running import context, show
from hvrescue.core.language import _


@click.command(
    context_settings=GROUP,
    help=_("Build the storage of a broken host that does not exist, diagnose it, and tell what was planted."),
)
@click.argument("folder", type=click.Path(readable=False, path_type=Path), required=False, metavar="[FOLDER]")
@common
def demo(folder: Path | None) -> int:
    """Two commands from nothing to a diagnosis."""
    from hvrescue.app.demo import demo as run

    if folder is None:
        folder = Path(tempfile.mkdtemp(prefix="hvrescue-demo-"))
    elif folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise click.UsageError(_("{folder} is not an empty folder.").format(folder=folder))
    folder.mkdir(parents=True, exist_ok=True)
    return show(run(folder.absolute(), context()))
