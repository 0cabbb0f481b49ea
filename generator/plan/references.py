"""Checks references between spec, platform and lock, which a plan requires."""

from __future__ import annotations

import re
from collections.abc import Iterator

from generator.dataclass import dataclass
from generator.plan.bento import RESERVED_MODULES
from generator.plan.layers import Layers
from generator.plan.locks import lock_findings
from generator.plan.serving import sensitive_attributes
from generator.source.document import Document, Path
from generator.source.finding import Finding
from generator.source.suggest import did_you_mean, misspelt, nearest
from generator.spec.frameworks import FRAMEWORKS
from generator.spec.gate_data import proof_of
from generator.spec.guards.outcome import OutcomeGuard
from generator.spec.lock import LockFile
from generator.spec.model import ModelFile, ModelSource
from generator.spec.platform import PlatformSpec


@dataclass(frozen=True, slots=True)
class SourceSpec:
    """One model in one environment as it was written, and its validated form.

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
        """Return a finding about a value of the merged spec, at the line that wrote it."""
        document, local = self.layers.where(path)
        return document.finding(code, local, message, hint)


def check_references(written: SourceSpec) -> list[Finding]:
    """Return findings about every reference of one model in one environment that leads nowhere.

    A lock is compared only with a valid reference: mistakes in the reference are reported first.
    """
    checks = (_team, _outcomes, _attributes, _engines)
    found = [finding for check in checks for finding in check(written)]
    of_model = list(_model_reference(written))
    return [*found, *of_model, *([] if of_model else lock_findings(written))]


def _team(written: SourceSpec) -> Iterator[Finding]:
    team = written.platform.teams.get(written.file.metadata.team)
    tier = written.file.spec.tier
    if team is None:
        name = written.file.metadata.team
        message = f"unknown team `{name}`"
        yield written.finding(
            "REF201", ("metadata", "team"), message, did_you_mean(name, written.platform.teams, "teams")
        )
    elif tier not in team.tiers and not _misspelt_tier(written, team.tiers):
        message = f"the team `{written.file.metadata.team}` may not use the tier `{tier}`"
        yield written.finding(
            "REF203", ("spec", "tier"), message, f"tiers of this team: {', '.join(team.tiers)}"
        )


def _misspelt_tier(written: SourceSpec, tiers: list[str]) -> bool:
    """Return whether the team has a misspelt tier instead, which the platform's own finding reports."""
    unknown = [name for name in tiers if name not in written.platform.tiers]
    return any(misspelt(name, [written.file.spec.tier]) for name in unknown)


def _outcomes(written: SourceSpec) -> Iterator[Finding]:
    rollout = written.file.spec.rollout
    lists: list[tuple[Path, list[object]]] = [(("spec", "rollout", "guards"), list(rollout.guards))]
    if rollout.shadow:
        lists.append((("spec", "rollout", "shadow", "guards"), list(rollout.shadow.guards)))
    for path, found in lists:
        for index, guard in enumerate(found):
            if isinstance(guard, OutcomeGuard) and guard.outcome not in written.file.spec.outcomes:
                message = f"the outcome `{guard.outcome}` is not declared in `outcomes`"
                hint = _declare(guard.outcome, list(written.file.spec.outcomes))
                yield written.finding("REF204", (*path, index, "outcome"), message, hint)


def _declare(outcome: str, declared: list[str]) -> str:
    near = nearest(outcome, declared)
    if near:
        return f"did you mean `{near[0]}`?"
    example = f"declare it: `outcomes: {{{outcome}: {{kind: ratio, event: click, baseline: 4%}}}}`"
    return f"{example}, or use one of: {', '.join(declared)}" if declared else example


def _attributes(written: SourceSpec) -> Iterator[Finding]:
    known = {**written.platform.attributes, **written.file.spec.service.attributes}
    for name in sensitive_attributes(written.file.spec):
        if name not in known:
            near = nearest(name, known)
            message = f"the sensitive attribute `{name}` has no declared values"
            hint = f"list them: `service: {{attributes: {{{name}: [VALUE, VALUE]}}}}`"
            path = _attribute_path(written, name)
            yield written.finding("REF205", path, message, f"did you mean `{near[0]}`?" if near else hint)
    compared = sensitive_attributes(written.file.spec)
    if compared and not written.file.spec.service.positive:
        message = f"groups of `{compared[0]}` are compared, but no prediction counts as positive"
        hint = (
            "list the predictions that favor a person, as the model returns them: `service: {positive: [1]}`"
        )
        path = (
            ("spec", "service")
            if compared[0] in written.file.spec.service.attributes
            else _attribute_path(written, compared[0])
        )
        yield written.finding("REF216", path, message, hint)


def _engines(written: SourceSpec) -> Iterator[Finding]:
    """Check that tables and queries name an engine of the platform, and that files have none."""
    known = written.platform.gates.engines
    for index, gate in enumerate(written.file.spec.gates):
        for part, source in gate.needs.sources.items():
            path: Path = ("spec", "gates", index, *part)
            if source.engine is not None and source.engine not in known:
                message = f"unknown engine `{source.engine}`"
                hint = did_you_mean(source.engine, known, "engines")
                yield written.finding("REF217", (*path, "engine"), message, hint)
            elif (source.engine is None) != (proof_of(source) != "unbound"):
                key = next(key for key in source.one_of if getattr(source, key) is not None)
                message = f"`{key}` needs `engine`" if source.engine is None else f"`{key}` has no `engine`"
                hint = f"engines of the platform: {', '.join(known) or 'none'}; they have tables and queries, and the "
                hint += "gate itself reads all other data"
                yield written.finding("REF217", (*path, key), message, hint)


def _attribute_path(written: SourceSpec, name: str) -> Path:
    """Return where a guard or a gate names a sensitive attribute."""
    spec = written.file.spec
    places: list[tuple[Path, list[object]]] = [
        (("spec", "rollout", "guards"), list(spec.rollout.guards)),
        (("spec", "gates"), list(spec.gates)),
    ]
    for path, items in places:
        for index, item in enumerate(items):
            names = getattr(item, "sensitive", None) or []
            if name in names:
                return (*path, index, "sensitive", names.index(name))
    return ("spec", "rollout")


def _own_files(written: SourceSpec, source: ModelSource) -> Iterator[Finding]:
    """Yield what is wrong with the team's own module, or with the routes of its bento."""
    module = (source.load or "").split(":")[0].split(".")[0]
    if source.framework == "bento":
        if not source.endpoints:
            message = "the routes of the bento whose answers are predictions are missing"
            hint = "add `endpoints: [/predict]` to `model`, with the routes of your service"
            yield written.finding("REF207", ("spec", "model", "framework"), message, hint)
    elif module in RESERVED_MODULES:
        message = f"`{module}` is the name of a module of the rendered service"
        yield written.finding("REF207", ("spec", "model", "load"), message, f"rename it, as `my_{module}`")
    if source.framework == "bento" and source.ref.startswith("bentoml:"):
        message = "a bento is released from its export: a tag of the local store is not in reach of CI"
        hint = f"`bentoml export {source.ref.removeprefix('bentoml:')} FILE.bento`, and name where the file is stored"
        yield written.finding("REF207", ("spec", "model", "ref"), message, hint)


def _model_reference(written: SourceSpec) -> Iterator[Finding]:
    source = written.file.spec.model
    if source is None:
        return
    wrong = "always" if source.load is None else "never"
    if FRAMEWORKS[source.framework].own_class == wrong:
        if source.load is None:
            message = f"a model of the framework `{source.framework}` needs the class that loads it"
            hint = "add `load: my_model:Model` (module and class) to `model`"
        else:
            able = " and ".join(f"`{name}`" for name, one in FRAMEWORKS.items() if one.own_class != "never")
            message = f"`load` is for the frameworks {able}, not for `{source.framework}`"
            hint = f"remove `load: {source.load}`, or write `framework: custom`"
        yield written.finding("REF207", ("spec", "model", "framework"), message, hint)
    yield from _own_files(written, source)
    if source.references and source.framework != "custom":
        name = next(iter(source.references))
        message = f"a model of the framework `{source.framework}` is one model: only a class of yours can load `{name}`"
        hint = "write a class (`sluice new TEAM/MODEL --custom`), and `framework: custom`"
        yield written.finding("REF207", ("spec", "model", "references"), message, hint)
    locked = written.lock.model.ref if written.lock else ""
    yield from _one_reference(written, ("spec", "model", "ref"), source.ref, source.sha256, locked)
    for name, more in source.references.items():
        path = ("spec", "model", "references", name, "ref")
        if name == "model":
            message = "`model` is the name of the model itself"
            yield written.finding("REF207", path[:-1], message, "write another name")
        yield from _one_reference(written, path, more.ref, more.sha256, "")


def _one_reference(
    written: SourceSpec, path: Path, ref: str, sha256: str | None, locked: str
) -> Iterator[Finding]:
    """Yield what one reference lacks; `locked` is the reference that the lock was made for."""
    if ref.startswith(("s3://", "https://")) and sha256 is None:
        message = "the content of an address can change: an s3:// or https:// reference needs a digest"
        hint = f"add `sha256: DIGEST` next to it: the output of `sha256sum {ref.rpartition('/')[2]}`"
        yield written.finding("REF206", path, message, hint)
    if ref.startswith("bentoml:") and ref.count(":") != _TAG_COLONS:
        bare = ":".join(ref.split(":")[:2]).rstrip(":")
        name, _, version = bare.replace("@", "/").partition("/")
        right = locked if locked.startswith(f"{name}:") else f"{name}:{version or 1}"
        message = f"`{ref}` has no version: a BentoML reference is bentoml:NAME:VERSION"
        if ref.count(":") > _TAG_COLONS:
            message = f"`{ref}` has more than a name and a version: bentoml:NAME:VERSION"
        hint = f'write the version, for example `"{right}"`; `bentoml models list` shows the versions'
        yield written.finding("REF208", path, message, hint)
    elif ref.startswith("bentoml:") and ref.endswith(":latest"):
        name = ref.removesuffix(":latest")
        right = locked if locked.startswith(f"{name}:") else f"{name}:1"
        message = f"`{ref}` is another version after each import"
        hint = f'write the version, for example `"{right}"`; `bentoml models list` shows the versions'
        yield written.finding("REF208", path, message, hint)
    yield from _mlflow_reference(written, path, ref)


_MLFLOW = re.compile(r"mlflow:(?P<name>[^/@:]+)(?P<mark>[:/])(?P<version>[^/@:]+)")


def _mlflow_reference(written: SourceSpec, path: Path, ref: str) -> Iterator[Finding]:
    """Check that what follows the name of a registered model is a version or an alias; stages are neither."""
    found = _MLFLOW.fullmatch(ref)
    if found is None or (found["mark"] == "/" and found["version"].isdigit()):
        return
    number = found["version"].removeprefix("v")
    right = f"{found['name']}/{number}" if number.isdigit() else f"{found['name']}@{found['version'].lower()}"
    message = f"`{ref}` has no version: an MLflow reference is mlflow:NAME/VERSION or mlflow:NAME@ALIAS"
    yield written.finding("REF208", path, message, f'write `"mlflow:{right}"`')


_TAG_COLONS = 2
