"""Trees of files that are verified."""

from __future__ import annotations

import pytest

from generator.lint.verification import verify


@pytest.fixture
def tree(tmp_path):
    """Return a function that writes files below a folder and verifies it: codes, places and messages."""

    def write(files: dict[str, str | bytes]) -> list[tuple[str, str, str]]:
        for name, content in files.items():
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return [(f.code, str(f.place), f.message) for f in verify(tmp_path).findings]

    return write
