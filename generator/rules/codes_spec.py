"""Codes of `spec`, which may not import the engine: keys and values of specs."""

from __future__ import annotations

from generator.lint.engine import Code, declare

_NO_PLAN = "Without it there is no plan, and nothing is rendered."

declare(
    Code(
        "SPEC101",
        "error",
        "a file is empty or no mapping",
        _NO_PLAN,
        "See `sluice new` for a first spec, `sluice schema` for all keys.",
    ),
    Code(
        "SPEC102",
        "error",
        "an unknown key",
        "A key that nobody reads is a wish that nobody hears.",
        "Correct its name, or remove it; `sluice schema` lists all keys.",
    ),
    Code("SPEC103", "error", "a required key is missing", _NO_PLAN, "Add it."),
    Code(
        "SPEC104",
        "error",
        "a value of the wrong type",
        "A value means one thing; text is no number.",
        "Write a value of the type that the message names.",
    ),
    Code(
        "SPEC105",
        "error",
        "a value of the wrong form",
        "Values say their unit, so that 5 is never taken for 5 %.",
        "Write it like the example in the message.",
    ),
    Code("SPEC106", "error", "not one of the known choices", _NO_PLAN, "Write one that the message lists."),
    Code(
        "SPEC107",
        "error",
        "keys that exclude or need each other",
        "Two of them contradict each other; none of them says nothing.",
        "Keep exactly those that the message names.",
    ),
    Code(
        "SPEC108",
        "error",
        "a value outside its range",
        "No plan can be made of it.",
        "Choose a value in the range that the message names.",
    ),
)
