"""Fields of a format as ``disk info`` lists them: names from the specification, values, units."""

from __future__ import annotations

from dataclasses import dataclass

from hvrescue.core.words import Scalar


@dataclass(frozen=True, slots=True)
class Field:
    """``unit``: ``bytes``, ``offset`` or nothing."""

    name: str
    value: Scalar
    unit: str = ""
