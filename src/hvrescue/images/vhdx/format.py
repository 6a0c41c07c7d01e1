"""The doors of this format, as ``images/formats.py`` opens them."""

from hvrescue.images.vhdx.describe import describe
from hvrescue.images.vhdx.disk import layer_of
from hvrescue.images.vhdx.survey import link_of, sniff, survey

__all__ = ["describe", "layer_of", "link_of", "sniff", "survey"]
