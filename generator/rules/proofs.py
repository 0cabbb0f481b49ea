"""Findings about locks and evidence: what is to be released, and what was proved of it."""

from __future__ import annotations

from typing import Final

from generator.rules.entry import Entry

_AGAIN: Final = "Run the gates again: `sluice gates run`."
_PIN: Final = "Run `sluice pin` and commit the lock."

PROOFS: Final = (
    Entry(
        "LOCK201",
        "error",
        "a reference is not locked",
        "A movable reference means other bytes tomorrow; what was reviewed must be what is released.",
        _PIN,
    ),
    Entry(
        "LOCK202",
        "error",
        "a lock of another reference",
        "The spec was changed and the lock was not: it still holds the old model.",
        _PIN,
    ),
    Entry(
        "LOCK203",
        "error",
        "the lock's digest is not the spec's",
        "One of the two names other bytes.",
        "Run `sluice pin`; if they still differ, ask the producer which digest is right.",
    ),
    Entry(
        "LOCK204",
        "error",
        "a data set is not locked",
        "Evidence counts for one data set only: without a digest nobody knows for which.",
        _PIN,
    ),
    Entry(
        "EVID101",
        "error",
        "evidence that can't be read as such",
        "What can't be read proves nothing; nothing is never rounded to pass.",
        _AGAIN,
    ),
    Entry(
        "EVID102",
        "error",
        "evidence that was changed after it was written",
        "Its digest no longer fits: whatever it says now, the gates did not say.",
        _AGAIN,
    ),
    Entry(
        "EVID103",
        "error",
        "evidence that contradicts itself",
        "A verdict that does not follow from what was measured is none.",
        _AGAIN,
    ),
    Entry(
        "EVID104",
        "error",
        "there is no evidence",
        "Nothing was judged, so nothing can have passed.",
        _AGAIN,
    ),
    Entry(
        "EVID105",
        "error",
        "evidence about another model",
        "It was made for other bytes than the lock names.",
        _AGAIN,
    ),
    Entry(
        "EVID106",
        "error",
        "evidence about other data",
        "A data set of the lock is not the one that was judged.",
        _AGAIN,
    ),
    Entry(
        "EVID107",
        "error",
        "a gate was not judged with this configuration",
        "A threshold or a window changed since; the old verdict answers another question.",
        _AGAIN,
    ),
    Entry(
        "EVID108",
        "error",
        "a gate failed",
        "The model does not meet what its team asked of it.",
        "Train a better model, or change the gate in review.",
    ),
    Entry(
        "EVID109",
        "error",
        "a gate is inconclusive",
        "Too little was seen to say yes; that is never rounded to pass.",
        "Give the gate more data, as its reason says.",
    ),
    Entry(
        "EVID110",
        "error",
        "evidence that is too old",
        "What was true of the data then need not be true now.",
        _AGAIN,
    ),
    Entry(
        "EVID111",
        "info",
        "a gate is waived",
        "The platform accepts this gate's verdict until a day, for a reason.",
        "Nothing, until the waiver ends.",
    ),
    Entry(
        "EVID112",
        "error",
        "a report changed after it was judged",
        "The evidence names the digest of the report that it read.",
        _AGAIN,
    ),
    Entry(
        "EVID113",
        "info",
        "a gate passed",
        "What was measured keeps to its threshold, with its whole interval where it has one.",
        "Nothing; commit the evidence.",
    ),
)
"""Entries of what the resolving of locks and `generator.gates` find."""
