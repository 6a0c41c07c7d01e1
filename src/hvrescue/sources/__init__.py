"""Where evidence comes from: a folder, for now."""
