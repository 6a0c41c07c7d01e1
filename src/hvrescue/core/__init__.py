"""The words of the project as types: findings, limits, errors, progress, language. No I/O."""
