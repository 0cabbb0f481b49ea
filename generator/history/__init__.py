"""What git remembers of a repository: its changes, and what was live when."""
