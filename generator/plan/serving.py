"""The service of a model version: what is rendered once for all environments."""

from __future__ import annotations

import re
from typing import Final

from generator.plan.bento import Bento, Input
from generator.spec.frameworks import FRAMEWORKS
from generator.spec.guards import GuardSpec
from generator.spec.lock import LockFile
from generator.spec.model import ModelFile, ModelSpec
from generator.spec.platform import PlatformSpec

_BENTOML: Final = "bentoml==1.4.39"
"""What was built and served in this project's own tests."""


def requirements(framework: str, own: tuple[str, ...]) -> tuple[str, ...]:
    """Return the pinned lines of one service, sorted by package; the team's own pins win over ours."""
    lines = {_package(line): line for line in (_BENTOML, *FRAMEWORKS[framework].requirements, *own)}
    return tuple(lines[name] for name in sorted(lines))


def _package(line: str) -> str:
    return re.sub(r"[-_.]+", "-", re.split(r"[\[=]", line)[0]).lower()


def latency_bounds(spec: ModelSpec) -> tuple[float, ...]:
    """Latency bounds (seconds) that the guards of a spec ask for."""
    return tuple(sorted({bound for guard in _guards(spec) for bound in guard.latency_bounds}))


def bento_of(file: ModelFile, platform: PlatformSpec, lock: LockFile, bounds: tuple[float, ...]) -> Bento:
    """The service of a model version."""
    spec, meta = file.spec, file.metadata
    service = spec.service
    name = f"{meta.team}-{meta.name}"
    tag = (
        spec.model.ref.removeprefix("bentoml:")
        if spec.model.ref.startswith("bentoml:")
        else f"{name}:{lock.model.version}"
    )
    attributes = {**platform.attributes, **service.attributes}
    wanted = [name for name in sensitive_attributes(spec) if name in attributes]
    return Bento(
        name=name,
        class_name="".join(part.capitalize() for part in meta.name.split("-")) + "Service",
        framework=spec.model.framework,
        tag=tag.lower(),
        version=lock.model.version,
        digest=lock.model.digest.removeprefix("sha256:"),
        python_version=service.python,
        base_image=platform.images.base,
        requirements=requirements(spec.model.framework, tuple(service.requirements)),
        custom_class=spec.model.load,
        workers=service.workers,
        threads=service.threads,
        timeout_s=service.timeout,
        max_rows=service.max_rows,
        buckets=bounds,
        inputs=tuple(
            Input(
                key,
                i.type,
                tuple(i.values) if i.values else None,
                i.minimum,
                i.maximum,
                i.max_length,
                i.nullable,
            )
            for key, i in service.inputs.items()
        ),
        outcomes=tuple((key, outcome.event) for key, outcome in spec.outcomes.items()),
        groups=tuple((key, tuple(attributes[key])) for key in wanted),
        positive=tuple(service.positive),
        scrape_s=platform.prometheus.scrape_interval,
    )


def sensitive_attributes(spec: ModelSpec) -> list[str]:
    """Sensitive attributes that live guards judge, in order of first mention, and those the service declares."""
    named = [name for guard in _guards(spec) for name in guard.attributes]
    return list(dict.fromkeys([*named, *spec.service.attributes]))


def _guards(spec: ModelSpec) -> list[GuardSpec]:
    """Guards of live traffic, then those of its copies."""
    rollout = spec.rollout
    return [*rollout.guards, *(rollout.shadow.guards if rollout.shadow else ())]
