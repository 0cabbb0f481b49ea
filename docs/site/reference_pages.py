"""A hook of MkDocs: the pages of docs/reference, which `make docs` generates, join those that people wrote."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from mkdocs.structure.files import File, Files


def on_files(files: Files, config: Any) -> Files:
    """Add the generated pages; SLUICE_REFERENCE names their folder."""
    for page in sorted(Path(os.environ["SLUICE_REFERENCE"]).glob("*.md")):
        files.append(File.generated(config, f"reference/{page.name}", content=page.read_text()))
    return files
