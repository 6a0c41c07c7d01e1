"""``recognise`` under atheris."""

from tests.fuzz.running import main

main("recognise")
