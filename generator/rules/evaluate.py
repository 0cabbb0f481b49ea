"""Runs all rules: on the plans of one model, and on the platform with all models."""

from __future__ import annotations

import datetime
import re
from collections.abc import Iterator, Sequence
from dataclasses import replace

from generator.lint.engine import load, run, to_finding
from generator.odds.footprint import ResourceFootprint
from generator.plan.repository import Repository
from generator.plan.resolve import Planned, Resolved
from generator.plan.values import Plan
from generator.rules.acceptances import apply_acceptances
from generator.rules.context import Context, FleetContext
from generator.source.document import Document, Path
from generator.source.finding import Finding, Fix

load("generator.rules")


def run_rules(resolved: Resolved, today: datetime.date, everywhere: tuple[Plan, ...] = ()) -> list[Finding]:
    """Return the findings of every rule on every plan of one model; what all environments share is reported once.

    Args:
        resolved: the plans.
        today: the day that dates are compared with.
        everywhere: the plans of all environments, where `resolved` has fewer.
    """
    plans = everywhere or tuple(planned.plan for planned in resolved.plans)
    found: dict[tuple[object, ...], Finding] = {}
    environments: dict[tuple[object, ...], list[str]] = {}
    for planned in resolved.plans:
        context = Context(planned, today, plans)
        for finding in apply_acceptances(_causes(list(_findings(context))), context):
            key = (finding.code, finding.place, finding.message, finding.severity)
            found.setdefault(key, finding)
            environments.setdefault(key, []).append(planned.plan.identity.environment)
    total = len(resolved.plans)
    named = [_with_environments(finding, environments[key], total) for key, finding in found.items()]
    return sorted(named, key=Finding.sort_key)


def _causes(findings: list[Finding]) -> list[Finding]:
    """Drop findings about the odds of a guard that has other findings: they are consequences."""
    wrong = {guard for found in findings if found.code.startswith("PLAN") if (guard := _guard(found))}
    return [f for f in findings if not f.code.startswith("CAN") or _guard(f) not in wrong]


def _guard(finding: Finding) -> str:
    """Return the guard that a finding is about: `spec.rollout.guards[0]`; empty for none."""
    found = re.match(r"spec(?:\.environments\.[^.]+)?\.rollout(?:\.shadow)?\.guards\[\d+\]", finding.path)
    return found[0] if found else ""


def run_fleet_rules(
    footprints: Sequence[ResourceFootprint], repository: Repository, today: datetime.date
) -> list[Finding]:
    """Return the findings about the platform itself and across models."""
    if repository.platform is None:
        return []
    context = FleetContext(footprints, repository, repository.platform, today)
    found: dict[tuple[object, ...], Finding] = {}
    for _, code, problem in run([context]):
        path = problem.path
        if problem.document is None or problem.document is context.document:
            # The rings of an environment share what is written once.
            path = context.platform.where_written(path)
        finding = to_finding(code, replace(problem, path=path), context.document)
        found.setdefault((finding.code, finding.place, finding.message), finding)
    return sorted(found.values(), key=Finding.sort_key)


def _findings(context: Context) -> Iterator[Finding]:
    """Yield the findings about one plan, each in the document that wrote the value."""
    for _, code, problem in run([context]):
        if problem.document is not None:
            yield to_finding(code, problem, problem.document)
            continue
        document, local = _written(context.planned, problem.path)
        in_spec = document is context.planned.source.layers.spec
        fix = _local_fix(context.planned, problem.fix) if in_spec else None
        yield to_finding(code, replace(problem, path=local, fix=fix), document)


def _with_environments(finding: Finding, environments: Sequence[str], total: int) -> Finding:
    """Name the environments of a finding that only some of them have; its fix must not change the others."""
    if len(environments) == total:
        return finding
    local = finding.fix is not None and finding.fix.path[1:2] == ("environments",)
    message = f"{finding.message} (in {', '.join(environments)})"
    return replace(finding, message=message, fix=finding.fix if local else None)


def _written(planned: Planned, path: Path) -> tuple[Document, Path]:
    """Return the document that wrote a value of the merged spec; of an absent value, the one that wrote its parent."""
    layers = planned.source.layers
    if layers.joined(path):
        return layers.where(path)
    # Lists are replaced as a whole: a value inside of one was written by the layer that wrote the list.
    end = next((index for index, part in enumerate(path) if isinstance(part, int)), len(path))
    for length in range(end, 0, -1):
        document, local = layers.where(path[:length])
        if document.has(local):
            return document, (*local, *path[length:])
    return layers.spec, path


def _local_fix(planned: Planned, fix: Fix | None) -> Fix | None:
    """Return the same edit in the spec's own tree; none if another file wrote that value."""
    if fix is None:
        return None
    document, local = _written(planned, fix.path)
    return replace(fix, path=local) if document is planned.source.layers.spec else None
