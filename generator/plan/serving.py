"""Build the service of a model version, which is rendered once for all environments."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import Final

from generator.plan.bento import Bento
from generator.plan.column import Column
from generator.plan.names import PREDICT
from generator.plan.packages import PackageList, package_name
from generator.source.quantity import quantity_amount
from generator.spec.frameworks import FRAMEWORKS
from generator.spec.guards import GuardSpec
from generator.spec.lock import LockFile
from generator.spec.model import ModelFile, ModelSpec
from generator.spec.platform import PlatformSpec
from generator.spec.service import Service, Value

_BENTOML: Final = "bentoml==1.4.39"
"""The version that the tests of this project build and serve."""

_JSON_SCHEMA: Final = "jsonschema==4.26.0"
"""Checks free JSON in a service that takes some."""

_DAY_S: Final = 86_400
_DELAYS: Final = 7
"""Mean delays after which one outcome in a thousand is still to come, if delays are exponential."""


def requirements(
    framework: str, service: Service, locked: Sequence[str] = (), *, gpu: bool = False
) -> tuple[str, ...]:
    """Return the pinned lines of one service, sorted by package.

    Args:
        framework: its framework; the versions that this release tests are for packages that nothing else pins.
        service: the service, with the team's pins, which win.
        locked: the pins of the lock: those of the model, and of the release that made the lock.
        gpu: its pods have GPUs.
    """
    values = (*service.inputs.values(), *((service.output,) if service.output else ()))
    checked = (_JSON_SCHEMA,) if any(map(_has_json, values)) else ()
    usual = FRAMEWORKS[framework].requirements
    ours = (FRAMEWORKS[framework].gpu or usual) if gpu else usual
    replaced = {package_name(line) for line in usual} - {package_name(line) for line in ours}
    kept = [line for line in locked if package_name(line) not in replaced]
    every = (_BENTOML, *checked, *ours, *kept, *service.requirements)
    lines = {package_name(line): line for line in every}
    return tuple(lines[name] for name in sorted(lines))


def named_indexes(service: Service, platform: PlatformSpec) -> dict[str, list[str]]:
    """Return the packages of each index that a service names, by its name; unknown names are left out."""
    return {name: platform.indexes[name].packages for name in service.indexes if name in platform.indexes}


def _has_json(value: Value) -> bool:
    return value.type == "json" or any(map(_has_json, (value.fields or {}).values()))


def uses_gpu(specs: Iterable[ModelSpec]) -> bool:
    """Return whether pods have GPUs in some environment: one image is built for all of them."""
    return any(spec.resources.gpu for spec in specs)


def latency_bounds(spec: ModelSpec) -> tuple[float, ...]:
    """Return the latency bounds (seconds) that the guards of a spec need."""
    return tuple(sorted({bound for guard in _guards(spec) for bound in guard.latency_bounds}))


def bento_of(
    file: ModelFile,
    platform: PlatformSpec,
    lock: LockFile,
    bounds: tuple[float, ...],
    packages: PackageList | None = None,
    *,
    gpu: bool = False,
) -> Bento:
    """Return the service of a model version.

    Args:
        file: the spec, without overrides of environments: one service is built for all of them.
        platform: the platform.
        lock: the lock, which names the version.
        bounds: latency bounds (seconds) of all guards in all environments.
        packages: all packages of the service with hashes; None if they are not pinned.
        gpu: its pods have GPUs in some environment.
    """
    spec, meta = file.spec, file.metadata
    service, source = spec.service, spec.model
    if source is None:
        raise ValueError("a container has no rendered service")
    name = f"{meta.team}-{meta.name}"
    attributes = {**platform.attributes, **service.attributes}
    routes = tuple(source.endpoints) if source.framework == "bento" else ()
    compared = [name for name in sensitive_attributes(spec) if name in attributes]
    return Bento(
        name=name,
        class_name="".join(part.capitalize() for part in meta.name.split("-")) + "Service",
        framework=source.framework,
        tag=_store_tag(source.ref, f"{name}:{lock.model.version}"),
        version=lock.model.version,
        digest=lock.model.digest.removeprefix("sha256:"),
        python_version=service.python,
        base_image=platform.images.by_digest((gpu and platform.images.gpu) or platform.images.base),
        requirements=requirements(source.framework, service, lock.packages, gpu=gpu),
        system_packages=tuple(sorted(set(service.system_packages))),
        packages=packages,
        custom_class=source.load,
        model_file=source.file,
        references=tuple(
            (name, lock.references[name].resolved) for name in source.references if name in lock.references
        ),
        workers=service.workers,
        threads=service.threads,
        timeout_s=service.timeout,
        max_rows=service.max_rows,
        buckets=bounds,
        inputs=tuple(column_of(key, declared) for key, declared in service.inputs.items()),
        output=column_of("", service.output) if service.output else None,
        outcomes=tuple((key, outcome.event) for key, outcome in spec.outcomes.items()),
        groups=tuple((key, tuple(attributes[key])) for key in compared),
        positive=tuple(service.positive),
        classes=tuple(service.classes),
        threshold=service.threshold,
        scrape_s=platform.prometheus.scrape_interval,
        token_window_s=_token_window_s(spec),
        gpu=gpu,
        path=routes[0] if routes else PREDICT,
        endpoints=routes,
        own_example=json.dumps(source.example, sort_keys=True) if source.example else "",
    )


def _token_window_s(spec: ModelSpec) -> int:
    """Return how long outcomes of a prediction count: a day, or the time in which nearly all have come."""
    slowest = max((outcome.delay for outcome in spec.outcomes.values()), default=0.0)
    return round(max(_DAY_S, _DELAYS * slowest))


def _store_tag(ref: str, default: str) -> str:
    """Return the tag of the model in the local BentoML store."""
    return (ref.removeprefix("bentoml:") if ref.startswith("bentoml:") else default).lower()


def column_of(name: str, declared: Value) -> Column:
    """Return a value of the service; an integer is the example of a number as a number."""
    return Column(
        name=name,
        type=declared.type,
        values=tuple(declared.values) if declared.values else None,
        minimum=declared.minimum,
        maximum=declared.maximum,
        max_length=declared.max_length,
        shape=tuple(declared.shape or ()),
        items=None if declared.max_items is None else (declared.min_items, declared.max_items),
        fields=tuple(column_of(key, field) for key, field in (declared.fields or {}).items()),
        json_schema=json.dumps(declared.json_schema) if declared.json_schema is not None else "",
        zoned=declared.zone == "required",
        formats=tuple(declared.formats) if declared.type == "image" else (),
        max_bytes=int(quantity_amount(declared.max_bytes)),
        nullable=declared.nullable,
        example=declared.example,
        unit=declared.unit or "",
        description=declared.description or "",
    )


def sensitive_attributes(spec: ModelSpec) -> list[str]:
    """Return the sensitive attributes that live guards compare, in order of first mention, then the declared ones."""
    named = [name for guard in _guards(spec) for name in guard.attributes]
    return list(dict.fromkeys([*named, *spec.service.attributes]))


def _guards(spec: ModelSpec) -> list[GuardSpec]:
    """Return the guards of live traffic, then those of its copies."""
    rollout = spec.rollout
    return [*rollout.guards, *(rollout.shadow.guards if rollout.shadow else ())]
