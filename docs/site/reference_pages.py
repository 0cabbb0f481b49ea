"""A MkDocs hook that adds the generated reference pages to the pages written by hand."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from mkdocs.structure.files import File, Files


def on_files(files: Files, config: Any) -> Files:
    """Add the generated pages from the folder that SLUICE_REFERENCE names."""
    for page in sorted(Path(os.environ["SLUICE_REFERENCE"]).glob("*.md")):
        files.append(File.generated(config, f"reference/{page.name}", content=page.read_text()))
    return files
