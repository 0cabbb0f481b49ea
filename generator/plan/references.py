"""What must hold between spec, platform and lock before there can be a plan."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from generator.plan.layers import Layers
from generator.plan.serving import sensitive_attributes
from generator.source.document import Document, Path
from generator.source.finding import Finding
from generator.source.suggest import did_you_mean
from generator.spec.frameworks import FRAMEWORKS
from generator.spec.guards.outcome import OutcomeGuard
from generator.spec.lock import LockFile
from generator.spec.model import ModelFile
from generator.spec.platform import PlatformSpec


@dataclass(frozen=True, slots=True)
class Written:
    """One model in one environment: what was written, and its validated form.

    Args:
        layers: who wrote what.
        file: the merged spec.
        platform: the platform.
        lock_document: the lock as written; its `data` is None when there is none.
        lock: the validated lock; None when there is none.
    """

    layers: Layers
    file: ModelFile
    platform: PlatformSpec
    lock_document: Document
    lock: LockFile | None

    def finding(self, code: str, path: Path, message: str, hint: str) -> Finding:
        """A finding about a value of the merged spec, at the line that wrote it."""
        document, local = self.layers.where(path)
        return document.finding(code, local, message, hint)


def check_references(written: Written) -> list[Finding]:
    """All references of one model in one environment that lead nowhere."""
    checks = (_team, _outcomes, _attributes, _model_reference, _lock, _locked_data)
    return [finding for check in checks for finding in check(written)]


def _team(written: Written) -> Iterator[Finding]:
    team = written.platform.teams.get(written.file.metadata.team)
    tier = written.file.spec.tier
    if team is None:
        name = written.file.metadata.team
        message = f"the team `{name}` is not known to the platform"
        yield written.finding(
            "REF201", ("metadata", "team"), message, did_you_mean(name, list(written.platform.teams))
        )
    elif tier not in team.tiers:
        message = f"the team `{written.file.metadata.team}` may not use the tier `{tier}`"
        yield written.finding("REF203", ("spec", "tier"), message, f"it may use: {', '.join(team.tiers)}")


def _outcomes(written: Written) -> Iterator[Finding]:
    rollout = written.file.spec.rollout
    lists: list[tuple[Path, list[object]]] = [(("spec", "rollout", "guards"), list(rollout.guards))]
    if rollout.shadow:
        lists.append((("spec", "rollout", "shadow", "guards"), list(rollout.shadow.guards)))
    for path, found in lists:
        for index, guard in enumerate(found):
            if isinstance(guard, OutcomeGuard) and guard.outcome not in written.file.spec.outcomes:
                message = f"the outcome `{guard.outcome}` is not declared"
                hint = did_you_mean(guard.outcome, list(written.file.spec.outcomes))
                yield written.finding("REF204", (*path, index, "outcome"), message, hint)


def _attributes(written: Written) -> Iterator[Finding]:
    known = {**written.platform.attributes, **written.file.spec.service.attributes}
    for name in sensitive_attributes(written.file.spec):
        if name not in known:
            message = f"the values of the sensitive attribute `{name}` are declared nowhere"
            hint = "list them under `service.attributes`, or let the platform list them under `attributes`"
            yield written.finding("REF205", ("spec", "rollout"), message, hint)


def _model_reference(written: Written) -> Iterator[Finding]:
    source = written.file.spec.model
    if source.ref.startswith(("s3://", "https://")) and source.sha256 is None:
        hint = "add `sha256:` with the digest that the producer gave"
        yield written.finding(
            "REF206", ("spec", "model", "ref"), "an address alone does not say which bytes", hint
        )
    if FRAMEWORKS[source.framework].own_class != (source.load is not None):
        message = "`load` names the class of a custom model, and only of a custom model"
        yield written.finding(
            "REF207", ("spec", "model", "framework"), message, "add `load: module:Class`, or remove it"
        )
    if source.ref.startswith("bentoml:") and source.ref.count(":") != _TAG_COLONS:
        message = "a BentoML reference names one version: bentoml:name:version"
        yield written.finding("REF208", ("spec", "model", "ref"), message, "add the version")


_TAG_COLONS = 2


def _lock(written: Written) -> Iterator[Finding]:
    asked = written.file.spec.model.ref
    if written.lock is None:
        if written.lock_document.findings:
            return
        message = f"`{asked}` is not locked: nothing says which bytes it means"
        hint = f"pin it: the lock belongs in {written.lock_document.file}"
        yield written.finding("LOCK201", ("spec", "model", "ref"), message, hint)
    elif written.lock.model.ref != asked:
        message = f"the lock was made for `{written.lock.model.ref}`, not for `{asked}`"
        related = (("the spec asks here", written.layers.place(("spec", "model", "ref"))),)
        yield written.lock_document.finding(
            "LOCK202", ("model", "ref"), message, "pin the model again", related=related
        )
    elif (
        written.file.spec.model.sha256
        and written.lock.model.digest != f"sha256:{written.file.spec.model.sha256}"
    ):
        message = "the lock's digest is not the one that the spec gives"
        yield written.lock_document.finding("LOCK203", ("model", "digest"), message, "pin the model again")


def _locked_data(written: Written) -> Iterator[Finding]:
    if written.lock is None:
        return
    for index, gate in enumerate(written.file.spec.gates):
        for path, ref in gate.data_sets():
            if ref not in written.lock.data:
                message = f"the data set `{ref}` is not locked"
                hint = f"pin it: add it under `data` in {written.lock_document.file}"
                yield written.finding("LOCK204", ("spec", "gates", index, *path), message, hint)
