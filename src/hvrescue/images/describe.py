"""Fields of a format as ``disk info`` lists them: names from the specification, values, units."""

from __future__ import annotations

from typing import NamedTuple

from hvrescue.core.words import Scalar


class Field(NamedTuple):
    """``unit``: ``bytes``, ``offset`` or nothing."""

    name: str
    value: Scalar
    unit: str = ""
