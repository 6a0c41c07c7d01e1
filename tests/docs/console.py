"""Runs the ```console blocks of a page: each command for real, and what is shown must be what is printed.

``$ command`` is run; the lines after it are its output. ``...`` in a line stands for anything, ``...`` alone for any
number of lines. ``/mnt`` stands for a folder that the test has prepared, in commands and in what they print.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

BLOCK = re.compile(r"^```console\n(.*?)^```$", re.MULTILINE | re.DOTALL)
PLACE = "/mnt"
WIDTH = 100


@dataclass(frozen=True, slots=True)
class Step:
    """A command and the output shown below it."""

    command: str
    shown: tuple[str, ...]


def steps(page: str) -> Iterator[Step]:
    """Every command of a page's console blocks."""
    for block in BLOCK.findall(page):
        command, shown = "", list[str]()
        for line in block.splitlines():
            if line.startswith("$ "):
                if command:
                    yield Step(command, tuple(shown))
                command, shown = line.removeprefix("$ "), []
            else:
                assert command, f"output before the first command: {line}"
                shown.append(line.rstrip())
        if command:
            yield Step(command, tuple(shown))


@dataclass(slots=True)
class Shell:
    """Runs commands one after the other; ``$?`` is that of the command before."""

    place: Path
    language: str
    code: int = 0

    def run(self, command: str) -> list[str]:
        """What it prints, errors too, without blanks at the ends of lines."""
        bin_ = Path(sys.executable).parent
        environment = {
            "PATH": os.pathsep.join((str(bin_), os.defpath)), "COLUMNS": str(WIDTH), "HVRESCUE_LANG": self.language,
            "LC_ALL": "C.UTF-8", "HOME": str(self.place),
        }  # fmt: skip
        script = f"(exit {self.code}); {command.replace(PLACE, str(self.place))}"
        done = subprocess.run(
            ["bash", "-c", script], cwd=self.place, env=environment, encoding="utf-8", timeout=30,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, check=False,
        )  # fmt: skip
        self.code = done.returncode
        return [line.rstrip() for line in done.stdout.replace(str(self.place), PLACE).splitlines()]


def matches(shown: tuple[str, ...], printed: list[str]) -> bool:
    """Whether the printed lines are those shown."""
    pattern = "".join(
        r"(?:.*\n)*?" if line == "..." else ".*?".join(map(re.escape, line.split("..."))) + r"\n" for line in shown
    )
    return re.fullmatch(pattern, "".join(f"{line}\n" for line in printed)) is not None
