"""Rules on trees: on Rollouts, templates and metrics, on how Argo CD syncs them, and across objects."""
