"""Pure mathematics of canaries and quality gates."""
