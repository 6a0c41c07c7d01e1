"""Virtual disks by format: layout, survey, disk, write. Registered in ``formats.py``."""
