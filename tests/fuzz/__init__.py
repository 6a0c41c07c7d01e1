"""Harnesses that feed hostile bytes to each parser; ``scripts/fuzz`` runs them, ``test_corpus.py`` replays."""
