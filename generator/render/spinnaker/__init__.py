"""Renders a plan for Spinnaker: a pipeline, and the configuration of Kayenta's canary analysis."""
