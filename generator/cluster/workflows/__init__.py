"""Submits gate Workflows and reads what became of them: by an Argo Workflows server, or by Kubernetes itself."""
