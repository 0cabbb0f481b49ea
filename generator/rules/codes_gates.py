"""Codes of `gates`, which may not import the engine: evidence."""

from __future__ import annotations

from typing import Final

from generator.lint.engine import Code, declare

_AGAIN: Final = "Run the gates again: `sluice gates run`."

declare(
    Code(
        "EVID101",
        "error",
        "evidence that can't be read as such",
        "What can't be read proves nothing; nothing is never rounded to pass.",
        _AGAIN,
    ),
    Code(
        "EVID102",
        "error",
        "evidence that was changed after it was written",
        "Its digest no longer fits: whatever it says now, the gates did not say.",
        _AGAIN,
    ),
    Code(
        "EVID103",
        "error",
        "evidence that contradicts itself",
        "A verdict that does not follow from what was measured is none.",
        _AGAIN,
    ),
    Code(
        "EVID104",
        "error",
        "there is no evidence",
        "Nothing was judged, so nothing can have passed.",
        _AGAIN,
    ),
    Code(
        "EVID105",
        "error",
        "evidence about another model",
        "It was made for other bytes than the lock names.",
        _AGAIN,
    ),
    Code(
        "EVID106",
        "error",
        "evidence about other data",
        "A data set of the lock is not the one that was judged.",
        _AGAIN,
    ),
    Code(
        "EVID107",
        "error",
        "a gate was not judged with this configuration",
        "A threshold or a window changed since; the old verdict answers another question.",
        _AGAIN,
    ),
    Code(
        "EVID108",
        "error",
        "a gate failed",
        "The model does not meet what its team asked of it.",
        "Train a better model, or change the gate in review.",
    ),
    Code(
        "EVID109",
        "error",
        "a gate is inconclusive",
        "Too little was seen to say yes; that is never rounded to pass.",
        "Give the gate more data, as its reason says.",
    ),
    Code(
        "EVID110",
        "error",
        "evidence that is too old",
        "What was true of the data then need not be true now.",
        _AGAIN,
    ),
    Code(
        "EVID111",
        "info",
        "a gate is waived",
        "The platform accepts this gate's verdict until a day, for a reason.",
        "Nothing, until the waiver ends.",
    ),
    Code(
        "EVID112",
        "error",
        "a report changed after it was judged",
        "The evidence names the digest of the report that it read.",
        _AGAIN,
    ),
    Code(
        "EVID113",
        "info",
        "a gate passed",
        "What was measured keeps to its threshold, with its whole interval where it has one.",
        "Nothing; commit the evidence.",
    ),
)
