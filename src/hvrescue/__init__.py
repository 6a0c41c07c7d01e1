"""hvrescue: from "the VMs don't start" to "restored, and proven so"."""

__version__ = "0.1.0"
