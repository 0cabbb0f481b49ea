"""What a team adds to the pods of its model and of its gates."""

from __future__ import annotations

from typing import NamedTuple

from generator.dataclass import dataclass


@dataclass(frozen=True, slots=True)
class GatePodSettings:
    """The gates in the cluster.

    Args:
        prefix: prefix of the names of their images.
        base: base image of those images.
        digests: name with tag and digest of images that the platform has locked.
        claim: PersistentVolumeClaim with the inputs; empty when they come from an archive.
        url: address of the archive with this model's inputs, or empty.
        s3: its key in the artifact repository, or empty.
        secret: Secret whose keys become environment variables, or empty.
        artifacts: whether there is an artifact repository.
        resources: CPU, largest memory and largest temporary files of gates whose data an engine reads.
        guaranteed: whether intervals keep their confidence level for every true value (Clopper and Pearson).
        watch: cron expression (UTC) of the daily watch, or empty.
    """

    prefix: str
    base: str
    digests: tuple[tuple[str, str], ...]
    claim: str
    url: str
    s3: str
    secret: str
    artifacts: bool
    resources: tuple[str, str, str]
    guaranteed: bool
    watch: str


@dataclass(frozen=True, slots=True)
class PodVariable:
    """An environment variable of the pods: a plain value, or the name of a Secret in the cluster and a key of it."""

    name: str
    value: str | None
    secret: tuple[str, str] | None


class SecretKey(NamedTuple):
    """A key of a Secret, and its version in the store; an empty version is the newest."""

    key: str
    version: str


@dataclass(frozen=True, slots=True)
class Secret:
    """A Secret that the External Secrets Operator fetches.

    Args:
        role: its name in the spec.
        name: its name in the cluster.
        store: name of the secret store.
        store_kind: kind of the secret store.
        remote: its key in the store.
        keys: the keys to fetch; empty for all of them.
        refresh_s: seconds between two refreshes.
    """

    role: str
    name: str
    store: str
    store_kind: str
    remote: str
    keys: tuple[SecretKey, ...]
    refresh_s: float
