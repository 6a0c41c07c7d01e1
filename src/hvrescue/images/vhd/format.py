"""The doors of this format, as ``images/formats.py`` opens them."""

from hvrescue.images.vhd.describe import describe
from hvrescue.images.vhd.disk import layer_of
from hvrescue.images.vhd.survey import link_of, sniff, survey

__all__ = ["describe", "layer_of", "link_of", "sniff", "survey"]
