"""What a verb gives back: a document and an exit code."""

from __future__ import annotations

from dataclasses import dataclass

from hvrescue.document.model import Document

HEALTHY, PROBLEMS, USAGE, COULD_NOT_LOOK, REFUSED, FAILED, INTERRUPTED = 0, 1, 2, 3, 4, 5, 130


@dataclass(frozen=True, slots=True)
class Result:
    """``document`` is printed as text or JSON; ``exit_code`` as DESIGN section 5 says."""

    document: Document
    exit_code: int
