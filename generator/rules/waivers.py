"""Waivers, acceptances, quarantine."""
