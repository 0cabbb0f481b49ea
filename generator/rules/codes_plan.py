"""Codes of `plan`, which may not import the engine: references between files, and locks."""

from __future__ import annotations

from typing import Final

from generator.lint.engine import Code, declare

_PIN: Final = "Run `sluice pin` and commit the lock."

declare(
    Code(
        "REF201",
        "error",
        "an unknown team",
        "A team's namespace, quota and tiers are the platform's.",
        "Correct the name, or let the platform team add the team.",
    ),
    Code(
        "REF202",
        "error",
        "an unknown tier",
        "Defaults and ceilings come from the tier.",
        "Correct the name; the message lists the tiers.",
    ),
    Code(
        "REF203",
        "error",
        "a tier that the team may not use",
        "The platform says which classes of models a team releases.",
        "Use one of the team's tiers, or ask the platform team.",
    ),
    Code(
        "REF204",
        "error",
        "an outcome that is not declared",
        "A guard can't watch what nobody counts.",
        "Declare it under `outcomes`, or correct the name.",
    ),
    Code(
        "REF205",
        "error",
        "a sensitive attribute without values",
        "Groups are compared by declared values only; anything else is counted as other.",
        "List its values under `service.attributes` or in the platform's `attributes`.",
    ),
    Code(
        "REF206",
        "error",
        "an address without a digest",
        "The bytes behind an address can change after the review.",
        "Add `sha256:` with the digest that the producer gave.",
    ),
    Code(
        "REF207",
        "error",
        "`load` and the framework do not fit",
        "A custom model, and no other, names the class that loads it.",
        "Add `load: module:Class`, or remove it.",
    ),
    Code(
        "REF208",
        "error",
        "a BentoML reference without a version",
        "A name alone means whatever is newest on some machine.",
        "Write bentoml:name:version.",
    ),
    Code(
        "REF209",
        "error",
        "an override for an unknown environment",
        "It would change nothing.",
        "Correct the name; the message lists the environments.",
    ),
    Code(
        "REF210",
        "error",
        "a file in the wrong place",
        "A spec lies in its team's folder and ends in .yaml; locks and evidence lie beside it.",
        "Move, rename or remove it.",
    ),
    Code(
        "REF211",
        "error",
        "an override of what is the same everywhere",
        "Tier, model and environments are the model's, not an environment's.",
        "Move the value up, or make it a model of its own.",
    ),
    Code(
        "REF212",
        "error",
        "name or team and the file's place differ",
        "The folder is the team and the file is the model, so that nobody has to open it to know.",
        "Correct `metadata`, or move the file.",
    ),
    Code(
        "LOCK201",
        "error",
        "a reference is not locked",
        "A movable reference means other bytes tomorrow; what was reviewed must be what is released.",
        _PIN,
    ),
    Code(
        "LOCK202",
        "error",
        "a lock of another reference",
        "The spec was changed and the lock was not: it still holds the old model.",
        _PIN,
    ),
    Code(
        "LOCK203",
        "error",
        "the lock's digest is not the spec's",
        "One of the two names other bytes.",
        "Run `sluice pin`; if they still differ, ask the producer which digest is right.",
    ),
    Code(
        "LOCK204",
        "error",
        "a data set is not locked",
        "Evidence counts for one data set only: without a digest nobody knows for which.",
        _PIN,
    ),
)
