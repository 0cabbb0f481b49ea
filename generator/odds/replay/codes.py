"""Codes of recordings that `sluice replay` reads."""

from __future__ import annotations

from typing import Final

from generator.lint import Code, declare

_REPLAY: Final = "$ sluice replay shop/ranker --data recording.csv"
_GOOD: Final = f"""
# recording.csv
time,guard,arm,requests,events
0,ctr,canary,0,0
60,ctr,canary,600,25
0,ctr,stable,0,0
60,ctr,stable,11400,456
0,error-rate,canary,0,0
60,error-rate,canary,600,3
0,error-rate,stable,0,0
60,error-rate,stable,11400,57
{_REPLAY}
"""

declare(
    Code(
        "RPL101",
        "error",
        "a recording can't be read",
        "Only a readable recording can be replayed.",
        "Check the path and the format: CSV, or JSON.",
        example=_REPLAY,
        instead=_GOOD,
    ),
    Code(
        "RPL102",
        "error",
        "a recording has missing or unknown columns",
        "A counter belongs to a time, a guard and a version.",
        "Write the columns that the message names.",
        example=_GOOD.replace("requests,events\n", "requests,clicks\n"),
        instead=_GOOD,
    ),
    Code(
        "RPL103",
        "error",
        "a value of a recording has the wrong type",
        "Times and counters are numbers; a guard and an arm are names that the plan has.",
        "Write the value that the message describes.",
        example=_GOOD.replace(",25\n", ",many\n"),
        instead=_GOOD,
    ),
    Code(
        "RPL104",
        "error",
        "samples are out of order",
        "Counters are read in the order of time.",
        "Sort the rows by time, with one row for each time.",
        example=_GOOD.replace("60,ctr,canary", "0,ctr,canary"),
        instead=_GOOD,
    ),
    Code(
        "RPL105",
        "error",
        "a guard has no samples",
        "Without data the guard only waits, so the replay shows nothing about it.",
        "Record what the guard counts, too.",
        example=_GOOD.partition("0,error-rate,canary")[0] + _REPLAY,
        instead=_GOOD,
    ),
)
