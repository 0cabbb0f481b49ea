"""Sluice: from committed model specs to bundles that Argo CD can sync."""

__version__ = "0.1.0"
