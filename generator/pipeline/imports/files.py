"""The files of an import: platform, specs, locks, and the originals of what is left over."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import field
from typing import TYPE_CHECKING, Any, Final

from generator.dataclass import dataclass
from generator.lint import as_map, as_text
from generator.pipeline.imports.family import Assumed, Family
from generator.pipeline.imports.platform import Home, owner_of
from generator.pipeline.imports.pod import image_name
from generator.pipeline.repository_files import example_lock
from generator.plan.locks import immutable_form, version_of
from generator.plan.model_files import PLATFORM, SPECS

if TYPE_CHECKING:
    from generator.render.environment import Templates

_ORDER: Final = (
    "model",
    "serve",
    "service",
    "traffic",
    "replicas",
    "autoscaling",
    "resources",
    "pod",
    "outcomes",
    "gates",
)
_LISTS: Final = ("steps", "guards")


@dataclass
class Member:
    """One release of a model: its objects in one environment.

    Args:
        family: its objects.
        home: its team and environment.
        tier: its tier.
    """

    family: Family
    home: Home
    tier: str


@dataclass
class Model:
    """A model, with its releases in all environments.

    Args:
        team: its team.
        name: its name.
        members: its releases; the last one is the spec, and the others are what `environments` overrides.
    """

    team: str
    name: str
    members: list[Member] = field(default_factory=list)

    @property
    def path(self) -> str:
        """The path of its spec, without a suffix."""
        return f"{SPECS}/{self.team}/{self.name}"

    @property
    def main(self) -> Member:
        """The release whose values are those of the spec."""
        return max(
            self.members,
            key=lambda one: (one.home.environment.startswith(("prod", "live")), one.home.environment),
        )

    @property
    def ref(self) -> str:
        """The reference that its lock resolves."""
        spec = self.main.family.spec
        return str(spec["model"]["ref"]) if "model" in spec else f"oci://{spec['serve']['image']}"

    @property
    def assumed(self) -> list[Assumed]:
        """What the tree does not show."""
        return list(dict.fromkeys(one for member in self.members for one in member.family.assumed))


def platform_file(
    templates: Templates, origin: str, spec: Mapping[str, Any], assumed: Sequence[Assumed]
) -> dict[str, str]:
    """Return the platform file."""
    lines = [f"{one.key}: {one.value} ({one.why})" for one in assumed]
    context = {"origin": origin, "spec": dict(spec), "assumed": lines}
    return {f"{SPECS}/{PLATFORM}": templates.render("new/imported-platform.yaml.j2", context)}


def spec_file(templates: Templates, origin: str, model: Model) -> dict[str, str]:
    """Return the spec of a model."""
    spec = compact(model.main.family.spec)
    rollout = spec["rollout"]
    others = {
        one.home.environment: _override(spec, compact(one.family.spec))
        for one in model.members
        if one is not model.main
    }
    context = {
        "origin": origin,
        "assumed": [f"{one.key}: {one.value} ({one.why})" for one in model.assumed],
        "team": model.team,
        "model": model.name,
        "owner": owner_of(model.main.family),
        "tier": model.main.tier,
        "head": {key: spec[key] for key in _ORDER if key in spec},
        "rollout": {key: value for key, value in rollout.items() if key not in _LISTS},
        "lists": [{"key": key, "value": rollout[key]} for key in _LISTS if rollout.get(key)],
        "environments": {name: values for name, values in others.items() if values},
    }
    return {f"{model.path}.yaml": templates.render("new/imported-spec.yaml.j2", context)}


def lock_file(templates: Templates, model: Model, today: str, *, example: bool) -> dict[str, str]:
    """Return the lock of an image with a digest, or an example; nothing where `sluice pin` must find the digest."""
    lock = model.main.family.lock
    file, template = f"{model.path}.lock.yaml", "new/imported-lock.yaml.j2"
    if lock:
        data = {ref: _data(ref, as_map(one)) for ref, one in sorted(as_map(lock.get("data")).items())}
        context = {"model": lock["model"], "data": data if example else {}}
        return {file: templates.render(template, context)}
    declared = model.main.family.spec.get("model", {}).get("sha256")
    if declared:
        resolved = immutable_form(model.ref, declared).example
        body = {
            "ref": model.ref,
            "resolved": resolved,
            "version": version_of(model.ref, resolved),
            "digest": f"sha256:{declared}",
            "at": f"{today}T00:00:00Z",
            "by": "sluice import: an example, not a real model",
        }
        return {file: templates.render(template, {"model": body, "data": {}})}
    name, _, digest = model.ref.partition("@sha256:")
    if digest and "serve" in model.main.family.spec:
        body = {
            "ref": model.ref,
            "resolved": f"oci://{image_name(name.removeprefix('oci://'))}@sha256:{digest}",
            "version": digest[:12],
            "digest": f"sha256:{digest}",
            "at": f"{today}T00:00:00Z",
            "by": "sluice import: the digest of the tree",
        }
        return {file: templates.render(template, {"model": body, "data": {}})}
    if not example:
        return {}
    return {file: example_lock(templates, f"{model.team}/{model.name}", model.ref, [])}


def _data(ref: str, locked: Mapping[str, Any]) -> dict[str, str]:
    """Return the lock of a data set: the digest of the tree, at a revision that is made up where the tree has none."""
    resolved, digest = as_text(locked.get("resolved")), as_text(locked.get("digest"))
    if resolved != ref:
        return {"digest": digest, "resolved": resolved}
    example = immutable_form(ref, digest.removeprefix("sha256:")).example
    return {
        "digest": digest,
        "resolved": example,
        "by": "sluice import: an example, with the digest of the tree",
    }


def compact(value: Any) -> Any:
    """Return a spec without what was taken out of it: None in lists, and mappings and lists that became empty."""
    if isinstance(value, dict):
        found = {key: compact(below) for key, below in value.items()}
        return {
            key: below for key, below in found.items() if below is not None and below != {} and below != []
        }
    if isinstance(value, list):
        return [compact(one) for one in value if one is not None]
    return value


def _override(base: Any, other: Any) -> dict[str, Any]:
    """Return what an environment has in place of the values of the spec."""
    found = {}
    for key, value in other.items():
        if isinstance(value, dict) and isinstance(base.get(key), dict):
            below = _override(base[key], value)
            if below:
                found[key] = below
        elif base.get(key) != value:
            found[key] = value
    return found
