"""Proposed changes to a spec: the plan that they give, their diff, and the file with them written."""

from __future__ import annotations

import copy
from collections.abc import Iterable
from dataclasses import replace
from difflib import unified_diff
from typing import Any

from generator.dataclass import dataclass
from generator.pipeline.atomic_write import write_file
from generator.pipeline.evaluate import evaluate_model
from generator.pipeline.session import Session
from generator.plan.layers import Layers
from generator.plan.model_files import ModelFiles
from generator.plan.resolve import Planned
from generator.source.document import Document, Path
from generator.source.edit import edited, encode
from generator.source.errors import CliError, FindingsError
from generator.source.files import raw
from generator.source.finding import Finding

Change = tuple[Path, Any]
"""A path of the merged spec, and the value as a spec writes it."""


@dataclass(frozen=True, slots=True)
class Proposal:
    """A spec with proposed changes.

    Args:
        entry: the model.
        before: the spec as it is.
        wanted: the plain values with the changes.
        planned: the plan of one environment with the changes.
        findings: of all rules on that plan.
    """

    entry: ModelFiles
    before: Document
    wanted: Any
    planned: Planned
    findings: tuple[Finding, ...]

    @property
    def after(self) -> Document | None:
        """The spec with the changes; None where no lossless edit is known."""
        return edited(self.before, self.wanted)

    def diff(self) -> str:
        """Return the unified diff; empty without changes, or where a person must edit the file."""
        after = self.after
        if after is None:
            return ""
        file = self.before.file
        old, new = (text.splitlines(keepends=True) for text in (self.before.text, after.text))
        return "".join(unified_diff(old, new, f"a/{file}", f"b/{file}"))

    def write(self) -> None:
        """Write the changes into the spec; comments and order stay.

        Raises:
            CliError: no lossless edit is known, or the file can't be written.
        """
        after, path = self.after, self.entry.spec.resolve()
        if after is None:
            raise CliError(
                f"{self.before.file} can't be edited without changing other text", "edit it by hand"
            )
        write_file(path, encode(after, raw(path) or b""))


def propose(session: Session, entry: ModelFiles, planned: Planned, changes: Iterable[Change]) -> Proposal:
    """Return a spec with changes, planned for the environment of `planned` and checked against all rules.

    A value that an environment overrides is changed there; one of the tier is added to the spec.

    Raises:
        CliError: a changed list is written in the tier.
        FindingsError: the changed spec has no plan.
    """
    layers = planned.source.layers
    wanted = copy.deepcopy(layers.spec.data)
    for path, value in changes:
        _put(wanted, _place(layers, path), value)
    resolved = session.resolve(entry, replace(layers.spec, data=wanted))
    environment = planned.plan.identity.environment
    plans = tuple(one.plan for one in resolved.plans)
    resolved.plans = [one for one in resolved.plans if one.plan.identity.environment == environment]
    if not resolved.plans:
        raise FindingsError(resolved.findings)
    findings = evaluate_model(session, resolved, plans)
    return Proposal(entry, layers.spec, wanted, resolved.plans[0], tuple(findings))


def _place(layers: Layers, path: Path) -> Path:
    """Return the path in the team's file: where that file writes the value, or else below `spec`."""
    whole = next((path[:at] for at, part in enumerate(path) if isinstance(part, int)), path)
    document, local = layers.where(whole)
    if document is layers.spec:
        return (*local, *path[len(whole) :])
    if whole != path:
        raise CliError(
            f"`{'.'.join(map(str, whole))}` is written in the tier `{layers.tier}`", "change it there"
        )
    return path


def _put(data: Any, path: Path, value: Any) -> None:
    for part in path[:-1]:
        data = data[part] if isinstance(part, int) else data.setdefault(part, {})
    data[path[-1]] = value
