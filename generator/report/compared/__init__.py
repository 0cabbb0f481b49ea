"""Two states of a repository side by side: which plans differ, how, and what that does to their numbers."""
