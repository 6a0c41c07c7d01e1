"""From evidence to what broke, since when, and what to do first."""
