"""Lint of a whole tree of Argo Rollouts objects: one small function a rule."""
