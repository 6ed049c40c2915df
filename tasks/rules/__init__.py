"""The pure rules: standard library only, no clock, no database, no I/O beyond their own text."""
