"""What ``--json`` prints, held against the committed schemas."""
