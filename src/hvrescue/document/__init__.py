"""One Document behind terminal, Markdown and JSON."""
