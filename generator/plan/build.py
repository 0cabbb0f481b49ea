"""Build a plan from spec, tier, environment and lock."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from typing import Final

from generator import __version__
from generator.dataclass import dataclass
from generator.plan.exposure import cohort_shares
from generator.plan.gates import gate_key, planned_gates
from generator.plan.guards import resolve_guards
from generator.plan.names import Names
from generator.plan.people import rollout_notices
from generator.plan.pod_settings import GatePodSettings, PodVariable, Secret, SecretKey
from generator.plan.recurring_gates import daily_cron
from generator.plan.scaling import too_old
from generator.plan.values import (
    Capacity,
    Common,
    Delivery,
    Feedback,
    Gate,
    Identity,
    Image,
    Plan,
    Routing,
    Server,
    Version,
)
from generator.spec.environment import Environment
from generator.spec.lock import LockFile
from generator.spec.model import ModelFile, ModelSpec
from generator.spec.platform import PlatformSpec, Secrets
from generator.spec.pod import GpuKind, Pod
from generator.spec.rings import default_domain
from generator.spec.service import Env, Hpa, Keda

_FEEDBACK_ROLE: Final = "sluice-feedback"


@dataclass(frozen=True, slots=True)
class Inputs:
    """The inputs of a plan, read and validated.

    Args:
        model: the spec with tier defaults and the environment's overrides merged in.
        base: the same without the environment's overrides.
        bento: the service, the same in all environments.
        bento_digest: digest (hex) of the rendered files of the service.
        platform: the platform.
        environment: name of the environment.
        lock: the lock of the model.
        suites: path and digest of each expectation suite that a gate names and the repository holds.
    """

    model: ModelFile
    base: ModelFile
    server: Server
    bento_digest: str
    platform: PlatformSpec
    environment: str
    lock: LockFile
    suites: tuple[tuple[str, str], ...] = ()

    @property
    def local(self) -> PlatformSpec:
        """The platform as the environment sees it."""
        return self.platform.at(self.environment)


def build(inputs: Inputs) -> Plan:
    """Build the plan of one model in one environment.

    References between the inputs (tier, team, environment, outcomes) are valid: `plan.references` has checked them.
    """
    spec = inputs.model.spec
    identity = _identity(inputs)
    gates, rollout = _gates(inputs, spec), spec.rollout
    guards = resolve_guards(spec, inputs.local, rollout.guards)
    shadow_guards = resolve_guards(spec, inputs.local, rollout.shadow.guards if rollout.shadow else ())
    store = _store(inputs)
    env, secrets = _variables(spec.service.env, identity, store)
    return Plan(
        identity=identity,
        version=_version(inputs.lock),
        image=_image(inputs, inputs.local.registry),
        server=inputs.server,
        env=env,
        secrets=secrets,
        feedback=_feedback(spec, identity, store),
        routing=_routing(identity, inputs.platform.environments[inputs.environment], spec),
        capacity=_capacity(spec, inputs.local),
        pod=_pod(spec, inputs.platform),
        rollout=rollout,
        guards=guards,
        shadow_guards=shadow_guards,
        gates=gates,
        gate_key=_gate_key(inputs, gates),
        gate_pods=_gate_pods(inputs),
        data=tuple((ref, data.digest) for ref, data in sorted(inputs.lock.data.items())),
        enforcement=tuple(inputs.platform.tiers[spec.tier].evidence),
        min_rps=spec.traffic.min_rps,
        design_effect=spec.traffic.design_effect,
        monitoring=inputs.platform.monitoring,
        prometheus=inputs.local.prometheus,
        delivery=_delivery(inputs),
        common=_common(inputs),
        cohort_shares=cohort_shares(rollout.steps, inputs.platform.cohorts),
        notices=tuple(rollout_notices(inputs.platform, identity.team, (*shadow_guards, *guards)).items()),
    )


def _store(inputs: Inputs) -> Secrets | None:
    """Return the secret store; the rings of an environment read the same Secrets."""
    store, whole = inputs.platform.secrets, inputs.platform.whole(inputs.environment)
    return store and store.model_copy(update={"key": store.key.replace("{environment}", whole)})


def _variables(
    written: Sequence[Env], identity: Identity, store: Secrets | None
) -> tuple[tuple[PodVariable, ...], tuple[Secret, ...]]:
    """Return the environment variables, and the Secrets to fetch for them.

    Args:
        written: the variables of the spec.
        identity: the model.
        store: the secret store; None when the Secrets exist in the namespace already.
    """
    fetched = {} if store is None else _fetched(written, identity, store)
    variables = []
    for item in written:
        reference = item.secret
        if reference is None:
            variables.append(PodVariable(item.name, item.value, None))
            continue
        name = fetched[reference.name].name if reference.name in fetched else reference.name
        variables.append(PodVariable(item.name, item.value, (name, reference.key)))
    return tuple(variables), tuple(fetched.values())


def _fetched(written: Sequence[Env], identity: Identity, store: Secrets) -> dict[str, Secret]:
    """Return the Secrets to fetch, by their name in the spec.

    The name in the cluster contains a hash of what is fetched. Another version in the store therefore changes the pod
    template and is released like any other change, and the running pods keep their Secret.
    """
    keys: dict[str, set[SecretKey]] = {}
    for item in written:
        if item.secret:
            key = SecretKey(item.secret.key, item.secret.version or "")
            keys.setdefault(item.secret.name, set()).add(key)
    found = {}
    for name, wanted in keys.items():
        remote = store.key.format(
            team=identity.team, environment=identity.environment, model=identity.model, secret=name
        )
        ordered = tuple(sorted(wanted))
        # Model and Secret are parts of the content: `a` with `b-c` and `a-b` with `c` must not share a name.
        content = json.dumps([store.store, store.kind, remote, ordered, identity.model, name]).encode()
        short = hashlib.sha256(content).hexdigest()[:8]
        found[name] = Secret(
            name, f"{identity.model}-{name}-{short}", store.store, store.kind, remote, ordered, store.refresh
        )
    return found


def _feedback(spec: ModelSpec, identity: Identity, store: Secrets | None) -> Feedback | None:
    """Return the route for outcomes; None for a model without outcomes.

    The name of the Secret has no hash: a rotation of its keys must not be a release.
    """
    if not spec.outcomes or spec.serve is not None:  # a container counts outcomes itself
        return None
    name = Names(identity.model).feedback
    fetched = None
    if store is not None:
        remote = store.key.format(
            team=identity.team, environment=identity.environment, model=identity.model, secret=name
        )
        fetched = Secret(
            _FEEDBACK_ROLE, name, store.store, store.kind, remote, keys=(), refresh_s=store.refresh
        )
    return Feedback(name, fetched, public=spec.traffic.feedback == "public")


def namespace_of(platform: PlatformSpec, environment: str, team: str) -> str:
    """Return the namespace of a team in an environment."""
    return (
        platform.environments[environment]
        .namespace.replace("{team}", team)
        .replace("{environment}", environment)
    )


def domain_of(environment: Environment, name: str) -> str:
    """Return the domain of an environment; by default one that no public DNS knows."""
    return environment.domain or default_domain(name)


def team_domain(platform: PlatformSpec, environment: str, team: str) -> str:
    """Return the domain below which the models of a team have their hosts."""
    return f"{team}.{domain_of(platform.environments[environment], environment)}"


def _identity(inputs: Inputs) -> Identity:
    meta = inputs.model.metadata
    return Identity(
        team=meta.team,
        model=meta.name,
        environment=inputs.environment,
        tier=inputs.model.spec.tier,
        owner=meta.owner,
        description=meta.description or "",
        namespace=namespace_of(inputs.platform, inputs.environment, meta.team),
    )


def _version(lock: LockFile) -> Version:
    return Version(lock.model.ref, lock.model.resolved, lock.model.version, lock.model.digest, lock.model.at)


def _image(inputs: Inputs, registry: str) -> Image:
    """Return the image, from a registry that may be a mirror of the platform's."""
    meta, serve = inputs.model.metadata, inputs.model.spec.serve
    if serve is not None:
        repository, _, digest = inputs.lock.model.resolved.removeprefix("oci://").partition("@")
        own = f"{inputs.platform.registry}/"
        if repository.startswith(own):
            repository = f"{registry}/{repository.removeprefix(own)}"
        return Image(repository, inputs.lock.model.version, digest)
    short = inputs.bento_digest[:12]
    pushed = inputs.lock.image
    return Image(
        repository=f"{registry}/{meta.team}/{meta.name}",
        tag=f"{inputs.lock.model.version}-{short}",
        digest=pushed.digest if pushed and pushed.bento == short else None,
    )


def _routing(identity: Identity, environment: Environment, spec: ModelSpec) -> Routing:
    router, names = environment.router, spec.traffic.names
    domain = domain_of(environment, identity.environment)
    hosts = tuple(spec.traffic.hosts) or (f"{identity.model}.{identity.team}.{domain}",)
    return Routing(
        router.kind,
        router.gateway or "",
        router.namespace or "",
        router.implementation,
        router.section or "",
        router.port,
        tuple(router.entry_points),
        router.ingress_class or "",
        tuple(sorted(router.annotations.items())),
        router.tls_secret or "",
        router.group or "",
        hosts,
        names.service or "",
        names.new_service or "",
        names.route or "",
    )


def _gpu_kind(spec: ModelSpec, platform: PlatformSpec) -> GpuKind:
    """Return the kind of a spec's GPUs; an unknown one is a finding."""
    return platform.gpus.get(spec.resources.gpu_kind or "") or GpuKind.model_construct()


def _pod(spec: ModelSpec, platform: PlatformSpec) -> Pod:
    """Return the pod of a spec; one with GPUs runs where nodes have that kind."""
    pod, kind = spec.pod, _gpu_kind(spec, platform)
    if not spec.resources.gpu:
        return pod
    return pod.model_copy(
        update={
            "node_selector": {**pod.node_selector, **kind.node_selector},
            "tolerations": [
                *pod.tolerations,
                *(one for one in kind.tolerations if one not in pod.tolerations),
            ],
        }
    )


def _capacity(spec: ModelSpec, platform: PlatformSpec) -> Capacity:
    scaler, need = spec.autoscaling, spec.resources
    exact = not too_old(platform.controllers, scaler.kind) if scaler else False
    limits = (need.limits.cpu or "", need.limits.memory or need.memory)
    gpus = (need.gpu, _gpu_kind(spec, platform).resource)
    base = (spec.replicas, need.cpu, need.memory, *limits, *gpus, need.storage, spec.service.startup)
    if isinstance(scaler, Hpa):
        return Capacity(
            *base,
            autoscaler="hpa",
            minimum=scaler.min,
            maximum=scaler.max,
            target_cpu=scaler.cpu,
            exact=exact,
        )
    if isinstance(scaler, Keda):
        return Capacity(
            *base,
            autoscaler="keda",
            minimum=scaler.min,
            maximum=scaler.max,
            rps_per_pod=scaler.rps_per_pod,
            exact=exact,
        )
    return Capacity(*base)


def _gates(inputs: Inputs, spec: ModelSpec) -> tuple[Gate, ...]:
    meta = inputs.model.metadata
    waivers = [one for one in inputs.platform.waivers if one.model == f"{meta.team}/{meta.name}"]
    attributes = {**inputs.platform.attributes, **spec.service.attributes}
    at = {ref: data.at for ref, data in inputs.lock.data.items() if data.at}
    return planned_gates(spec.gates, waivers, inputs.lock.model.digest, dict(inputs.suites), attributes, at)


def _gate_key(inputs: Inputs, gates: tuple[Gate, ...]) -> str:
    return gate_key(
        inputs.lock.model.digest,
        {ref: data.digest for ref, data in inputs.lock.data.items()},
        [gate.config for gate in gates],
        (gate_prefix(inputs.platform), base_image(inputs.platform), __version__),
    )


def _common(inputs: Inputs) -> Common:
    spec = inputs.base.spec
    key = _gate_key(inputs, _gates(inputs, spec))
    repository = _image(inputs, inputs.platform.registry).repository
    return Common(_capacity(spec, inputs.platform), _pod(spec, inputs.platform), repository, key)


def gate_prefix(platform: PlatformSpec) -> str:
    """Return the prefix of the names of gate images."""
    return platform.images.gates or f"{platform.registry}/gates"


def base_image(platform: PlatformSpec) -> str:
    """Return the base image of models and gates, by digest if the platform has one."""
    return platform.images.by_digest(platform.images.base)


def _gate_pods(inputs: Inputs) -> GatePodSettings:
    platform, hexadecimal = inputs.platform, inputs.lock.model.digest.removeprefix("sha256:")
    archive = platform.gates.inputs
    return GatePodSettings(
        prefix=gate_prefix(platform),
        base=base_image(platform),
        digests=tuple(sorted(platform.images.digests.items())),
        claim=archive.claim or "",
        url=(archive.url or "").replace("{digest}", hexadecimal),
        s3=(archive.s3 or "").replace("{digest}", hexadecimal),
        secret=platform.gates.secret or "",
        artifacts=platform.gates.artifacts,
        resources=(
            platform.gates.resources.cpu,
            platform.gates.resources.memory,
            platform.gates.resources.scratch,
        ),
        guaranteed=platform.tiers[inputs.model.spec.tier].requires.image_digest,
        watch=daily_cron(platform.gates.daily, _identity(inputs).path) if archive.claim else "",
    )


def _delivery(inputs: Inputs) -> Delivery:
    platform, environment = inputs.local, inputs.platform.environments[inputs.environment]
    argocd = environment.argocd
    return Delivery(
        repo=platform.git.repo,
        revision=platform.git.revision,
        folder=platform.git.path,
        path=platform.git.from_top(platform.git.path),
        server=environment.address,
        argocd_namespace=platform.argocd_namespace,
        cluster=argocd.cluster or "",
        application=argocd.application(
            inputs.environment, inputs.model.metadata.team, inputs.model.metadata.name
        ),
        project=argocd.project(inputs.environment, inputs.model.metadata.team),
        labels=tuple(sorted(argocd.labels.items())),
        automated=argocd.automated,
        prune=argocd.prune,
        self_heal=argocd.self_heal,
        rollouts=platform.controllers.argo_rollouts,
        workflows=platform.controllers.argo_workflows,
        kubernetes=platform.controllers.kubernetes,
        requires=tuple(environment.proofs),
        adopted=platform.namespaces == "adopt",
    )
