"""Renders a plan to the text of its files and verifies every object."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from types import MappingProxyType

import ryaml

from generator.dataclass import dataclass
from generator.lint import check
from generator.plan.names import PORT, Names, labels, selector
from generator.plan.values import Plan
from generator.render.environment import Templates
from generator.render.gate_images import by_digest, gate_images
from generator.render.identity import CONFIG, POD
from generator.render.output import Output, Outputs
from generator.render.outputs.analysis import analyses
from generator.render.outputs.gates import gates, used_images
from generator.render.outputs.monitoring import monitoring
from generator.render.outputs.pods import pod, shadow
from generator.render.outputs.rollout import rollout
from generator.render.outputs.routing import routes, services
from generator.render.outputs.workload import workload
from generator.render.plain import plain_context
from generator.source.errors import InternalError

OUTPUTS: tuple[Outputs, ...] = (workload, services, routes, shadow, analyses, gates, monitoring)
OF_A_RELEASE: frozenset[Outputs] = frozenset({shadow, gates})
"""Groups whose every file belongs to a release, so an environment that keeps another one renders none of them."""


class RenderError(InternalError):
    """One of Sluice's own templates rendered an invalid object."""


def render_bundle(plan: Plan, templates: Templates, odds: Mapping[str, str]) -> dict[str, str]:
    """Render one bundle.

    Args:
        plan: the plan.
        templates: the templates.
        odds: annotations of the Rollout with the odds of the plan.

    Returns:
        Text by file name. The Rollout has the hash of all others, so that any change reaches the controller.

    Raises:
        RenderError: a file is not a valid object.
    """
    files = FilesOfPlan.of(plan, templates)
    texts = files.render(output for outputs in OUTPUTS for output in outputs(plan))
    return {**texts, **files.render([rollout(plan, digest(texts), odds)])}


def undated(plan: Plan, templates: Templates) -> dict[str, str]:
    """Render a bundle without the hash of its files and its odds: what the templates alone make of a plan."""
    outputs = [output for outputs in OUTPUTS for output in outputs(plan)]
    return render_outputs([*outputs, rollout(plan, "", {})], plan, templates)


def pod_template(plan: Plan, templates: Templates) -> str:
    """Return the text of the pod template: a release starts where it changes, and only there."""
    context = plain_context({"plan": plan, **pod(plan, plan.identity.model)})
    return templates.render(POD, context)


def what_runs(plan: Plan, templates: Templates) -> tuple[object, object]:
    """Return the pod template as the Rollout has it, and the data of its ConfigMap."""
    config = next(output for output in workload(plan) if output.template == CONFIG)
    main = rollout(plan, "", {})
    texts = render_outputs([config, main], plan, templates)
    return ryaml.loads(texts[main.file])["spec"]["template"], ryaml.loads(texts[config.file]).get("data")


def render_outputs(outputs: Iterable[Output], plan: Plan, templates: Templates) -> dict[str, str]:
    """Render and verify some files of one plan."""
    return FilesOfPlan.of(plan, templates).render(outputs)


@dataclass(frozen=True, slots=True)
class FilesOfPlan:
    """Renders and verifies files of one plan, which becomes plain data only once.

    Args:
        templates: the templates.
        common: context that all files share, as plain data.
        origin: the file to edit instead of these.
        versions: the controller releases that the objects must be valid for; see `lint.kinds.check`.
    """

    templates: Templates
    common: Mapping[str, object]
    origin: str
    versions: Mapping[str, str]

    @classmethod
    def of(cls, plan: Plan, templates: Templates) -> FilesOfPlan:
        """Return the renderer of a plan."""
        identity = plan.identity
        images = gate_images(plan, templates)
        context = {
            "plan": plan,
            "names": Names.of(plan),
            "labels": labels(identity),
            "selector": selector(plan),
            "port": PORT,
            "images": {name: by_digest(plan, images.reference(name)) for name in used_images(plan)},
        }
        versions = {
            "argo-rollouts": plan.delivery.rollouts,
            "argo-workflows": plan.delivery.workflows,
            "kubernetes": plan.delivery.kubernetes,
        }
        origin = f"specs/{identity.team}/{identity.model}.yaml"
        return cls(templates, plain_context(context), origin, versions)

    def render(self, outputs: Iterable[Output]) -> dict[str, str]:
        """Return the text of each file by name.

        Raises:
            RenderError: a file is not a valid object.
        """
        return {output.file: self._text(output) for output in outputs}

    def _text(self, output: Output) -> str:
        if output.file.endswith(".yaml"):
            return render_object(output, self.common, self.templates, self.origin, self.versions)
        return self.templates.render(output.template, {**self.common, **output.context})


def render_object(
    output: Output,
    common: Mapping[str, object],
    templates: Templates,
    origin: str,
    versions: Mapping[str, str] = MappingProxyType({}),
) -> str:
    """Return the text of one verified file.

    Args:
        output: what to render.
        common: context that all files share.
        templates: the templates.
        origin: the file to edit instead of this one.
        versions: the controller releases that the object must be valid for; see `lint.kinds.check`.

    Raises:
        RenderError: the text is not YAML, or not a valid object.
    """
    body = templates.render(output.template, {**common, **output.context})
    try:
        parsed = ryaml.loads(body)
    except ryaml.InvalidYamlError as error:
        raise _wrong(output.template, templates, f"the result is not valid YAML: {error}") from error
    if not isinstance(parsed, dict):
        raise _wrong(output.template, templates, "the result is not a Kubernetes object")
    if problems := check(parsed, versions):
        shown = "; ".join(map(str, problems[:5]))
        raise _wrong(output.template, templates, f"the result is not a valid object: {shown}")
    return f"# Rendered by Sluice from {origin}: edit that file, not this one.\n{body}"


def _wrong(template: str, templates: Templates, reason: str) -> Exception:
    """Return the error: the platform team's if one of their templates is involved, else ours."""
    return templates.wrong(template, reason) or RenderError(f"{template}: {reason}")


def digest(files: Mapping[str, str]) -> str:
    """Return the digest (hex, 16 digits) of some files and their names."""
    total = hashlib.sha256()
    for name in sorted(files):
        total.update(f"{name}\0{files[name]}\0".encode())
    return total.hexdigest()[:16]
