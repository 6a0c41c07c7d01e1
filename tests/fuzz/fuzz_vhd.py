"""``vhd`` under atheris."""

from tests.fuzz.running import main

main("vhd")
