"""``python -m hvrescue``."""

from hvrescue.cli.entry import main

if __name__ == "__main__":
    main()
