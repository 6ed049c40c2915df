"""The campaign command."""
