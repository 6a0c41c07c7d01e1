"""One function per verb. Skins call these and print what they give."""
