"""Acceptances of findings, and hot fixes: both have a name, a reason and an end."""

from __future__ import annotations

import datetime
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Final

from generator.lint.engine import Problem, rule, rules
from generator.rules.context import Context
from generator.source.finding import Finding
from generator.source.suggest import did_you_mean
from generator.spec.exemptions import HotFix

HOT: Final = frozenset(
    {"CAN102", "CAN141", "CAN210", "CAN211", "CAN212", "CAN213", "CAN215", "CAN216"}
    | {"TIER301", "TIER308", "TIER321", "TIER322", "TIER323"}
)
"""What a hot fix may exceed: weights, holds and the odds that follow. Its guards, gates and approvals stay."""
_LONGEST: Final = datetime.timedelta(days=1)


def apply_acceptances(findings: Sequence[Finding], context: Context) -> Iterator[Finding]:
    """Turn accepted warnings into information until the acceptance ends, and what a hot fix may exceed for its day.

    Other errors stay errors.
    """
    hot = next((fix for _, fix in _hot_fixes(context) if _is_valid(fix, context)), None)
    warnings = {found.code.code for found in rules(Context) if found.code.severity != "error"}
    accepted = {
        item.code: item
        for item in context.spec.accept
        if item.until >= context.today.isoformat()
        and may_accept(item.code, context)
        and item.code in warnings
    }
    for finding in findings:
        item = accepted.get(finding.code)
        if hot is not None and finding.code in HOT and finding.severity != "info":
            yield replace(finding, severity="info", hint=hot.terms, fix=None)
        elif item is None or finding.severity == "info":
            yield finding
        elif finding.severity == "warning":
            yield replace(finding, severity="info", hint=f"accepted until {item.until}: {item.reason}")
        else:
            hint = f"{finding.hint}; `accept` has no effect here, because this {finding.code} is an error"
            yield replace(finding, hint=hint)


def may_accept(code: str, context: Context) -> bool:
    """Return whether the tier lets a team accept a code: strict tiers never accept poor odds (CAN1xx)."""
    return not (context.regulated and code.startswith("CAN1"))


def _hot_fixes(context: Context) -> Iterator[tuple[int, HotFix]]:
    """Yield the hot fixes of this model with their positions in the platform."""
    identity = context.plan.identity
    for index, fix in enumerate(context.platform.hot_fixes):
        if fix.model == f"{identity.team}/{identity.model}":
            yield index, fix


def _is_valid(fix: HotFix, context: Context) -> bool:
    last = datetime.date.fromisoformat(fix.until)
    in_time = context.today <= last <= context.today + _LONGEST
    return in_time and fix.digest == context.plan.version.digest and bool(context.plan.measured_guards)


def _entry(context: Context) -> str:
    """Return the entry that accepts a hot fix of this version today."""
    identity, digest = context.plan.identity, context.plan.version.digest
    return (
        f"`hotFixes: [{{model: {identity.team}/{identity.model}, digest: {digest}, reason: …, approvedBy: …, "
        f"until: {context.today.isoformat()}}}]`"
    )


@rule(
    "WAIV703",
    "warning",
    "an acceptance has ended",
    scope=Context,
    why="A finding was accepted for a time; from now on it is reported again.",
    remedy="Fix the finding, or give the acceptance a new date and a new reason.",
    example="spec: {accept: [{code: CAN212, reason: known since May, until: 2026-11-01}]}",
    instead="spec: {accept: [{code: CAN212, reason: known since May, until: 2026-12-01}]}",
)
def acceptance_ended(context: Context) -> Iterator[Problem]:
    """Check that no acceptance has ended; they last to the end of their last day."""
    for index, item in enumerate(context.spec.accept):
        if item.until < context.today.isoformat():
            message = f"{item.code} was accepted until {item.until}"
            hint = "fix the finding, or decide again and set a new date"
            yield Problem(("spec", "accept", index, "until"), message, hint)


@rule(
    "WAIV704",
    "error",
    "a finding can't be accepted",
    scope=Context,
    why="A team may temporarily accept a warning about its own plan if its tier allows it; never an error, "
    "nor a finding about files, evidence or the platform.",
    remedy="Fix the finding, or remove the acceptance.",
    example="spec: {accept: [{code: TIER301, reason: known since May, until: 2026-12-01}]}",
    instead="spec: {accept: [{code: CAN212, reason: known since May, until: 2026-12-01}]}",
)
def not_acceptable(context: Context) -> Iterator[Problem]:
    """Check that an accepted code is a warning about plans, and one that the tier lets a team accept."""
    known = {found.code.code: found.code for found in rules(Context)}
    warnings = [code for code, found in known.items() if found.severity == "warning"]
    for index, item in enumerate(context.spec.accept):
        path = ("spec", "accept", index, "code")
        if item.code not in known:
            message = f"`{item.code}` is not the code of a finding about plans, so it can't be accepted"
            yield Problem(path, message, did_you_mean(item.code, warnings, "can be accepted"))
        elif known[item.code].severity == "error":
            hint = "fix the finding"
            if item.code in HOT:
                hint += (
                    f", or let the owners of `platform.yaml` accept a hot fix for a day: {_entry(context)}"
                )
            yield Problem(path, f"{item.code} is an error, and errors can't be accepted", hint)
        elif not may_accept(item.code, context):
            message = f"the tier `{context.plan.identity.tier}` does not let a team accept {item.code}"
            related = (("the tier requires images by digest", context.tier_place("requires", "imageDigest")),)
            yield Problem(path, message, "fix the finding", related)


@rule(
    "WAIV709",
    "warning",
    "a hot fix has no effect",
    scope=Context,
    why="A hot fix may go out with steps that are too short or too large, because it is needed now: for one day, for "
    "one version of the model, and with its guards. After that the limits of the tier apply to it again.",
    remedy="Remove the entry, or let its approver decide again. One that ends later than tomorrow is an error.",
    example="""
# specs/platform.yaml
spec:
  hotFixes:
    - model: shop/ranker
      digest: sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa
      reason: prices are wrong
      approvedBy: ml-platform
      until: 2026-11-01
""",
    instead="""
# specs/platform.yaml
spec:
  hotFixes:
    - model: shop/ranker
      digest: sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa
      reason: prices are wrong
      approvedBy: ml-platform
      until: 2026-11-23
""",
)
def idle_hot_fix(context: Context) -> Iterator[Problem]:
    """Check that each hot fix of this model ends today or tomorrow, and is for this version and for its guards."""
    for index, fix in _hot_fixes(context):
        path = ("spec", "hotFixes", index)
        last, document = datetime.date.fromisoformat(fix.until), context.platform_document
        if last > context.today + _LONGEST:
            message = f"a hot fix of {fix.model} is accepted until {fix.until}, longer than a day"
            hint = f"write `until: {context.today.isoformat()}`"
            yield Problem((*path, "until"), message, hint, severity="error", document=document)
        elif last < context.today:
            message = f"the hot fix of {fix.model} ended on {fix.until}"
            yield Problem((*path, "until"), message, "remove the entry", document=document)
        elif fix.digest != context.plan.version.digest:
            message = f"the hot fix of {fix.model} is for another version of the model"
            hint = f"write `digest: {context.plan.version.digest}` if this version was meant"
            yield Problem((*path, "digest"), message, hint, document=document)
        elif not context.plan.measured_guards:
            message = f"the hot fix of {fix.model} has no guard that could stop a bad version"
            yield Problem(path, message, "keep its guards", severity="error", document=document)
