"""Build the documents as a static site, with MkDocs in a separate environment: `python -m tests.docs.site`."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.docs.pages import ROOT
from tests.tools.environment import environment


def build(target: Path) -> str:
    """Write the site into a folder.

    Returns:
        The warnings of MkDocs.

    Raises:
        RuntimeError: MkDocs reported a broken link, a page that is in no menu, or another problem.
    """
    with tempfile.TemporaryDirectory() as reference:
        subprocess.run(
            [sys.executable, str(ROOT / "docs/site/reference.py"), reference], cwd=ROOT, check=True
        )
        command = [str(environment("docs")), "-m", "mkdocs", "build", "--strict", "--clean"]
        command += ["--config-file", str(ROOT / "docs/site/mkdocs.yml"), "--site-dir", str(target)]
        environ = os.environ | {
            "SLUICE_REFERENCE": reference,
            "NO_MKDOCS_2_WARNING": "1",
            "DISABLE_MKDOCS_2_WARNING": "true",
        }
        done = subprocess.run(command, capture_output=True, text=True, check=False, env=environ)
    if done.returncode:
        raise RuntimeError(done.stderr)
    return done.stderr


if __name__ == "__main__":
    sys.stderr.write(build(ROOT / "build" / "site"))
