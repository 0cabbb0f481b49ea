"""Builds and lints the PromQL of guards."""
