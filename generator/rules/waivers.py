"""Waivers, acceptances, quarantine: exemptions end, and none is silently without effect."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from difflib import get_close_matches

from generator.lint.engine import Problem, rule, rules
from generator.rules.context import GATES, Context
from generator.source.finding import Finding


def apply_acceptances(findings: Sequence[Finding], context: Context) -> Iterator[Finding]:
    """Turn warnings that the spec accepts into informations until the acceptance ends; errors stay errors."""
    accepted = {
        item.code: item
        for item in context.spec.accept
        if item.until >= context.today.isoformat() and may_accept(item.code, context)
    }
    for finding in findings:
        item = accepted.get(finding.code)
        if item is None or finding.severity == "info":
            yield finding
        elif finding.severity == "warning":
            yield replace(finding, severity="info", hint=f"accepted until {item.until}: {item.reason}")
        else:
            hint = f"{finding.hint}; `accept` has no effect here, because this {finding.code} is an error"
            yield replace(finding, hint=hint)


def may_accept(code: str, context: Context) -> bool:
    """Return whether the tier lets a team accept a code: strict tiers never accept poor odds (CAN1xx)."""
    return not (context.regulated and code.startswith("CAN1"))


def _model(context: Context) -> str:
    return f"{context.plan.identity.team}/{context.plan.identity.model}"


def _nearest(name: str, known: list[str]) -> str:
    near = get_close_matches(name, known, 1, 0.6)
    return f"did you mean `{near[0]}`?" if near else f"known: {', '.join(sorted(known)) or 'none'}"


@rule(
    "WAIV701",
    "error",
    "a waiver has ended and its gate is still there",
    scope=Context,
    why="An exemption was granted for a time; after it the gate is judged like any other.",
    remedy="Mend the model, or let the approver extend the waiver in `platform.yaml`.",
)
def expired(context: Context) -> Iterator[Problem]:
    """Waivers last to the end of their last day."""
    for index, gate in enumerate(context.plan.gates):
        waiver = gate.waiver
        if waiver is None or waiver.until >= context.today.isoformat():
            continue
        written = context.platform.waivers
        at = max(i for i, w in enumerate(written) if w.model == _model(context) and w.gate == gate.name)
        place = context.platform_document.place(("spec", "waivers", at, "until"))
        message = f"the waiver of the gate `{gate.name}` ended on {waiver.until}"
        hint = f"mend the model, remove the waiver, or let `{waiver.approved_by}` extend it"
        yield Problem((*GATES, index, "name"), message, hint, (("the waiver", place),))


@rule(
    "WAIV702",
    "error",
    "a waiver of a gate that the model does not have",
    scope=Context,
    why="It exempts from nothing: someone believes in an exemption that is not there, or the gate was renamed.",
    remedy="Correct the name of the gate, or remove the waiver.",
)
def gate_unknown(context: Context) -> Iterator[Problem]:
    """Every waiver of this model names one of its gates."""
    gates = [gate.name for gate in context.plan.gates]
    for index, waiver in enumerate(context.platform.waivers):
        if waiver.model == _model(context) and waiver.gate not in gates:
            message = f"the model {waiver.model} has no gate `{waiver.gate}`"
            path = ("spec", "waivers", index, "gate")
            yield Problem(path, message, _nearest(waiver.gate, gates), document=context.platform_document)


@rule(
    "WAIV703",
    "warning",
    "an acceptance has ended",
    scope=Context,
    why="A finding was accepted for a time; from now on it is told again.",
    remedy="Mend what was accepted, or give the acceptance a new date and a new reason.",
)
def acceptance_ended(context: Context) -> Iterator[Problem]:
    """Acceptances last to the end of their last day."""
    for index, item in enumerate(context.spec.accept):
        if item.until < context.today.isoformat():
            message = f"{item.code} was accepted until {item.until}"
            hint = "mend what was accepted, or decide again and write a new date"
            yield Problem(("spec", "accept", index, "until"), message, hint)


@rule(
    "WAIV704",
    "error",
    "a finding that can't be accepted",
    scope=Context,
    why="A team may accept a warning about its own plan for a while; the tier decides how far.",
    remedy="Mend what the finding says, or remove the acceptance.",
)
def not_acceptable(context: Context) -> Iterator[Problem]:
    """Unknown codes, errors, codes about no plan, and those that the tier excludes."""
    known = {found.code.code: found.code for found in rules(Context)}
    for index, item in enumerate(context.spec.accept):
        path = ("spec", "accept", index, "code")
        if item.code not in known:
            message = f"`{item.code}` is no finding about a plan"
            yield Problem(path, message, _nearest(item.code, list(known)))
        elif known[item.code].severity == "error":
            yield Problem(path, f"{item.code} is an error, and errors can't be accepted", "mend what it says")
        elif not may_accept(item.code, context):
            message = f"the tier `{context.plan.identity.tier}` does not let a team accept {item.code}"
            related = (("the tier demands images by digest", context.tier_place("requires", "imageDigest")),)
            yield Problem(path, message, "mend what it says", related)


@rule(
    "WAIV705",
    "error",
    "a model in quarantine",
    scope=Context,
    why="It was rejected in production; the same bytes under another name are the same model.",
    remedy="Release another version. Only who owns `platform.yaml` can let it come back: by `released` in its entry.",
)
def quarantined(context: Context) -> Iterator[Problem]:
    """Digests that must not come back, unless somebody released them by name."""
    for index, entry in enumerate(context.platform.quarantine):
        if entry.digest != context.plan.version.digest or entry.released is not None:
            continue
        place = context.platform_document.place(("spec", "quarantine", index))
        other = "" if entry.model == _model(context) else f" as {entry.model}"
        message = f"this version is in quarantine since {entry.since}{other}: {entry.reason}"
        hint = "pin another version of the model; the platform's owners alone can release this one"
        stays = not other and context.plan.identity.environment in entry.running
        yield Problem(
            ("model", "digest"),
            f"{message}; it stays where it runs until another version takes over" if stays else message,
            f"train or pin another version; `sluice revert {entry.model}` takes this one back"
            if stays
            else hint,
            (("quarantined here", place),),
            severity="warning" if stays else None,
            document=context.planned.written.lock_document,
        )


@rule(
    "WAIV706",
    "warning",
    "a version in quarantine that no longer runs may still come back",
    scope=Context,
    why="Its entry lets it stay where it ran; another version runs there now, and nothing else must bring it back.",
    remedy="Remove `running` from its entry in `platform.yaml`: from then on it is refused everywhere.",
)
def quarantine_outlived(context: Context) -> Iterator[Problem]:
    """Entries that let a version stay, of models that have moved on."""
    written = [entry for entry in context.platform.quarantine if entry.released is None]
    refused = {entry.digest for entry in written if not entry.running}
    for index, entry in enumerate(context.platform.quarantine):
        if entry.model != _model(context) or entry.released is not None:
            continue
        moved_on = entry.digest not in {context.plan.version.digest, *refused}
        if moved_on and context.plan.identity.environment in entry.running:
            message = f"{entry.model} runs another version now; this one is still let run in {', '.join(entry.running)}"
            path, hint = (
                ("spec", "quarantine", index, "running"),
                "remove `running`: it is refused everywhere then",
            )
            yield Problem(path, message, hint, document=context.platform_document, on_key=True)
