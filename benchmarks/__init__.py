"""How well hvrescue sees damage, and how fast it is, beside other tools. Run by ``scripts/bench``."""
