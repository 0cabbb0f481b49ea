"""The only place that talks to Kubernetes or Argo servers."""
