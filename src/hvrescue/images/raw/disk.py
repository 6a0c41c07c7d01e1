"""A raw image is its own guest."""

from __future__ import annotations

from hvrescue.images.disk import FlatLayer, Layer
from hvrescue.images.raw.survey import RawLayout
from hvrescue.images.survey import Survey


def layer_of(survey: Survey[RawLayout]) -> Layer:
    """The whole file."""
    return FlatLayer(survey.source, survey.source.size)
