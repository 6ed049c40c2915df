"""Steps with a side effect, one outside thing each."""
