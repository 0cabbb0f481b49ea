"""Audits as one self-contained page: no script and no other file, readable in print and in dark mode."""

from __future__ import annotations

import html as markup
from collections.abc import Sequence
from typing import Final

from generator.history.releases import Release
from generator.report.audits.rows import COLUMNS, cells

_STYLE: Final = """\
:root { color-scheme: light dark; }
body { font: 15px/1.5 system-ui, sans-serif; margin: 2rem; }
div { overflow-x: auto; }
table { border-collapse: collapse; }
caption { text-align: left; padding-bottom: .5rem; }
th, td { border: 1px solid GrayText; padding: .3rem .6rem; text-align: left; vertical-align: top; }
td { max-width: 24rem; overflow-wrap: anywhere; }
@media print { body { margin: 0; font-size: 9px; } }
"""


def html(releases: Sequence[Release], at: str) -> str:
    """Return the page.

    Args:
        releases: one for each row.
        at: the date of the audit; empty for all of the past.
    """
    title = f"Models live on {at}" if at else "Versions that were live"
    head = "".join(f'<th scope="col">{markup.escape(name)}</th>' for name in COLUMNS)
    rows = "\n".join(_row(release) for release in releases)
    return f"""\
<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{markup.escape(title)}</title>
<style>
{_STYLE}</style>
</head>
<body>
<h1>{markup.escape(title)}</h1>
<div role="region" aria-label="Audit" tabindex="0">
<table>
<caption>From git alone; times are UTC. Git knows what was merged, not how far a rollout got.</caption>
<thead><tr>{head}</tr></thead>
<tbody>
{rows}
</tbody>
</table>
</div>
</body>
</html>
"""


def _row(release: Release) -> str:
    first, *rest = (markup.escape(cell) for cell in cells(release))
    return f'<tr><th scope="row">{first}</th>' + "".join(f"<td>{cell}</td>" for cell in rest) + "</tr>"
