"""Findings of `sluice pin`: references that can't be resolved, that moved, or whose bytes are not what was locked."""

from __future__ import annotations

from typing import Final

from generator.rules.entry import Entry

_NO_LOCK = "Without an answer there is no lock, and nothing is rendered from the new reference."

PINS: Final = (
    Entry(
        "PIN101",
        "error",
        "a reference that can't be resolved as written",
        "It names no version, no place of this repository, or carries a credential that a lock would repeat.",
        "Write it in the form that the finding shows.",
    ),
    Entry(
        "PIN102",
        "error",
        "a server or store is not configured",
        "References name models, not servers: those come from the environment.",
        "Set the variable that the finding names, such as MLFLOW_TRACKING_URI or BENTOML_HOME.",
    ),
    Entry(
        "PIN103",
        "error",
        "a server can't be reached",
        _NO_LOCK,
        "Check the address, the network and the proxy; `--timeout` waits longer.",
    ),
    Entry(
        "PIN104",
        "error",
        "an alias, version, tag, revision or path that is not there",
        _NO_LOCK,
        "Check the name; it may have been deleted, or not be pushed yet.",
    ),
    Entry(
        "PIN105",
        "error",
        "a server refuses",
        _NO_LOCK,
        "Set the credentials of that server in the environment; they reach neither the lock nor a message.",
    ),
    Entry(
        "PIN106",
        "error",
        "bytes that are not those of their digest",
        "Somebody changed them, or the transfer or the store is damaged; nobody reviewed what is there now.",
        "Ask the producer which digest is right; do not release these bytes before.",
    ),
    Entry(
        "PIN107",
        "error",
        "the content of an immutable reference was overwritten",
        "A version number is written once, but the store behind it can be changed: the lock names the old bytes.",
        "Find out who changed them; to accept them, remove the entry from the lock and pin again.",
    ),
    Entry(
        "PIN108",
        "error",
        "an answer that makes no sense",
        "The address leads to another program, a login page, or a server with an error.",
        "Check the address that is configured; ask who runs that server.",
    ),
    Entry(
        "PIN109",
        "error",
        "content that can't be read here",
        "A digest needs the bytes: they are in no store that can be read, or hold links, which no digest covers.",
        "Bring them here (`dvc pull`), or let the server serve them (`mlflow server --serve-artifacts`).",
    ),
    Entry(
        "PIN110",
        "error",
        "a DVC pointer that is not committed",
        "A reference without a revision means the last commit; the newer file in the work tree would be ignored.",
        "Commit the pointer, or name a revision.",
    ),
    Entry(
        "PIN201",
        "error",
        "a reference has moved since it was locked",
        "The alias, branch or tag means other bytes now; the lock still holds what was reviewed.",
        "Run `sluice pin` to take the new ones, and review what changes.",
    ),
    Entry(
        "PIN202",
        "error",
        "the lock does not hold what the spec asks for",
        "A reference is not locked, or the lock holds data that no gate reads and that would count in the gate key.",
        "Run `sluice pin` and commit the lock.",
    ),
    Entry(
        "PIN203",
        "warning",
        "a digest that was not verified",
        "The address can't be read from here, so the lock holds the digest that the producer gave.",
        "Pin again where the address can be read.",
    ),
    Entry(
        "PIN204",
        "error",
        "a version that is in quarantine",
        "Production rejected these bytes; an alias that points at them again does not make them better.",
        "Point the reference at another version. Only who owns `platform.yaml` can release this one.",
    ),
)
