"""Plans and repositories as HTML pages: self-contained, without a script, the same bytes for the same input."""
