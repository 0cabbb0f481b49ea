"""Sluice: from committed model specs to bundles that Argo CD can sync."""

__version__ = "0.1.0"
HOME = "https://sluicegate.example"
"""Where the project is published. The only place that names the host, but for pyproject.toml and the identifiers in
evidence, which never change."""
DOCUMENTATION = f"{HOME}/docs"
"""Where the documents are published, with a page for each code of a finding."""
