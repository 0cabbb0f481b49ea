"""Codes of recordings that `sluice replay` reads."""

from __future__ import annotations

from generator.lint import Code, declare

declare(
    Code(
        "RPL101",
        "error",
        "a recording can't be read",
        "What can't be read can't be replayed.",
        "Check the path and the format: CSV, or JSON.",
    ),
    Code(
        "RPL102",
        "error",
        "a recording without the columns it needs",
        "Counters belong to a time, a version and a metric.",
        "Write the columns that the message names.",
    ),
    Code(
        "RPL103",
        "error",
        "a value of a recording has the wrong type",
        "Times and counters are numbers.",
        "Write the value that the message asks for.",
    ),
    Code(
        "RPL104",
        "error",
        "samples out of order",
        "A counter is read in the order of time.",
        "Sort the rows by time, one row a time.",
    ),
    Code(
        "RPL105",
        "warning",
        "a guard without samples",
        "Without data it only waits, so the replay says nothing about it.",
        "Record what the guard counts as well.",
    ),
)
