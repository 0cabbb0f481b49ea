"""Codes of `spec`, which may not import the engine: keys and values of specs."""

from __future__ import annotations

from generator.lint.engine import Code, declare

_NO_PLAN = "Without it the model has no plan, and nothing is rendered."

declare(
    Code(
        "SPEC101",
        "error",
        "a spec is empty, or not a mapping of keys",
        _NO_PLAN,
        "`sluice new` writes a spec, `sluice schema` shows all keys.",
        example="$ : > specs/shop/ranker.yaml",
    ),
    Code(
        "SPEC102",
        "error",
        "a key is unknown",
        "The key has no effect: the setting that it was meant to change stays as it is.",
        "Correct its name, or remove it; `sluice schema` shows all keys.",
        example="spec: {replicaz: 2}",
        instead="spec: {replicas: 2}",
    ),
    Code(
        "SPEC103",
        "error",
        "a required key is missing",
        _NO_PLAN,
        "Add it; the message names the key and a usual value.",
        example="spec: {outcomes: {likes: {kind: ratio}}}",
        instead="spec: {outcomes: {likes: {kind: ratio, event: like, baseline: 2%}}}",
    ),
    Code(
        "SPEC104",
        "error",
        "a value has the wrong type",
        "Text is not a number, and a list is not a mapping: a guess could release something that was not intended.",
        "Write a value of the type that the message names.",
        example='spec: {replicas: "two"}',
        instead="spec: {replicas: 2}",
    ),
    Code(
        "SPEC105",
        "error",
        "a value has the wrong format",
        "Values include their unit, so that 5 is never mistaken for 5%, or a minute for an hour.",
        "Write the value as the message shows.",
        example="spec: {outcomes: {ctr: {baseline: 4}}}",
        instead="spec: {outcomes: {ctr: {baseline: 4%}}}",
    ),
    Code(
        "SPEC106",
        "error",
        "a value is not one of the choices",
        _NO_PLAN,
        "Write one of the choices that the message lists.",
        example="spec: {rollout: {noData: ignore}}",
        instead="spec: {rollout: {noData: fail}}",
    ),
    Code(
        "SPEC107",
        "error",
        "keys exclude or require each other",
        "Two of them contradict each other, and without any of them the setting is undefined.",
        "Keep exactly the keys that the message names.",
        example="spec: {rollout: {guards: [{outcome: ctr, detect: {drop: 10%}, limit: 3%}]}}",
        instead="spec: {rollout: {guards: [{outcome: ctr, detect: {drop: 10%}}]}}",
    ),
    Code(
        "SPEC108",
        "error",
        "a value is out of range",
        "No plan is possible with such a value.",
        "Choose a value in the range that the message shows.",
        example="spec: {replicas: 0}",
        instead="spec: {replicas: 2}",
    ),
)
