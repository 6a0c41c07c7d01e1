"""Options that every verb has, and what they mean."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import click

from hvrescue.core.language import LANGUAGES, _

F = TypeVar("F", bound=Callable[..., Any])
GROUP = {"help_option_names": ["-h", "--help"], "max_content_width": 100}


@dataclass(slots=True)
class Output:
    """How the result is to be shown."""

    json: bool = False
    markdown: bool = False
    color: str = "auto"
    quiet: bool = False
    debug: bool = False

    @property
    def colored(self) -> bool | None:
        """None: by the terminal and ``NO_COLOR``."""
        return {"always": True, "never": False}.get(self.color)


def _keep(ctx: click.Context, param: click.Parameter, value: Any) -> Any:
    if value is not None and param.name is not None:
        setattr(ctx.ensure_object(Output), param.name, value)
    return value


def common(command: F) -> F:
    """``--json``, ``--lang``, ``--color``, ``--quiet`` and ``--debug``."""
    for name, keywords in _COMMON:
        option: Callable[[F], F] = click.option(*name, expose_value=False, callback=_keep, default=None, **keywords)
        command = option(command)
    add_lang: Callable[[F], F] = click.option(*_LANG, **_lang())
    return add_lang(command)


_COMMON: tuple[tuple[tuple[str, ...], dict[str, Any]], ...] = (
    (("--debug",), {"is_flag": True, "help": _("Show where in the program an error arose.")}),
    (("--quiet", "-q"), {"is_flag": True, "help": _("No progress, only the result.")}),
    (
        ("--color",),
        {
            "type": click.Choice(["auto", "always", "never"]),
            "help": _("Colours; auto heeds the terminal and NO_COLOR."),
        },
    ),
    (("--markdown",), {"is_flag": True, "help": _("The report as Markdown, for tickets and mails.")}),
    (("--json",), {"is_flag": True, "help": _("One JSON document on standard output.")}),
)
_LANG = ("--lang",)


def _lang() -> dict[str, Any]:
    return {
        "type": click.Choice(sorted(LANGUAGES)),
        "expose_value": False,
        "help": _("Language; else the system's."),
    }


def lang_option() -> click.Option:
    """``--lang`` is read before the command line exists; here it is only allowed and explained."""
    return click.Option(_LANG, **_lang())


def version_option() -> click.Option:
    """``--version``."""

    def show(ctx: click.Context, param: click.Parameter, value: bool) -> None:
        if value:
            from hvrescue import __version__

            click.echo(f"hvrescue {__version__}")
            ctx.exit()

    return click.Option(
        ("--version",), is_flag=True, is_eager=True, expose_value=False, callback=show, help=_("Show the version.")
    )


class Bytes(click.ParamType):  # type: ignore[type-arg]
    """A byte count or offset: 512 or 0x200, as reports print them."""

    name = "BYTES"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """Not negative."""
        try:
            number = int(str(value), 0)
        except ValueError:
            number = -1
        if number < 0:
            self.fail(_("{value} is no number of bytes, such as 512 or 0x200").format(value=value), param, ctx)
        return number


BYTES = Bytes()


class DriveMap(click.ParamType):  # type: ignore[type-arg]
    """``D:=/mnt/d``: where a drive of the host is found on this machine."""

    name = "D:=FOLDER"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[str, Path]:
        """(``D:``, folder)."""
        letter, _sign, folder = str(value).partition("=")
        path = Path(folder)
        if not (len(letter) == 2 and letter[0].isalpha() and letter[1] == ":") or not folder:
            self.fail(_("{value} is not of the form D:=FOLDER").format(value=value), param, ctx)
        if not path.is_dir():
            self.fail(_("{folder} is not a folder").format(folder=folder), param, ctx)
        return letter.upper(), path.absolute()


def drives(command: F) -> F:
    """``--map D:=FOLDER``."""
    return click.option(
        "--map", "drives", multiple=True, type=DriveMap(),
        help=_("Where a drive of the host is found on this machine; may be given several times."),
    )(command)  # fmt: skip


IMAGE = click.argument("image", type=click.Path(readable=False, path_type=Path), metavar="IMAGE")
