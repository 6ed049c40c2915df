"""How fast the software is, beside what somebody would do without it, on the same made-up files."""
