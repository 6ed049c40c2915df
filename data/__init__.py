"""Plan files and the synthetic generator. Nothing real is ever put here."""
