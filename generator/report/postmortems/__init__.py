"""Postmortems: what git knows of one release that was aborted or taken back, and what would have caught it."""
