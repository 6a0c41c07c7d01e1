"""Where the program starts: choose the language, then import the command line in it."""

from __future__ import annotations

import sys

from hvrescue.core.language import speak, wanted_language


def main() -> None:
    """Run ``hvrescue`` and leave with its exit code."""
    speak(wanted_language(sys.argv[1:]))
    from hvrescue.cli.main import cli
    from hvrescue.cli.running import run

    sys.exit(run(cli, sys.argv[1:]))
