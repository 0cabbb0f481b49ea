"""Trees that are imported."""
