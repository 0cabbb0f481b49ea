"""Secrets of a model: references only, fetched by the External Secrets Operator where the platform has one."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable

from generator.plan.values import Env, Identity, Secret, SecretKey
from generator.spec.platform import Secrets
from generator.spec.service import Env as EnvSpec


def variables(
    written: Iterable[EnvSpec], identity: Identity, store: Secrets | None
) -> tuple[tuple[Env, ...], tuple[Secret, ...]]:
    """Environment variables, and the Secrets that have to be fetched for them.

    Args:
        written: what the spec says.
        identity: whose variables they are.
        store: where Secrets are fetched from; None when they exist in the namespace already.
    """
    items = list(written)
    found = {} if store is None else _fetched(items, identity, store)
    out = []
    for item in items:
        held = item.secret
        name = (found[held.name].name if held.name in found else held.name) if held else ""
        out.append(Env(item.name, item.value, (name, held.key) if held else None))
    return tuple(out), tuple(found.values())


def _fetched(items: list[EnvSpec], identity: Identity, store: Secrets) -> dict[str, Secret]:
    """By the name that the spec knows it by.

    The Secret's own name holds the hash of what is fetched: another version in the store is another name in the pod
    template, so it is released like any other change, and pods of the version before keep theirs.
    """
    wanted: dict[str, set[SecretKey]] = {}
    for item in items:
        if item.secret:
            key = SecretKey(item.secret.key, item.secret.version or "")
            wanted.setdefault(item.secret.name, set()).add(key)
    out = {}
    for name, keys in wanted.items():
        remote = store.key.format(
            team=identity.team, environment=identity.environment, model=identity.model, secret=name
        )
        ordered = tuple(sorted(keys))
        content = json.dumps([store.store, store.kind, remote, ordered]).encode()
        short = hashlib.sha256(content).hexdigest()[:8]
        out[name] = Secret(
            name, f"{identity.model}-{name}-{short}", store.store, store.kind, remote, ordered, store.refresh
        )
    return out
