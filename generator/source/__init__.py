"""Reads YAML text into values with positions, and defines findings."""
