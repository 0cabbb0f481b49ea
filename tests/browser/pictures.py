"""Takes the pictures of the documentation: `python -m tests.browser.pictures`."""

from __future__ import annotations

import subprocess
import tempfile
from pathlib import Path

from click.testing import CliRunner

from generator.cli.main import cli
from tests.browser.looking import Look, look
from tests.browser.repositories import CHECKOUT, TODAY, examples
from tests.tools.environment import environment

FOLDER = CHECKOUT / "docs/pictures"
PICTURES = {
    "plan.png": ("shop/recommender/index.html", "light", 1180),
    "plan-dark.png": ("risk/fraud/index.html", "dark", 1180),
    "index.png": ("index.html", "light", 900),
}
"""File to page, colour scheme and height in pixels."""
WIDTH = 1280
CLOCK = {"SOURCE_DATE_EPOCH": TODAY}
COMMENT_STYLE = """<!doctype html><meta charset="utf-8"><title>Comment</title><style>
body { font: 14px/1.5 sans-serif; color: #1f2328; max-width: 1010px; margin: 24px auto; border: 1px solid #d1d9e0;
  border-radius: 6px; padding: 8px 24px 16px; }
table { border-collapse: collapse; } th, td { border: 1px solid #d1d9e0; padding: 6px 13px; }
h2, h3 { border-bottom: 1px solid #d1d9e0; padding-bottom: 6px; } summary { font-weight: 600; cursor: pointer; }
</style>"""
"""About as a forge shows Markdown."""


def site(root: Path, pages: Path) -> Path:
    """Write the pages of a repository."""
    arguments = ["plan", "--all", "--root", str(root), "--format", "html", "--output", str(pages)]
    done = CliRunner(env=CLOCK).invoke(cli, arguments)
    assert done.exit_code in {0, 1}, done.output
    return pages


def comment(root: Path, page: Path) -> Path:
    """The comment on a pull request that shortens a hold, as a page."""
    arguments = ["plan", "--all", "--root", str(root), "--against", "HEAD", "--format", "markdown"]
    done = CliRunner(env=CLOCK).invoke(cli, arguments)
    assert done.exit_code in {0, 1}, done.output
    markdown = [
        str(environment("docs")),
        "-m",
        "markdown",
        "-x",
        "tables",
        "-x",
        "fenced_code",
        "-x",
        "md_in_html",
    ]
    text = done.stdout.replace("<details>", '<details markdown="1">')
    body = subprocess.run(markdown, input=text, capture_output=True, text=True, check=True).stdout
    page.write_text(COMMENT_STYLE + body)
    return page


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
        repository = examples(Path(scratch, "repository"))
        take(site(repository, Path(scratch, "pages")), FOLDER)
        page = comment(repository, Path(scratch, "comment.html"))
        look(
            [
                Look(
                    str(page),
                    1080,
                    "light",
                    axe=False,
                    open=False,
                    picture=str(FOLDER / "comment.png"),
                    height=420,
                )
            ]
        )
