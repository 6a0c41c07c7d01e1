"""Bytes from files, devices, memory, slices and overlays; exact, or ``Unreadable``."""
