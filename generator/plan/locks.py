"""Checks a lock: it has every reference of the spec, each with an immutable form of that reference."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Final, NamedTuple

from generator.source.document import Path
from generator.source.finding import Finding
from generator.source.suggest import misspelt

if TYPE_CHECKING:
    from generator.plan.references import SourceSpec
    from generator.spec.lock import LockedModel, LockFile

_COMMIT: Final = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")
_DVC: Final = re.compile(r"(?P<place>dvc:(?:.+//)?[^@]+)(?:@(?P<revision>[^@]+))?")
_OPTION: Final = re.compile(r"(?:\A|[:@]|//)-")


class Form(NamedTuple):
    """The immutable form of one reference.

    Args:
        pattern: matches every such form; its group `version` is the version that goes with it in the lock, and its
            group `sha256` the digest of the content.
        example: one of them, with made-up digits where the reference leaves it open.
    """

    pattern: str
    example: str


def _mlflow(ref: str, _: str) -> Form:
    found = re.fullmatch(r"(?P<name>mlflow:.+?)(?:@[^@/]+|/0*(?P<number>[1-9][0-9]*|0))?", ref)
    name, number = (found["name"], found["number"]) if found else (ref, None)
    return Form(rf"{re.escape(name)}/(?P<version>{number or '[1-9][0-9]*'})", f"{name}/{number or 1}")


def _bentoml(ref: str, _: str) -> Form:
    _scheme, name, version, *_rest = f"{ref.lower()}::".split(":")
    fixed = "" if version in {"", "latest"} else re.escape(version)
    open_version = r"(?!latest\Z)[a-z0-9][a-z0-9._-]*"
    pattern = rf"(?i:bentoml:{re.escape(name)}:(?P<version>{fixed or open_version}))"
    return Form(pattern, f"bentoml:{name}:{version if fixed else 1}")


def _dvc(ref: str, hexadecimal: str) -> Form:
    found = _DVC.fullmatch(ref)
    place, revision = (found["place"], found["revision"]) if found else (ref, None)
    fixed = revision if revision and _COMMIT.fullmatch(revision) else None
    md5 = r"#md5=(?P<version>[0-9a-f]{12})[0-9a-f]{20}(?:\.dir)?"
    example = f"{place}@{fixed or hexadecimal[:40]}#md5={hexadecimal[:32]}"
    return Form(rf"{re.escape(place)}@(?:{fixed or _COMMIT.pattern}){md5}", example)


def _hub(ref: str, hexadecimal: str) -> Form:
    name, _, revision = ref.partition("@")
    fixed = revision if re.fullmatch("[0-9a-f]{40}", revision) else None
    pattern = rf"{re.escape(name)}@(?P<version>[0-9a-f]{{12}})[0-9a-f]{{28}}"
    if fixed:
        pattern = rf"{re.escape(name)}@(?P<version>{fixed[:12]}){fixed[12:]}"
    return Form(pattern, f"{name}@{fixed or hexadecimal[:40]}")


def _oci(ref: str, hexadecimal: str) -> Form:
    host, _, repository = ref.removeprefix("oci://").partition("/")
    name = f"oci://{host}/{re.split('[:@]', repository, maxsplit=1)[0]}"
    fixed = repository.partition("@sha256:")[2]
    pattern = rf"{re.escape(name)}@sha256:(?P<version>[0-9a-f]{{12}})[0-9a-f]{{52}}"
    if re.fullmatch("[0-9a-f]{64}", fixed):
        pattern = rf"{re.escape(name)}@sha256:(?P<version>{fixed[:12]}){fixed[12:]}"
    return Form(pattern, f"{name}@sha256:{fixed or hexadecimal}")


def _address(ref: str, hexadecimal: str) -> Form:
    pattern = rf"{re.escape(ref)}#sha256=(?P<sha256>(?P<version>[0-9a-f]{{12}})[0-9a-f]{{52}})"
    return Form(pattern, f"{ref}#sha256={hexadecimal}")


def _path(ref: str, hexadecimal: str) -> Form:
    """Return the form of a file of this repository: the commit that has the lock has its content, too."""
    return Form(rf"{re.escape(ref)}(?:#sha256=(?P<sha256>[0-9a-f]{{64}}))?", f"{ref}#sha256={hexadecimal}")


FORMS: Final[dict[str, Callable[[str, str], Form]]] = {
    "mlflow:": _mlflow,
    "bentoml:": _bentoml,
    "dvc:": _dvc,
    "hf:": _hub,
    "oci://": _oci,
    "s3://": _address,
    "https://": _address,
}
"""The immutable form of a reference by its scheme; every scheme of `generator.spec.types.Reference` is here."""


def immutable_form(ref: str, hexadecimal: str = "0" * 64) -> Form:
    """Return the immutable form of a reference.

    Args:
        ref: as the spec has it.
        hexadecimal: 64 digits for the example.
    """
    form = next((form for prefix, form in FORMS.items() if ref.startswith(prefix)), _path)
    return form(ref, hexadecimal)


def version_of(ref: str, resolved: str) -> str:
    """Return the version that goes with an immutable form of a model's reference; empty if it is not one."""
    found = re.fullmatch(immutable_form(ref).pattern, resolved)
    return found["version"] if found else ""


def lock_findings(written: SourceSpec) -> Iterator[Finding]:
    """Yield the findings about the lock of one model in one environment, whose references are valid."""
    lock = written.lock
    if lock is None:
        if not written.lock_document.findings:
            yield _missing(written)
        return
    yield from _model(written, lock)
    yield from _data(written, lock)


def _missing(written: SourceSpec) -> Finding:
    ref, name = written.file.spec.source.ref, _name(written)
    message = f"`{ref}` is not locked to a digest: there is no {written.lock_document.file}"
    hint = f"run `sluice pin {name}`; `sluice new {name} --example-lock` writes a made-up lock for a preview"
    return written.finding("LOCK201", written.file.spec.source.path, message, hint)


def _model(written: SourceSpec, lock: LockFile) -> Iterator[Finding]:
    source, hint = written.file.spec.source, f"run `sluice pin {_name(written)}`"
    if lock.model.ref != source.ref:
        message = f"the lock was made for `{lock.model.ref}`, not for `{source.ref}`"
        related = (("the lock", written.lock_document.place(("model", "ref"))),)
        document, local = written.layers.where(source.path)
        yield document.finding("LOCK202", local, message, hint, related=related)
        return
    if source.sha256 and (lock.model.files or lock.model.digest) != f"sha256:{source.sha256}":
        message = "the lock has another digest than `sha256` in the spec"
        related = (("the lock", written.lock_document.place(("model", "digest"))),)
        document, local = written.layers.where(("spec", "model", "sha256"))
        yield document.finding("LOCK203", local, message, hint, related=related)
        return
    yield from _references(written, lock)
    problem = _problem(source.ref, lock.model.resolved, lock.model.files or lock.model.digest)
    if problem:
        yield written.lock_document.finding("LOCK205", ("model", "resolved"), problem, hint)
    elif version := _other_version(lock.model):
        message = f"the version is `{lock.model.version}`, but `{lock.model.resolved}` is version `{version}`"
        yield written.lock_document.finding("LOCK205", ("model", "version"), message, hint)


def _references(written: SourceSpec, lock: LockFile) -> Iterator[Finding]:
    """Yield the findings about the further models of a service, and about the digest of all."""
    hint, model = f"run `sluice pin {_name(written)}`", written.file.spec.model
    for name, more in (model.references if model else {}).items():
        path, entry = ("spec", "model", "references", name, "ref"), lock.references.get(name)
        if entry is None or entry.ref != more.ref:
            message = f"the lock was made for `{entry.ref}`" if entry else f"the lock has no `{name}`"
            yield written.finding(
                "LOCK202", path, f"{message}, not for `{more.ref}`" if entry else message, hint
            )
        elif more.sha256 and entry.digest != f"sha256:{more.sha256}":
            message = "the lock has another digest than `sha256` in the spec"
            yield written.finding("LOCK203", (*path[:-1], "sha256"), message, hint)
        elif problem := _problem(more.ref, entry.resolved, entry.digest):
            yield written.lock_document.finding("LOCK205", ("references", name, "resolved"), problem, hint)
    named = {name: entry.digest for name, entry in lock.references.items()}
    surplus = [name for name in named if model is None or name not in model.references]
    if surplus:
        message = f"the lock has `{surplus[0]}`, which the spec does not name"
        yield written.finding("LOCK202", ("spec", "model", "ref"), message, hint)
    own = lock.model.files
    if bool(own) != bool(named) or (own and _joint(own, named) != lock.model.digest):
        message = "the digest of the model is not that of its files and its references"
        yield written.lock_document.finding("LOCK205", ("model", "digest"), message, hint)


def _joint(own: str, named: dict[str, str]) -> str:
    from generator.source.content import joint_digest  # few services have several models

    return joint_digest({"model": own, **named})


def _data(written: SourceSpec, lock: LockFile) -> Iterator[Finding]:
    hint = f"run `sluice pin {_name(written)}`"
    for index, gate in enumerate(written.file.spec.gates):
        for path, ref in gate.needs.data.items():
            if ref not in lock.data:
                yield written.finding(
                    "LOCK204",
                    ("spec", "gates", index, *path),
                    f"the data set `{ref}` is not locked",
                    _unlocked(ref, lock, hint),
                )
    for ref, data in lock.data.items():
        problem = _problem(ref, data.resolved, data.digest)
        if problem:
            place: Path = ("data", ref, "resolved")
            yield written.lock_document.finding("LOCK205", place, problem, hint)


def _unlocked(ref: str, lock: LockFile, hint: str) -> str:
    near = misspelt(ref, lock.data)
    return f"did you mean `{near}`, which is locked? Otherwise {hint}" if near else hint


def _problem(ref: str, resolved: str, digest: str) -> str:
    """Return what is wrong with the resolution of a reference, in one sentence; empty if nothing is."""
    if _OPTION.search(ref):
        return f"a part of `{ref}` starts with `-`: a program would read it as an option"
    form = immutable_form(ref, digest.removeprefix("sha256:"))
    found = re.fullmatch(form.pattern, resolved)
    if found is None:
        return f"`{resolved}` is not an immutable form of `{ref}`, such as `{form.example}`"
    sha256 = found.groupdict().get("sha256")
    if sha256 and digest != f"sha256:{sha256}":
        return f"`{resolved}` has another digest than the lock: {digest}"
    return ""


def _other_version(model: LockedModel) -> str:
    """Return the version that goes with what a model resolved to, if the lock has another one."""
    version = version_of(model.ref, model.resolved) or model.version
    return "" if version.lower() == model.version.lower() else version


def _name(written: SourceSpec) -> str:
    """Return team and model, as the path of the lock has them."""
    return written.lock_document.file.removeprefix("specs/").removesuffix(".lock.yaml")
