"""Specs from trees that others wrote: what has a word in the language is imported, and the rest is listed."""
