"""What is said when a verb could not do its work: what, where, what next; and the exit code."""

from __future__ import annotations

from hvrescue.app import pieces
from hvrescue.app.result import Result
from hvrescue.core.errors import RescueError, Unreadable
from hvrescue.document.model import Document

SCHEMA = "hvrescue/error/1"


def failure(error: RescueError) -> Result:
    """A document of one finding."""
    ranges = error.ranges if isinstance(error, Unreadable) else ()
    data = {
        "complete": False,
        "exit_code": error.exit_code,
        "finding": pieces.finding_data(error.finding),
        "ranges": [{"offset": offset, "length": length} for offset, length in ranges[:1000]],
    }
    card = pieces.finding_card(error.finding, error.finding.where[0].path)
    return Result(Document(SCHEMA, data, (card,)), error.exit_code)
