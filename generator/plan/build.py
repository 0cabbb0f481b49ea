"""Spec, tier, environment and lock to a plan."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass

from generator import __version__
from generator.plan.bento import Bento
from generator.plan.gates import planned_gates
from generator.plan.guards import resolve_guards
from generator.plan.people import rollout_notices
from generator.plan.recurring_gates import daily_cron
from generator.plan.values import (
    Capacity,
    Delivery,
    Gate,
    GatePodSettings,
    Identity,
    Image,
    Plan,
    PodVariable,
    Routing,
    Secret,
    SecretKey,
    Version,
)
from generator.source.canonical import sha256_of
from generator.spec.lock import LockFile
from generator.spec.model import ModelFile, ModelSpec
from generator.spec.platform import Environment, PlatformSpec, Secrets
from generator.spec.service import Env, Hpa, Keda


@dataclass(frozen=True, slots=True)
class Inputs:
    """What a plan is made of; all of it validated, nothing of it read any more.

    Args:
        model: the spec with tier defaults and the environment's overrides merged in.
        bento: the service, the same in all environments.
        bento_digest: digest (hex) of its rendered files.
        platform: the platform.
        environment: name of the environment.
        lock: what references were resolved to.
        suites: digest of each expectation suite of the repository that gates name, by path.
    """

    model: ModelFile
    bento: Bento
    bento_digest: str
    platform: PlatformSpec
    environment: str
    lock: LockFile
    suites: tuple[tuple[str, str], ...] = ()


def build(given: Inputs) -> Plan:
    """The plan of one model in one environment.

    References between the inputs (tier, team, environment, outcomes) hold: `generator.rules` has seen to it.
    """
    spec = given.model.spec
    identity = _identity(given)
    gates, rollout = _gates(given), spec.rollout
    guards = resolve_guards(spec, given.platform, rollout.guards)
    shadow_guards = resolve_guards(spec, given.platform, rollout.shadow.guards if rollout.shadow else ())
    env, secrets = _variables(spec.service.env, identity, given.platform.secrets)
    return Plan(
        identity=identity,
        version=_version(given.lock),
        image=_image(given),
        bento=given.bento,
        env=env,
        secrets=secrets,
        routing=_routing(identity, given.platform.environments[given.environment], spec),
        capacity=_capacity(spec),
        rollout=rollout,
        guards=guards,
        shadow_guards=shadow_guards,
        gates=gates,
        gate_key=_gate_key(given, gates),
        gate_pods=_gate_pods(given),
        data=tuple((ref, data.digest) for ref, data in sorted(given.lock.data.items())),
        enforcement=tuple(given.platform.tiers[spec.tier].evidence),
        min_rps=spec.traffic.min_rps,
        design_effect=spec.traffic.design_effect,
        monitoring=given.platform.monitoring,
        prometheus=given.platform.prometheus,
        delivery=_delivery(given),
        notices=tuple(rollout_notices(given.platform, identity.team, (*shadow_guards, *guards)).items()),
    )


def _variables(
    written: Sequence[Env], identity: Identity, store: Secrets | None
) -> tuple[tuple[PodVariable, ...], tuple[Secret, ...]]:
    """Environment variables, and the Secrets that must be fetched for them.

    Args:
        written: the variables of the spec.
        identity: the model.
        store: where Secrets are fetched from; None when they exist in the namespace already.
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
    """Secrets by the name that the spec uses.

    The Secret's own name holds the hash of what is fetched: another version in the store is another name in the pod
    template, so it is released like any other change, and pods of the version before keep theirs.
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
        content = json.dumps([store.store, store.kind, remote, ordered]).encode()
        short = hashlib.sha256(content).hexdigest()[:8]
        found[name] = Secret(
            name, f"{identity.model}-{name}-{short}", store.store, store.kind, remote, ordered, store.refresh
        )
    return found


def namespace_of(platform: PlatformSpec, environment: str, team: str) -> str:
    """Namespace of a team in an environment."""
    return (
        platform.environments[environment]
        .namespace.replace("{team}", team)
        .replace("{environment}", environment)
    )


def _identity(given: Inputs) -> Identity:
    meta = given.model.metadata
    return Identity(
        team=meta.team,
        model=meta.name,
        environment=given.environment,
        tier=given.model.spec.tier,
        owner=meta.owner,
        description=meta.description or "",
        namespace=namespace_of(given.platform, given.environment, meta.team),
    )


def _version(lock: LockFile) -> Version:
    return Version(lock.model.ref, lock.model.resolved, lock.model.version, lock.model.digest, lock.model.at)


def _image(given: Inputs) -> Image:
    meta = given.model.metadata
    short = given.bento_digest[:12]
    pushed = given.lock.image
    return Image(
        repository=f"{given.platform.registry}/{meta.team}/{meta.name}",
        tag=f"{given.lock.model.version}-{short}",
        digest=pushed.digest if pushed and pushed.bento == short else None,
    )


def _routing(identity: Identity, environment: Environment, spec: ModelSpec) -> Routing:
    router = environment.router
    domain = environment.domain or f"{identity.environment}.models.internal"
    hosts = tuple(spec.traffic.hosts) or (f"{identity.model}.{identity.team}.{domain}",)
    return Routing(
        router.kind,
        router.gateway or "",
        router.namespace or "",
        router.implementation,
        tuple(router.entry_points),
        hosts,
    )


def _capacity(spec: ModelSpec) -> Capacity:
    scaler, need = spec.autoscaling, spec.resources
    base = (spec.replicas, need.cpu, need.memory, need.gpu, spec.service.startup)
    if isinstance(scaler, Hpa):
        return Capacity(
            *base, autoscaler="hpa", minimum=scaler.min, maximum=scaler.max, target_cpu=scaler.cpu
        )
    if isinstance(scaler, Keda):
        return Capacity(
            *base, autoscaler="keda", minimum=scaler.min, maximum=scaler.max, rps_per_pod=scaler.rps_per_pod
        )
    return Capacity(*base)


def _gates(given: Inputs) -> tuple[Gate, ...]:
    meta = given.model.metadata
    waivers = {w.gate: w for w in given.platform.waivers if w.model == f"{meta.team}/{meta.name}"}
    return planned_gates(given.model.spec.gates, waivers, dict(given.suites))


def _gate_key(given: Inputs, gates: tuple[Gate, ...]) -> str:
    """Return the SHA-256 (hex) of model digest, data digests, gate configuration and gate image."""
    covered = {
        "model": given.lock.model.digest,
        "data": {ref: data.digest for ref, data in sorted(given.lock.data.items())},
        "gates": [gate.config for gate in gates],
        "image": [gate_prefix(given.platform), given.platform.images.base, __version__],
    }
    return sha256_of(covered)


def gate_prefix(platform: PlatformSpec) -> str:
    """What the names of gate images start with."""
    return platform.images.gates or f"{platform.registry}/gates"


def _gate_pods(given: Inputs) -> GatePodSettings:
    platform, hexadecimal = given.platform, given.lock.model.digest.removeprefix("sha256:")
    inputs = platform.gates.inputs
    return GatePodSettings(
        prefix=gate_prefix(platform),
        base=platform.images.base,
        claim=inputs.claim or "",
        url=(inputs.url or "").replace("{digest}", hexadecimal),
        s3=(inputs.s3 or "").replace("{digest}", hexadecimal),
        secret=platform.gates.secret or "",
        artifacts=platform.gates.artifacts,
        guaranteed=platform.tiers[given.model.spec.tier].requires.image_digest,
        watch=daily_cron(platform.gates.daily, _identity(given).path) if inputs.claim else "",
    )


def _delivery(given: Inputs) -> Delivery:
    platform = given.platform
    return Delivery(
        repo=platform.git.repo,
        revision=platform.git.revision,
        folder=platform.git.path,
        server=platform.environments[given.environment].server,
        argocd_namespace=platform.argocd_namespace,
        rollouts=platform.controllers.argo_rollouts,
        workflows=platform.controllers.argo_workflows,
        requires=tuple(platform.environments[given.environment].requires),
    )
