"""Damages and whole hosts with known truth: for the demo, tests, benchmarks and drills."""
