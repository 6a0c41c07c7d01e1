"""Running a verb: its result printed, its errors in one line each, its exit code."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, TextIO

import click

from hvrescue.cli.options import Output
from hvrescue.core.language import _
from hvrescue.core.units import printable

if TYPE_CHECKING:
    from hvrescue.app.result import Result
    from hvrescue.core.context import Context
    from hvrescue.core.errors import RescueError

INTERRUPTED, USAGE, BROKEN = 130, 2, 5


def run(cli: click.Command, argv: Sequence[str]) -> int:
    """The exit code. Nothing escapes: not a stack trace, unless ``--debug`` asks for it."""
    output = Output()
    try:
        code = cli.main(list(argv), prog_name="hvrescue", standalone_mode=False, obj=output)
        return code if isinstance(code, int) else 0
    except click.exceptions.Exit as leave:
        return leave.exit_code
    except click.exceptions.NoArgsIsHelpError as help_wanted:
        help_wanted.show()
        return USAGE
    except click.ClickException as error:
        # Names that a shell found may be in the message, with anything in them.
        message = printable(error.format_message(), 2000)
        click.UsageError(message, getattr(error, "ctx", None)).show()
        return USAGE
    except (KeyboardInterrupt, click.Abort):
        click.echo(_("Interrupted. Nothing was changed; the same command starts again."), err=True)
        return INTERRUPTED
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except Exception as error:
        from hvrescue.core.errors import RescueError

        if output.debug:
            raise
        if isinstance(error, RescueError):
            return _say(error, output)
        kind = printable(f"{type(error).__name__}: {error}", 2000)
        click.echo(_("This is a mistake in hvrescue, not in your disks: {kind}").format(kind=kind), err=True)
        click.echo(
            _("Nothing was changed. Please report it with the output of the same command and --debug."),
            err=True,
        )
        return BROKEN


def _say(error: RescueError, output: Output) -> int:
    from hvrescue.app.failure import failure

    return _print(failure(error), output, sys.stdout if output.json else sys.stderr)


def show(result: Result, file: TextIO | None = None) -> int:
    """Print a verb's document and give its exit code."""
    return _print(result, click.get_current_context().ensure_object(Output), file or sys.stdout)


def _print(result: Result, output: Output, file: TextIO) -> int:
    if output.json:
        from hvrescue.document.json import render_json

        # One document on standard output; only where guest bytes went there it stands on standard error.
        print(render_json(result.document), file=file)
    elif output.markdown:
        from hvrescue.document.markdown import render_markdown

        file.write(render_markdown(result.document))
    elif result.document.blocks:
        from hvrescue.document.terminal import print_document

        print_document(result.document, file, output.colored)
    return result.exit_code


def context() -> Context:
    """The context of a verb: progress on a terminal unless it was asked to be quiet."""
    from hvrescue.cli.progress import Lines
    from hvrescue.core.context import Context

    output = click.get_current_context().ensure_object(Output)
    return Context() if output.quiet else Context(progress=Lines(sys.stderr))
