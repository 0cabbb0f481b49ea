"""Renders plans to objects and text, and verifies every object."""
