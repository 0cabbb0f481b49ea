"""Spec, tier, environment and lock to one frozen, fully resolved plan."""
