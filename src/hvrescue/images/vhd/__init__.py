"""VHD and AVHD, after Microsoft's Virtual Hard Disk Image Format Specification 1.0."""
