"""The doors of this format, as ``images/formats.py`` opens them."""

from __future__ import annotations

from uuid import UUID

from hvrescue.byteio.source import ByteSource
from hvrescue.images.describe import Field
from hvrescue.images.raw.disk import layer_of
from hvrescue.images.raw.survey import RawLayout, survey
from hvrescue.images.recognise import looks_like_a_disk as sniff
from hvrescue.images.survey import Survey


def link_of(source: ByteSource) -> UUID | None:
    """A raw image is nobody's parent."""
    return None


def describe(survey: Survey[RawLayout]) -> list[Field]:
    """A raw image says nothing of itself."""
    return []


__all__ = ["describe", "layer_of", "link_of", "sniff", "survey"]
