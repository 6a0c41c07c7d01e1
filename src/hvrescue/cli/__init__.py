"""The command line: a skin over ``app``."""
