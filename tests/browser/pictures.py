"""Takes the pictures of the documentation: `python -m tests.browser.pictures`."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from click.testing import CliRunner

from generator.cli.main import cli
from tests.browser.looking import Look, look
from tests.browser.repositories import CHECKOUT, TODAY, examples

FOLDER = CHECKOUT / "docs/pictures"
PICTURES = {
    "plan.png": ("shop/recommender/index.html", "light", 1180),
    "plan-dark.png": ("risk/fraud/index.html", "dark", 1180),
    "index.png": ("index.html", "light", 900),
}
"""File to page, colour scheme and height in pixels."""
WIDTH = 1280


def site(root: Path, pages: Path) -> Path:
    """Write the pages of a repository."""
    os.environ["SOURCE_DATE_EPOCH"] = TODAY
    arguments = ["plan", "--all", "--root", str(root), "--format", "html", "--output", str(pages)]
    done = CliRunner().invoke(cli, arguments)
    assert done.exit_code in {0, 1}, done.output
    return pages


def take(pages: Path, folder: Path) -> None:
    """Take all pictures of some pages."""
    look(
        [
            Look(
                str(pages / page),
                WIDTH,
                scheme,
                axe=False,
                open=False,
                picture=str(folder / name),
                height=height,
            )
            for name, (page, scheme, height) in PICTURES.items()
        ]
    )


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as scratch:
        take(site(examples(Path(scratch, "repository")), Path(scratch, "pages")), FOLDER)
