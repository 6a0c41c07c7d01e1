"""``hvrescue disk``: one virtual disk and the chain beneath it."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from hvrescue.cli.lazy import FullGroup
from hvrescue.cli.options import BYTES, GROUP, IMAGE, common, drives, lang_option
from hvrescue.cli.running import context, show
from hvrescue.core.language import _


@click.group(
    "disk",
    cls=FullGroup,
    context_settings=GROUP,
    params=[lang_option()],
    help=_("Look at one virtual disk: VHDX, AVHDX, VHD, AVHD or raw."),
)
def disk() -> None:
    """The verbs of one disk."""


@disk.command(help=_("Check one disk and the parents beneath it. Reads only; structures, not content."))
@IMAGE
@drives
@common
def check(image: Path, drives: tuple[tuple[str, Path], ...]) -> int:
    """Survey and report."""
    from hvrescue.app.check import check_disk

    return show(check_disk(image, dict(drives), context()))


@disk.command(help=_("What the disk says of itself: sizes, identities, parent, use of its blocks."))
@IMAGE
@drives
@common
def info(image: Path, drives: tuple[tuple[str, Path], ...]) -> int:
    """Fields without judgement."""
    from hvrescue.app.info import disk_info

    return show(disk_info(image, dict(drives), context()))


@disk.command(help=_("Which disks this one depends on, by identity, down to the base; and where the chain breaks."))
@IMAGE
@drives
@common
def chain(image: Path, drives: tuple[tuple[str, Path], ...]) -> int:
    """The links."""
    from hvrescue.app.chain import disk_chain

    return show(disk_chain(image, dict(drives), context()))


@disk.command("map", help=_("Where each range of the guest lies: in which file, at which offset, or not known."))
@IMAGE
@click.option(
    "--most", type=click.IntRange(1, 1_000_000), default=1000, help=_("Show no more ranges than this [1000].")
)
@drives
@common
def map_(image: Path, most: int, drives: tuple[tuple[str, Path], ...]) -> int:
    """Extents."""
    from hvrescue.app.map import disk_map

    return show(disk_map(image, most, dict(drives), context()))


@disk.command(
    help=_(
        "Write the guest's bytes to standard output. Ends with exit code 3 before the first byte that cannot be "
        "known.\n\nExample: hvrescue disk cat a.vhdx --length 512 | xxd"
    )
)
@IMAGE
@click.option("--offset", type=BYTES, default=0, help=_("First byte [0]."))
@click.option("--length", type=BYTES, default=None, help=_("How many bytes; else all."))
@drives
@common
def cat(image: Path, offset: int, length: int | None, drives: tuple[tuple[str, Path], ...]) -> int:
    """Guest bytes."""
    from hvrescue.app.cat import cat_disk

    result = cat_disk(image, offset, length, sys.stdout.buffer, dict(drives), context())
    sys.stdout.flush()
    return show(result, sys.stderr)


@disk.command(
    help=_(
        "Write the guest, through chain and log, into a new file: raw, or VHDX when TARGET ends in .vhdx. The "
        "source is only read, TARGET must not exist yet.\n\nStrict: if any byte cannot be known, nothing is "
        "written (exit code 3). With --allow-damaged --hole-map FILE these ranges become zeros and FILE lists "
        "them.\n\n"
        "Example: hvrescue disk convert vm_1234.avhdx /mnt/safe/vm.vhdx"
    )
)
@IMAGE
@click.argument("target", type=click.Path(readable=False, path_type=Path), metavar="TARGET")
@click.option("--to", "kind", type=click.Choice(["raw", "vhdx"]), default=None, help=_("Format of TARGET."))
@click.option("--allow-damaged", is_flag=True, help=_("Zeros where bytes cannot be known; needs --hole-map."))
@click.option(
    "--hole-map",
    type=click.Path(readable=False, path_type=Path),
    metavar="FILE",
    help=_("List of the ranges that could not be known."),
)
@drives
@common
def convert(
    image: Path,
    target: Path,
    kind: str | None,
    allow_damaged: bool,
    hole_map: Path | None,
    drives: tuple[tuple[str, Path], ...],
) -> int:
    """Copy out."""
    if allow_damaged and hole_map is None:
        raise click.UsageError(_("--allow-damaged needs --hole-map FILE: without it nobody knows what is missing."))
    from hvrescue.app.convert import Wish, convert_disk

    return show(convert_disk(image, Wish(target, kind or "", allow_damaged, hole_map), dict(drives), context()))
