"""Evidence, adapters, verdicts."""
