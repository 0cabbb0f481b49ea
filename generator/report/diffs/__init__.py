"""Two states of a repository compared: which plans differ, how, and the effect on their numbers."""
