"""Finds the folders of a tree that an Argo CD Application syncs."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any


def synced(source: Mapping[str, Any], folders: Collection[str]) -> list[str]:
    """Return the folders whose files a source of an Application syncs.

    The tree may begin anywhere inside the repository, so a folder may be any end of the path.

    Args:
        source: `spec.source`, or one of `spec.sources`.
        folders: all of the tree, with forward slashes; use a set for fast look-ups.
    """
    path = source.get("path")
    path = path.strip("/") if isinstance(path, str) else ""
    ends = [path.split("/", skip)[-1] for skip in range(path.count("/") + 1)] if path else []
    directory = source.get("directory")
    if isinstance(directory, Mapping) and directory.get("recurse") is True:
        return [folder for folder in folders if any(f"{folder}/".startswith(f"{end}/") for end in ends)]
    return [end for end in ends if end in folders]
