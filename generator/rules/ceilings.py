"""Ceilings of the tier: what no model may exceed, and what every one must have."""
