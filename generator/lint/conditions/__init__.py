"""The condition language of Argo Rollouts metrics."""
