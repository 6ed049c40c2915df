"""What leaves the health side: summaries from the ledger, rendered and gated."""
