"""Rules on waivers and quarantine: exemptions end, and none is silently ineffective."""

from __future__ import annotations

from collections.abc import Iterator

from generator.lint.engine import Problem, rule
from generator.plan.gates import configuration_digest
from generator.plan.values import Gate, Plan
from generator.rules.context import GATES, Context, removes_gates
from generator.source.finding import Severity
from generator.source.suggest import did_you_mean
from generator.spec.exemptions import Waiver


def _model(context: Context) -> str:
    return f"{context.plan.identity.team}/{context.plan.identity.model}"


@rule(
    "WAIV701",
    "error",
    "a waiver has ended, and its gate is still there",
    scope=Context,
    why="An exemption is granted for a time; after that the gate counts like any other.",
    remedy="Fix the model, or let the approver extend the waiver in `platform.yaml`.",
    example="""
# specs/platform.yaml
spec:
  waivers:
    - model: shop/ranker
      gate: unit-tests
      kind: tests
      digest: sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa
      reason: moved
      approvedBy: ml-platform
      until: 2026-11-01
""",
    instead="""
# specs/platform.yaml
spec:
  waivers:
    - model: shop/ranker
      gate: unit-tests
      kind: tests
      digest: sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa
      reason: moved
      approvedBy: ml-platform
      until: 2026-12-01
""",
)
def expired(context: Context) -> Iterator[Problem]:
    """Check that the waivers of this model's gates have not ended; they last to the end of their last day."""
    for index, gate in enumerate(context.plan.gates):
        waiver = gate.waiver
        if waiver is None or waiver.until >= context.today.isoformat():
            continue
        at = context.platform.waivers.index(waiver)
        place = context.platform_document.place(("spec", "waivers", at, "until"))
        message = f"the waiver of the gate `{gate.name}` ended on {waiver.until}"
        hint = f"fix the model, remove the waiver, or let `{waiver.approved_by}` extend it"
        yield Problem((*GATES, index, "name"), message, hint, (("the waiver", place),))


@rule(
    "WAIV702",
    "error",
    "a waiver names a gate that the model does not have",
    scope=Context,
    why="It has no effect: the team relies on an exemption that does not exist, or the gate was renamed.",
    remedy="Correct the name of the gate, or remove the waiver.",
    example="""
# specs/platform.yaml
spec:
  waivers:
    - model: shop/ranker
      gate: unit-test
      kind: tests
      digest: sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa
      reason: moved
      approvedBy: ml-platform
      until: 2026-12-01
""",
    instead="""
# specs/platform.yaml
spec:
  waivers:
    - model: shop/ranker
      gate: unit-tests
      kind: tests
      digest: sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa
      reason: moved
      approvedBy: ml-platform
      until: 2026-12-01
""",
)
def gate_unknown(context: Context) -> Iterator[Problem]:
    """Check that every waiver of this model names one of its gates."""
    gates = [gate.name for gate in context.plan.gates]
    if removes_gates(context):
        return
    for index, waiver in enumerate(context.platform.waivers):
        if waiver.model == _model(context) and waiver.gate not in gates:
            message = f"the model {waiver.model} has no gate `{waiver.gate}`"
            path = ("spec", "waivers", index, "gate")
            yield Problem(path, message, did_you_mean(waiver.gate, gates), document=context.platform_document)


@rule(
    "WAIV707",
    "error",
    "a waiver does not name what it was given for",
    scope=Context,
    why="A name can be moved to another gate. A waiver covers one kind of gate, and one configuration or one version "
    "of the model; without them it has no effect.",
    remedy="Add the kind of the gate and the digest of its configuration, or of the model version; the finding shows "
    "both.",
    example="""
# specs/platform.yaml
spec:
  waivers:
    - {model: shop/ranker, gate: unit-tests, reason: moved, approvedBy: ml-platform, until: 2026-12-01}
""",
    instead="""
# specs/platform.yaml
spec:
  waivers:
    - model: shop/ranker
      gate: unit-tests
      kind: tests
      digest: sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa
      reason: moved
      approvedBy: ml-platform
      until: 2026-12-01
""",
)
def given_for_nothing(context: Context) -> Iterator[Problem]:
    """Check that every waiver of this model names a kind, and a configuration or a model version."""
    for index, waiver, gate in _waived(context):
        if waiver.complete:
            continue
        message = (
            f"the waiver of the gate `{gate.name}` does not name what it was given for, so it has no effect"
        )
        keys = f"kind: {gate.kind}, configuration: {configuration_digest(gate.config)}"
        hint = f"add `{keys}`; for this model version only, add `digest: {context.plan.version.digest}`"
        yield Problem(("spec", "waivers", index), message, hint, document=context.platform_document)


@rule(
    "WAIV708",
    "error",
    "a waiver was given for another gate, configuration or model version",
    scope=Context,
    why="A waiver ends when what it was given for changes: the risk of the gate as it is now was never accepted.",
    remedy="Remove the waiver, or let its approver decide again and write the new digest.",
    example="""
# specs/platform.yaml
spec:
  waivers:
    - model: shop/ranker
      gate: unit-tests
      kind: fairness
      digest: sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa
      reason: moved
      approvedBy: ml-platform
      until: 2026-12-01
""",
    instead="""
# specs/platform.yaml
spec:
  waivers:
    - model: shop/ranker
      gate: unit-tests
      kind: tests
      digest: sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa
      reason: moved
      approvedBy: ml-platform
      until: 2026-12-01
""",
)
def given_for_something_else(context: Context) -> Iterator[Problem]:
    """Check that every waiver of this model covers its gate in some environment."""
    for index, waiver, gate in _waived(context):
        if not waiver.complete or any(_covers(waiver, plan) for plan in context.plans):
            continue
        now = {
            "kind": gate.kind,
            "configuration": configuration_digest(gate.config),
            "digest": context.plan.version.digest,
        }
        given = {"kind": waiver.kind, "configuration": waiver.configuration, "digest": waiver.digest}
        key = next(key for key, value in given.items() if value not in {None, now[key]})
        what = {"kind": "a gate of another kind", "configuration": "another configuration"}
        message = f"the waiver of `{gate.name}` was given for {what.get(key, 'another version of the model')}"
        message += f", {given[key]}, so it has ended"
        hint = f"fix the model and remove the waiver, or let `{waiver.approved_by}` decide again: `{key}: {now[key]}`"
        yield Problem(("spec", "waivers", index, key), message, hint, document=context.platform_document)


def _covers(waiver: Waiver, plan: Plan) -> bool:
    """Return whether a waiver covers a gate of a plan."""
    return any(
        gate.name == waiver.gate
        and waiver.covers(gate.kind, configuration_digest(gate.config), plan.version.digest)
        for gate in plan.gates
    )


def _waived(context: Context) -> Iterator[tuple[int, Waiver, Gate]]:
    """Yield the position of every waiver that names a gate of this model, the waiver, and the gate."""
    gates = {gate.name: gate for gate in context.plan.gates}
    for index, waiver in enumerate(context.platform.waivers):
        if waiver.model == _model(context) and waiver.gate in gates:
            yield index, waiver, gates[waiver.gate]


@rule(
    "WAIV705",
    "error",
    "the model version or its image is in quarantine",
    scope=Context,
    why="It was rejected after its release; the same bytes under another name are the same model, and the same image "
    "runs them whatever the lock says next to it.",
    remedy="Release another version. Only the owners of `platform.yaml` can release this one, with "
    "`released` in its entry.",
    example="""
# specs/platform.yaml
spec:
  quarantine:
    - model: shop/ranker
      digest: sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa
      reason: clicks fell by a third
      since: 2026-11-20
""",
    instead="""
# specs/platform.yaml
spec:
  quarantine:
    - model: shop/ranker
      digest: sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa
      reason: clicks fell by a third
      since: 2026-11-20
      released: {by: ml-platform, reason: "the clicks were lost, not missing", at: 2026-11-22}
""",
)
def quarantined(context: Context) -> Iterator[Problem]:
    """Check that neither the digest of the model nor that of its image is in quarantine, unless released by name."""
    lock = context.planned.source.lock
    image = lock.image.digest if lock and lock.image else None
    for index, entry in enumerate(context.platform.quarantine):
        by_files, by_image = entry.digest == context.plan.version.digest, image in {entry.image} - {None}
        if entry.released is not None or not (by_files or by_image):
            continue
        same_model = entry.model == _model(context)
        message = f"this {'version' if by_files else 'image'} is in quarantine since {entry.since}"
        message += f": {entry.reason}" if same_model else f" as {entry.model}: {entry.reason}"
        hint = "pin another version of the model; only the platform's owners can release this one"
        stays = same_model and context.plan.identity.environment in entry.running
        if stays:
            message += "; it stays where it runs until another version replaces it"
            hint = f"train or pin another version; `sluice revert {entry.model}` reverts this one"
        related = (("quarantined here", context.platform_document.place(("spec", "quarantine", index))),)
        severity: Severity | None = "warning" if stays else None
        document = context.planned.source.lock_document
        place = ("model", "digest") if by_files else ("image", "digest")
        yield Problem(place, message, hint, related, severity=severity, document=document)


@rule(
    "WAIV706",
    "warning",
    "a version in quarantine may run again although it was replaced",
    scope=Context,
    why="Its entry still allows it where it ran. Another version runs there now, and the entry would allow "
    "the bad one again.",
    remedy="Remove `running` from its entry in `platform.yaml`: then it is refused everywhere.",
    example="""
# specs/platform.yaml
spec:
  quarantine:
    - model: shop/ranker
      digest: sha256:bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb
      reason: clicks fell by a third
      since: 2026-11-20
      running: [production]
""",
    instead="""
# specs/platform.yaml
spec:
  quarantine:
    - model: shop/ranker
      digest: sha256:bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb
      reason: clicks fell by a third
      since: 2026-11-20
""",
)
def quarantine_outlived(context: Context) -> Iterator[Problem]:
    """Check that no entry lets a version stay in an environment that has moved on to another one."""
    active = [entry for entry in context.platform.quarantine if entry.released is None]
    refused = {entry.digest for entry in active if not entry.running}
    for index, entry in enumerate(context.platform.quarantine):
        if entry.model != _model(context) or entry.released is not None:
            continue
        moved_on = entry.digest not in {context.plan.version.digest, *refused}
        if moved_on and context.plan.identity.environment in entry.running:
            message = f"{entry.model} runs another version now, but this one may still run in "
            message += ", ".join(entry.running)
            path, hint = (
                ("spec", "quarantine", index, "running"),
                "remove `running`: then it is refused everywhere",
            )
            yield Problem(path, message, hint, document=context.platform_document, on_key=True)
