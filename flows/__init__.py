"""One short procedure a phase."""
