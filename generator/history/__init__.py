"""The git history of a repository: its changes, and what was live when."""
