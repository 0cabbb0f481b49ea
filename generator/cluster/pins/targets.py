"""The references of a spec, in every environment: its model, and the data sets that its gates read."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

from generator.cluster.pins.errors import CredentialError, PinError
from generator.cluster.pins.reference import Reference
from generator.dataclass import dataclass
from generator.plan.layers import Layers
from generator.plan.repository import ModelFiles, Repository
from generator.plan.resolve import no_digest, resolve
from generator.plan.serving import requirements, uses_gpu
from generator.source.document import Document, Path
from generator.source.finding import Finding, Severity
from generator.spec.check import check_data
from generator.spec.indexes import Index
from generator.spec.model import ModelFile, ModelSpec

_BASE = "\0"


@dataclass(frozen=True, slots=True)
class PinTarget:
    """A reference to pin and its place in the spec.

    Args:
        reference: the reference.
        document: the first file that names it.
        path: the value in it.
        framework: how the spec loads the model; empty for data.
    """

    reference: Reference
    document: Document
    path: Path
    framework: str = ""

    def finding(self, code: str, message: str, hint: str, severity: Severity = "error") -> Finding:
        """Return a finding that points at the reference."""
        return self.document.finding(code, self.path, message, hint, severity=severity)

    def failed(self, error: PinError) -> Finding:
        """Return the finding of a reference that can't be resolved."""
        finding = self.finding(error.code, error.message, error.hint)
        return replace(finding, excerpt="") if isinstance(error, CredentialError) else finding


def targets(repository: Repository, entry: ModelFiles) -> tuple[list[PinTarget], list[Finding]]:
    """Return the references of one spec.

    Returns:
        The model's reference and then those of data sets, each once; or none, and why the spec can't be used.
    """
    document, findings = _usable(repository, entry)
    platform = repository.platform
    if findings or platform is None:
        return [], findings
    found: dict[Reference, PinTarget] = {}
    for environment in (_BASE, *platform.environments):
        layers, file, problems = _merged(repository, document, environment)
        findings += problems
        for path, reference in _references(file.spec) if file else ():
            model = file.spec.model if file and not reference.data else None
            framework = model.framework if model else ""
            found.setdefault(reference, PinTarget(reference, *layers.where(path), framework))
    return ([], findings) if findings else (list(found.values()), [])


@dataclass(frozen=True, slots=True)
class Service:
    """The packages that one service names.

    Args:
        document: the spec.
        requirements: pinned packages.
        python: Python of the image.
        indexes: the indexes of the platform that it names.
    """

    document: Document
    requirements: tuple[str, ...]
    python: str
    indexes: Mapping[str, Index]

    def failed(self, code: str, message: str, hint: str) -> Finding:
        """Return a finding at the framework, which decides most packages."""
        return self.document.finding(code, ("spec", "model", "framework"), message, hint)


def service(repository: Repository, entry: ModelFiles) -> tuple[Service | None, list[Finding]]:
    """Return the packages that the service of one spec names; or none, and why the spec can't be used."""
    document, findings = _usable(repository, entry)
    if findings or repository.platform is None:
        return None, findings
    _, file, problems = _merged(repository, document, _BASE)
    if file is None or file.spec.model is None:
        return None, problems
    _, lock, _ = repository.lock(entry)
    every = (_merged(repository, document, name)[1] for name in repository.platform.environments)
    gpu = uses_gpu(one.spec for one in every if one)
    locked = lock.packages if lock else ()
    named = requirements(file.spec.model.framework, file.spec.service, locked, gpu=gpu)
    own, known = file.spec.service, repository.platform.indexes
    indexes = {name: known[name] for name in own.indexes if name in known}
    return Service(document, named, own.python, indexes), []


def _usable(repository: Repository, entry: ModelFiles) -> tuple[Document, list[Finding]]:
    """Return a spec, and its findings; those about its lock are the reason to pin, not errors."""
    resolved = resolve(repository, entry, no_digest)
    findings = [finding for finding in resolved.findings if not finding.code.startswith("LOCK")]
    return resolved.document, findings


def _merged(
    repository: Repository, document: Document, environment: str
) -> tuple[Layers, ModelFile | None, list[Finding]]:
    whole = repository.platform.whole(environment) if repository.platform else ""
    tier = document.data["spec"]["tier"]
    layers = Layers(document, repository.platform_document, tier, environment, whole)
    file, problems = check_data(ModelFile, layers.merged, layers.where)
    return layers, file, problems


def _references(spec: ModelSpec) -> Iterator[tuple[Path, Reference]]:
    source = spec.source
    yield source.path, Reference(source.ref, sha256=source.sha256, image=spec.serve is not None)
    for name, more in (spec.model.references if spec.model else {}).items():
        yield ("spec", "model", "references", name, "ref"), Reference(more.ref, sha256=more.sha256, name=name)
    for index, gate in enumerate(spec.gates):
        for part, value in gate.needs.data.items():
            yield ("spec", "gates", index, *part), Reference(value, data=True)
