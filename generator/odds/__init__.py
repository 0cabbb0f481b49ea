"""Odds, cost and replay of plans."""
