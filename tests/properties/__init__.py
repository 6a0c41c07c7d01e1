"""Properties that must hold for any file, looked for by Hypothesis (DESIGN section 8)."""
