"""Resolve the files of one model into its plans, one for each environment."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import field, replace
from typing import Any

from generator.dataclass import dataclass
from generator.plan.bento import Bento
from generator.plan.build import Inputs, build
from generator.plan.container import container_of
from generator.plan.inputs import refused_suites, suite_digests
from generator.plan.layers import Layers
from generator.plan.packages import PackageList, outdated
from generator.plan.references import SourceSpec, check_references
from generator.plan.repository import ModelFiles, Repository
from generator.plan.serving import bento_of, latency_bounds, named_indexes, requirements, uses_gpu
from generator.plan.values import Plan
from generator.source.document import Document
from generator.source.finding import Finding, Place
from generator.source.flow import flow
from generator.source.line import argument
from generator.source.reader import display, read
from generator.source.suggest import did_you_mean
from generator.spec.check import check_data, not_a_mapping, refused
from generator.spec.gates import DataGate
from generator.spec.lock import LockFile
from generator.spec.model import ModelFile
from generator.spec.platform import PlatformSpec

_UNKNOWN = "\0"


@dataclass(frozen=True, slots=True)
class Planned:
    """A plan, and the spec that it was built from."""

    plan: Plan
    source: SourceSpec


@dataclass
class Resolved:
    """The plans of one spec, and the findings that kept it from more."""

    entry: ModelFiles
    document: Document
    plans: list[Planned] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)


def resolve(
    repository: Repository,
    entry: ModelFiles,
    bento_digest: Callable[[Bento], str],
    document: Document | None = None,
    pod_templates: Callable[[Plan], str] | None = None,
) -> Resolved:
    """Plan one model for every environment of the platform.

    Args:
        repository: the repository; its platform must be valid.
        entry: the model.
        bento_digest: returns the digest (hex) of the rendered files of a service.
        document: the spec, for a proposal that is not in its file; None to read it.
        pod_templates: returns the digest (hex) of what renders a plan's pods; None for callers without release keys.

    Raises:
        ValueError: the platform is not valid.
    """
    platform = repository.platform
    if platform is None:
        raise ValueError("a model can't be planned without a valid platform")
    document = document or read(entry.spec, repository.root)
    resolved = Resolved(entry, document)
    if document.findings:
        resolved.findings += refused(ModelFile, document)
        return resolved
    lock_document, lock, lock_findings = repository.lock(entry)
    base = _layers(repository, document, platform, _UNKNOWN, resolved)
    if base is None:
        return resolved
    base_file, findings = check_data(ModelFile, base.merged, base.where)
    resolved.findings += findings
    by_environment = _by_environment(repository, resolved, platform, base, base_file)
    if base_file is None or resolved.findings:
        resolved.findings += lock_findings
        return _unique(resolved)
    bounds = tuple(sorted({b for _, file in by_environment.values() for b in latency_bounds(file.spec)}))
    calibration, calibration_findings = repository.calibration(entry)
    resolved.findings += calibration_findings
    gpu = uses_gpu(file.spec for _, file in by_environment.values())
    packages, package_findings = _packages(repository, entry, base_file, platform, lock, gpu=gpu)
    resolved.findings += package_findings
    bento: Bento | None = None
    for environment, (layers, file) in by_environment.items():
        source = SourceSpec(layers, file, platform, lock_document, lock)
        problems = _place(entry, source) or check_references(source)
        resolved.findings += [*lock_findings, *problems]
        if lock is not None and not problems:
            resolved.findings += _refused_suites(entry, source)
            suites = suite_digests(entry, [*_suites(file), *_suites(base_file)])
            own = container_of(file, lock)
            server = own or bento or bento_of(base_file, platform, lock, bounds, packages, gpu=gpu)
            bento = server if isinstance(server, Bento) else None
            digest = bento_digest(bento) if bento else ""
            inputs = Inputs(file, base_file, server, digest, platform, environment, lock, suites)
            plan = build(inputs)
            if plan.delivery.requires:
                promotion, promotion_findings = repository.promotion(entry, environment)
                plan = replace(plan, promotion=promotion)
                resolved.findings += promotion_findings
            if pod_templates is not None:
                plan = replace(plan, pod_templates=pod_templates(plan))
            if calibration is not None and calibration.environment == environment:
                plan = replace(plan, calibration=calibration)
            resolved.plans.append(Planned(plan, source))
    return _unique(resolved)


def _packages(
    repository: Repository,
    entry: ModelFiles,
    file: ModelFile,
    platform: PlatformSpec,
    lock: LockFile | None,
    *,
    gpu: bool,
) -> tuple[PackageList | None, list[Finding]]:
    """Return the pinned packages of a service, if they fit it, and a finding if they don't."""
    packages, findings = repository.packages(entry)
    if packages is None or file.spec.model is None:
        return None, findings
    service = file.spec.service
    locked = lock.packages if lock else ()
    named = requirements(file.spec.model.framework, service, locked, gpu=gpu)
    indexes = named_indexes(service, platform)
    why = outdated(packages, service.python, named, platform.images.from_source, indexes)
    if not why:
        return packages, []
    hint = f"run `sluice pin --packages {entry.name}`, and commit the list with the spec"
    message = f"the list of packages does not fit the service: {why}"
    return None, [
        Finding("LOCK212", "error", message, hint, Place(display(entry.packages, repository.root), 1))
    ]


def no_digest(bento: Bento) -> str:
    """Return a stand-in for the digest of a service, for callers that do not use the tag of its image."""
    del bento
    return "0" * 64


def _refused_suites(entry: ModelFiles, source: SourceSpec) -> list[Finding]:
    """Return a finding for each expectation suite that is in the repository and is not read."""
    refused = refused_suites(entry, _suites(source.file))
    out = []
    for index, gate in enumerate(source.file.spec.gates):
        if isinstance(gate, DataGate) and gate.data.suite in refused:
            message = f"the expectation suite {gate.data.suite} is not read: {refused[gate.data.suite]}"
            hint = "put the suite itself there: a regular file of the repository"
            out.append(source.finding("REF215", ("spec", "gates", index, "data", "suite"), message, hint))
    return out


def _suites(file: ModelFile) -> list[str]:
    return [gate.data.suite for gate in file.spec.gates if isinstance(gate, DataGate)]


def _layers(
    repository: Repository, document: Document, platform: PlatformSpec, environment: str, resolved: Resolved
) -> Layers | None:
    data = document.data
    spec = data.get("spec") if isinstance(data, dict) else None
    tier = spec.get("tier") if isinstance(spec, dict) else None
    if not isinstance(spec, dict) or not isinstance(tier, str):
        # Without a tier the defaults are unknown: only what the file itself holds is checked.
        if not isinstance(data, dict):
            resolved.findings.append(not_a_mapping(document))
            return None
        partial = isinstance(spec, dict)
        _, findings = check_data(
            ModelFile, data, lambda path: (document, path), partial=partial, required=(("spec", "tier"),)
        )
        tiers = _tiers(document, platform)
        hint = f"add `tier: {tiers[0]}`; tiers: {', '.join(tiers)}" if tiers else "the platform has no tiers"
        resolved.findings += [
            replace(found, hint=hint)
            if found.code == "SPEC103" and found.message.startswith("`tier`")
            else found
            for found in findings
        ]
        return None
    if tier not in platform.tiers:
        _, findings = check_data(ModelFile, data, lambda path: (document, path), partial=True)
        resolved.findings += findings
        if not any(found.path == "spec.tier" for found in findings):
            hint = did_you_mean(tier, _tiers(document, platform), "tiers")
            resolved.findings.append(
                document.finding("REF202", ("spec", "tier"), f"unknown tier `{tier}`", hint)
            )
        return None
    return Layers(document, repository.platform_document, tier, environment)


def _tiers(document: Document, platform: PlatformSpec) -> list[str]:
    """Return the tiers that the team of a spec may use; all tiers when the team is unknown or has none that exists."""
    metadata = document.data.get("metadata")
    team = metadata.get("team") if isinstance(metadata, dict) else None
    known = platform.teams.get(team) if isinstance(team, str) else None
    own = [tier for tier in known.tiers if tier in platform.tiers] if known else []
    return own or list(platform.tiers)


def _by_environment(
    repository: Repository,
    resolved: Resolved,
    platform: PlatformSpec,
    base: Layers,
    base_file: ModelFile | None,
) -> dict[str, tuple[Layers, ModelFile]]:
    """Return the merged spec of every environment; an override of an unknown one is a finding."""
    overrides: Any = base.spec.data["spec"].get("environments")
    overrides = {} if overrides is None else _well_formed(base, overrides, resolved)
    out: dict[str, tuple[Layers, ModelFile]] = {}
    for environment in overrides:
        if environment not in platform.environments and environment not in platform.written:
            path = ("spec", "environments", environment)
            hint = did_you_mean(environment, {**platform.written, **platform.environments}, "environments")
            message = f"unknown environment `{environment}`"
            resolved.findings.append(base.spec.finding("REF209", path, message, hint, key=True))
    for environment in platform.environments:
        whole = platform.whole(environment)
        layers = Layers(base.spec, repository.platform_document, base.tier, environment, whole)
        if not (overrides.get(environment) or overrides.get(whole) or layers.platform_differs):
            if base_file is not None:
                out[environment] = (layers, base_file)
            continue
        file, findings = check_data(ModelFile, layers.merged, layers.where)
        own = (f"spec.environments.{environment}", f"spec.environments.{whole}")
        # What the spec itself has wrong is already reported.
        resolved.findings += [
            found for found in findings if base_file is not None or found.path.startswith(own)
        ]
        if file is not None:
            out[environment] = (layers, file)
    return out


def _by_name(overrides: Any) -> dict[str, Any]:
    """Return overrides by environment for a list of names, or of mappings with a name."""
    found: dict[str, Any] = {}
    for item in overrides if isinstance(overrides, list) else ["production"]:
        if not isinstance(item, dict):
            found[str(item)] = {"replicas": 3}
        elif "name" in item:
            found[str(item["name"])] = {key: value for key, value in item.items() if key != "name"}
        else:
            found.update(item)
    return found


_FIXED = ("tier", "model", "serve", "environments")


def _well_formed(base: Layers, overrides: Any, resolved: Resolved) -> dict[str, dict[str, Any]]:
    """Return the overrides that are mappings, and report those of a value that all environments share."""
    path = ("spec", "environments")
    if not isinstance(overrides, dict):
        message = "expected a mapping for `environments`: what differs in each environment"
        hint = f"for example `environments: {flow(_by_name(overrides))}`; without differences, remove it"
        resolved.findings.append(base.spec.finding("SPEC104", path, message, hint))
        return {}
    for environment, override in overrides.items():
        if not isinstance(override, dict):
            message = f"expected a mapping for `{environment}`: the parts of the spec that differ there"
            hint = f"for example `{environment}: {{replicas: 3}}`"
            resolved.findings.append(base.spec.finding("SPEC104", (*path, environment), message, hint))
            continue
        for key in _FIXED:
            if key in override:
                message = f"`{key}` can't differ between environments"
                hint = (
                    f"remove it here: `{key}` is set once, in `spec`; for another {key}, create another model"
                )
                resolved.findings.append(
                    base.spec.finding("REF211", (*path, environment, key), message, hint, key=True)
                )
    return {name: override for name, override in overrides.items() if isinstance(override, dict)}


def _place(entry: ModelFiles, source: SourceSpec) -> list[Finding]:
    """Check that the folder is named after the team and the file after the model."""
    meta, out = source.file.metadata, []
    for key, written, expected in (("team", meta.team, entry.team), ("name", meta.name, entry.model)):
        if written != expected:
            place = f"specs/{meta.team}/{meta.name}.yaml"
            message = f"`{key}` is `{written}`, but this file is {source.layers.spec.file}"
            move = f"git mv {argument(source.layers.spec.file)} {place}"
            hint = f"write `{key}: {expected}`, or move the file: `{move}`"
            out.append(source.finding("REF212", ("metadata", key), message, hint))
    return out


def _unique(resolved: Resolved) -> Resolved:
    """Keep one finding of a mistake that every environment has."""
    seen = {(f.code, f.place, f.message): f for f in resolved.findings}
    resolved.findings = sorted(seen.values(), key=Finding.sort_key)
    return resolved
