"""Codes of the records of releases, which `gates` reads and may not declare."""

from __future__ import annotations

from typing import Final

from generator.lint.engine import Code, declare

_AGAIN: Final = "Record the release again: `sluice record`."
_FILE: Final = "# specs/shop/ranker.production.record.json\n"

declare(
    Code(
        "RECD101",
        "error",
        "a record can't be read",
        "An unreadable record proves nothing, and a missing one never counts as a pass.",
        _AGAIN,
        example=f'{_FILE}{{"schema": "sluice/record/v1"',
    ),
    Code(
        "RECD102",
        "error",
        "a record was changed after it was written",
        "Its digest no longer matches: its content is not what `sluice record` wrote.",
        _AGAIN,
        example=f'{_FILE}{{"verdict": "passed"}}',
    ),
    Code(
        "RECD103",
        "error",
        "a record contradicts itself, or its file name",
        "The verdict follows from what was measured, and a record counts for one model in one environment only.",
        _AGAIN,
        example=f'{_FILE}{{"subject": {{"environment": "staging"}}}}',
    ),
)
