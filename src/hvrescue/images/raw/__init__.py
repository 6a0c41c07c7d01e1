"""Raw disks: the guest's bytes as they are."""
