"""``locator`` under atheris."""

from tests.fuzz.running import main

main("locator")
