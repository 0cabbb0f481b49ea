"""Compares an entry of evidence with what its plan determines: anyone who writes a document can also seal it."""

from __future__ import annotations

import datetime as dt
import math
import re
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Final

from generator import __version__
from generator.gates.adapters import Claim, Expected, adapter
from generator.gates.errors import NoVerdictError
from generator.gates.measures import deciding_reasons
from generator.gates.tools import Tool
from generator.plan.gates import gate_key
from generator.plan.values import Gate, Plan
from generator.source.shipped import builtin_folder
from generator.spec.evidence import EvidenceEntry, Interval, Measure, Predicate
from generator.spec.gate_tools import Program

_CLOSE: Final = 1e-9
_SHORT: Final = 19
_TAG: Final = re.compile(r"[0-9A-Za-z][0-9A-Za-z._-]{0,127}")


def mismatches(plan: Plan, gate: Gate, entry: EvidenceEntry, sluice: str) -> Iterator[str]:
    """Yield what contradicts the plan in the entry with a gate's name and configuration.

    Args:
        plan: the plan.
        gate: the gate.
        entry: its entry.
        sluice: version of Sluice that wrote the document.
    """
    if entry.kind != gate.kind:
        yield f"its kind is {entry.kind}, and the gate's is {gate.kind}"
        return
    yield from _times(plan, entry)
    yield from _image(plan, gate, entry)
    if not entry.measures:
        yield from _without_verdict(gate, entry)
    elif entry.verdict == "pass":
        yield from _passed(plan, gate, entry, sluice)


def report_mismatches(plan: Plan, gate: Gate, entry: EvidenceEntry, raw: bytes) -> Iterator[str]:
    """Yield what contradicts the report that an entry was made from, when the repository has it.

    Args:
        plan: the plan.
        gate: the gate.
        entry: its entry, without mismatches.
        raw: the bytes of the report, with the digest that the entry has.
    """
    reread = adapter(gate.kind).expected(_claim(plan, gate, entry)).reread
    if reread is None:
        return
    try:
        models, measures = reread(raw)
    except NoVerdictError as error:
        yield f"its report is inconclusive: {error}"
        return
    if set(models) not in ({plan.version.digest}, set()) or (entry.binding == "digest") != bool(models):
        yield f"its report names {', '.join(models) or 'no model'}, and it is tied to the model by `{entry.binding}`"
    for found, again in zip(entry.measures, measures, strict=False):
        part = next(_differences(found, again, exact=False), "")
        if part:
            yield f"{part} of `{found.name}` does not follow from its report"


def key_for(plan: Plan, predicate: Predicate) -> str:
    """Return the gate key that a plan has under the version of Sluice that wrote a document."""
    pods = plan.gate_pods
    configs = [gate.config for gate in plan.gates]
    return gate_key(plan.version.digest, dict(plan.data), configs, (pods.prefix, pods.base, predicate.sluice))


def _times(plan: Plan, entry: EvidenceEntry) -> Iterator[str]:
    """Check that the gate ran after the model was locked; the order of the document's own times is checked earlier."""
    try:
        locked = dt.datetime.fromisoformat(plan.version.at)
    except ValueError:
        yield f"the time of the lock, {plan.version.at}, can't be compared with it"
        return
    locked = locked if locked.tzinfo else locked.replace(tzinfo=dt.UTC)
    if dt.datetime.fromisoformat(entry.start) < locked.replace(microsecond=0):
        yield f"it started on {entry.start}, before the model was locked on {plan.version.at}"


def _image(plan: Plan, gate: Gate, entry: EvidenceEntry) -> Iterator[str]:
    """Check that the image is the platform's image of the gate's tool; there is none outside the cluster."""
    if entry.image is None:
        return
    prefix = f"{plan.gate_pods.prefix}/{gate.spec.image}:"
    if gate.spec.image is None or not entry.image.startswith(prefix):
        yield f"it ran in the image {entry.image}, which is not the gate's"
    elif not _TAG.fullmatch(entry.image.removeprefix(prefix)):
        yield f"its image has an invalid tag: {entry.image}"


def _without_verdict(gate: Gate, entry: EvidenceEntry) -> Iterator[str]:
    found = (entry.tool, entry.tool_version, entry.binding, entry.environment, entry.sources)
    if found != (gate.tool, "none", "none", None, []):
        yield "it has no measures, but names what measured"


def _passed(plan: Plan, gate: Gate, entry: EvidenceEntry, sluice: str) -> Iterator[str]:
    try:
        expected = adapter(gate.kind).expected(_claim(plan, gate, entry))
    except NoVerdictError as error:
        yield str(error)
        return
    except (ArithmeticError, ValueError):
        yield "its numbers are impossible"
        return
    yield from _tool(entry, expected, sluice)
    yield from _sources(entry, expected)
    yield from _measures(entry, expected, exact=sluice == __version__)


def _claim(plan: Plan, gate: Gate, entry: EvidenceEntry) -> Claim:
    return Claim(
        gate=gate,
        entry=entry,
        model=(plan.version.resolved, plan.version.digest),
        data=dict(plan.data),
        framework=plan.server.framework,
        guaranteed=plan.gate_pods.guaranteed,
    )


def _tool(entry: EvidenceEntry, expected: Expected, sluice: str) -> Iterator[str]:
    if expected.tool not in {None, entry.tool}:
        yield f"its tool is {entry.tool}, and the gate's is {expected.tool}"
    if expected.version not in {None, entry.tool_version}:
        yield f"the version of its tool is {entry.tool_version} instead of {expected.version}"
    if entry.binding not in expected.bindings:
        yield f"it is tied to the model by `{entry.binding}` instead of {_either(expected.bindings)}"
    if expected.program is None:
        if entry.environment is not None:
            yield "it names an environment, but no tool of the gate has one"
        return
    if entry.environment is None:
        yield "it does not name the environment of its tool"
    elif sluice == __version__:
        digest, versions = _environment(expected.program)
        if entry.environment != digest:
            yield f"the environment of its tool is not that of Sluice {__version__}"
        elif entry.tool_version not in versions:
            yield f"the version of its tool is {entry.tool_version} instead of {_either(versions)}"


@cache
def _environment(program: Program) -> tuple[str, frozenset[str]]:
    """Return the digest of a script's environment, and the versions of its tool in the list of packages."""
    tool = Tool(builtin_folder() / "gates", program.tool, program.script)
    pattern = re.compile(rf"^{re.escape(program.tool)}(?:-[a-z]+)?==([^ ;\\]+)", re.MULTILINE)
    return tool.digest, frozenset(pattern.findall(tool.requirements.read_text(encoding="utf-8")))


def _sources(entry: EvidenceEntry, expected: Expected) -> Iterator[str]:
    """Check that an entry has exactly the expected sources, in order."""
    if len(entry.sources) != len(expected.sources):
        yield f"it has {len(entry.sources)} sources instead of {len(expected.sources)}"
        return
    for found, wanted in zip(entry.sources, expected.sources, strict=True):
        if found.role != wanted.role or wanted.path not in {None, found.path}:
            yield f"its source {found.path} ({found.role}) should be {wanted.path or 'a table'} ({wanted.role})"
        elif wanted.digest not in {None, found.digest}:
            yield f"it read {found.path} with the digest {found.digest[:_SHORT]}…, not {str(wanted.digest)[:_SHORT]}…"
        elif wanted.path is None and "/" in found.path:
            yield f"its source {found.path} should be the name of a table"


def _measures(entry: EvidenceEntry, expected: Expected, *, exact: bool) -> Iterator[str]:
    """Check the measures against those that were computed again.

    Args:
        entry: the entry.
        expected: computed from its numbers, and the gate.
        exact: compare reasons as well, whose wording depends on the version of Sluice.
    """
    names, wanted = ([one.name for one in found] for found in (entry.measures, expected.measures))
    if names != wanted:
        yield f"it measures {_listed(names)} instead of {_listed(wanted)}"
        return
    for found, again in zip(entry.measures, expected.measures, strict=True):
        part = next(_differences(found, again, exact=exact), "")
        if part:
            yield f"{part} of `{found.name}` does not follow from the gate and its numbers"
            return
    if exact and entry.reason != deciding_reasons(expected.measures):
        yield "its reason does not follow from its measures"


def _differences(found: Measure, again: Measure, *, exact: bool) -> Iterator[str]:
    """Yield the parts of a measure that differ from those of the one that was computed again."""
    if found.bound != again.bound or not _close(found.threshold, again.threshold):
        yield f"the bound {found.bound} {found.threshold:.6g} (instead of {again.bound} {again.threshold:.6g})"
    if not _close(found.value, again.value):
        yield "the value"
    if not _same_interval(found.interval, again.interval):
        yield "the interval"
    if found.samples != again.samples:
        yield "the sample sizes"
    if not _same_numbers(found.details, again.details):
        yield "the details"
    parts = (found.parts, again.parts)
    if parts[0].keys() != parts[1].keys() or not all(
        _same_numbers(parts[0][key], parts[1][key]) for key in parts[0]
    ):
        yield "the groups"
    if found.verdict != again.verdict:
        yield f"the verdict ({again.reason})"
    if exact and found.reason != again.reason:
        yield "the reason"


def _same_interval(one: Interval | None, other: Interval | None) -> bool:
    if one is None or other is None:
        return one is other
    return _close(one.low, other.low) and _close(one.high, other.high)


def _same_numbers(one: Mapping[str, float | str], other: Mapping[str, float | str]) -> bool:
    if one.keys() != other.keys():
        return False
    return all(
        value == other[key]
        if isinstance(value, str) or isinstance(other[key], str)
        else _close(value, other[key])
        for key, value in one.items()
    )


def _close(one: float | str | None, other: float | str | None) -> bool:
    if not isinstance(one, (int, float)) or not isinstance(other, (int, float)):
        return one is other
    return math.isclose(one, other, rel_tol=_CLOSE, abs_tol=_CLOSE)


def _either(names: frozenset[str]) -> str:
    return " or ".join(sorted(names)) or "none"


def _listed(names: list[str]) -> str:
    return ", ".join(f"`{name}`" for name in names[:10]) + (" …" if len(names) > 10 else "")
