"""Trees of files: write, check, diff, prune."""
