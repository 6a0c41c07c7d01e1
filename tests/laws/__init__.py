"""The laws of DESIGN section 4 and the contract of section 5, each held to by a test."""
