"""Digests of the inputs of a bundle: they show whether it is up to date without planning or rendering it."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import field
from functools import cached_property
from pathlib import Path
from sys import intern
from typing import Any, Final

from generator.dataclass import dataclass
from generator.plan.model_files import PLATFORM, SIGNATURES, SPECS, ModelFiles
from generator.source.canonical import canonical_json, sha256_of
from generator.source.files import RefusedError, bytes_below, raw


def file_digest(path: Path) -> str:
    """Return the SHA-256 (hex) of a file; that of no bytes when it is missing or unreadable."""
    return hashlib.sha256(raw(path) or b"").hexdigest()


LARGEST_SUITE: Final = 8 << 20
"""The largest expectation suite that is read, in bytes."""


@dataclass
class PlatformInputs:
    """The parts of the platform that bundles depend on.

    A model depends on all of it except other teams, waivers of other models and quarantined versions of others, so
    that one of those does not change the bundles of all models.

    Args:
        data: the platform as plain YAML values, not validated.
        content: the bytes that it was read from; None when they can't be read.
    """

    data: Any
    content: bytes | None = None
    _memory: dict[str, str] = field(default_factory=dict)

    @cached_property
    def digest(self) -> str:
        """The SHA-256 (hex) of the platform file; that of no bytes when it can't be read."""
        return hashlib.sha256(self.content or b"").hexdigest()

    @property
    def spec(self) -> dict[str, Any]:
        """The `spec` of the platform; empty when there is none."""
        spec = self.data.get("spec") if isinstance(self.data, dict) else None
        return spec if isinstance(spec, dict) else {}

    @property
    def folder(self) -> str:
        """The folder of the rendered files."""
        git = self.spec.get("git")
        path = git.get("path") if isinstance(git, dict) else None
        return path if isinstance(path, str) and path else "rendered"

    @cached_property
    def environments(self) -> dict[str, Any]:
        """The environments of which each has one cluster, as plain values."""
        return plain_environments(self.spec)

    @cached_property
    def gated(self) -> frozenset[str]:
        """The environments that require others."""
        return gated(self.environments)

    def has_dashboards(self, environment: str) -> bool:
        """Return whether the platform renders dashboards."""
        del environment
        monitoring = self.spec.get("monitoring")
        return isinstance(monitoring, dict) and isinstance(monitoring.get("dashboards"), dict)

    def has_admission(self, environment: str) -> bool:
        """Return whether the platform renders admission policies."""
        del environment
        return self.spec.get("admission") != "none"

    def has_records(self, environment: str) -> bool:
        """Return whether the platform renders an account that reads releases."""
        del environment
        return isinstance(self.spec.get("records"), dict)

    def names(self, key: str) -> list[str]:
        """Return the keys of a mapping such as `environments` or `teams`, sorted."""
        value = self.environments if key == "environments" else self.spec.get(key)
        return sorted(map(str, value)) if isinstance(value, dict) else []

    def has_rollout_notices(self, environment: str) -> bool:
        """Return whether an environment configures the Rollouts notifications of its cluster, as the first one does."""
        servers = {
            name: value.get("server") if isinstance(value, dict) else None
            for name, value in self._notified.items()
        }
        same = [name for name, server in servers.items() if server == servers.get(environment)]
        return same[:1] == [environment]

    def has_argocd_notices(self, environment: str) -> bool:
        """Return whether an environment configures the notifications of Argo CD: the first one does."""
        return next(iter(self._notified), "") == environment

    @property
    def _notified(self) -> dict[str, Any]:
        """The environments of a platform with notifications; empty for one without."""
        return self.environments if isinstance(self.spec.get("notifications"), dict) else {}

    def waivers(self, name: str = "") -> list[dict[str, Any]]:
        """Return all waivers, or those of one model."""
        value = self.spec.get("waivers")
        found = [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []
        return [item for item in found if not name or item.get("model") == name]

    def quarantine(self, lock: bytes) -> list[dict[str, Any]]:
        """Return the quarantined versions whose digest or image a lock names."""
        value = self.spec.get("quarantine")
        found = [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []
        return [
            item for item in found if any(str(item.get(key)).encode() in lock for key in ("digest", "image"))
        ]

    @cached_property
    def suites(self) -> frozenset[str]:
        """The expectation suites of the default gates of tiers."""
        return frozenset(_values(self.spec.get("tiers"), "suite"))

    @cached_property
    def shortest_age(self) -> int | None:
        """The shortest `evidenceAge` of all tiers, in days; None when no tier declares one."""
        ages = _values(self.spec.get("tiers"), "evidenceAge")
        return min((int(age[:-1]) for age in ages if re.fullmatch("[0-9]{1,4}d", age)), default=None)

    def of_team(self, team: str) -> str:
        """Return the digest of what the objects of one team depend on."""
        rest = {key: value for key, value in self.spec.items() if key not in _NAMED}
        teams = self.spec.get("teams")
        own = teams.get(team) if isinstance(teams, dict) else None
        return self._digest(team, {**rest, "team": own})

    def of_model(self, team: str, model: str, lock: bytes = b"") -> str:
        """Return the digest of what the bundle of one model depends on; `lock` is the text of its lock."""
        named = [*self.waivers(f"{team}/{model}"), *self.quarantine(lock)]
        shared = self.of_team(team)
        if not named:
            return shared
        return hashlib.sha256(f"{shared}{canonical_json(named, lenient=True)}".encode()).hexdigest()

    def _digest(self, key: str, value: Any) -> str:
        if key not in self._memory:
            self._memory[key] = sha256_of(value, lenient=True)
        return self._memory[key]


def plain_environments(platform: Mapping[str, Any]) -> dict[str, Any]:
    """Return the environments of a platform as plain values, as `generator.spec.rings` does of a validated one.

    Args:
        platform: the `spec` of a platform, not validated.
    """
    written = platform.get("environments")
    found: dict[str, Any] = {}
    for name, value in written.items() if isinstance(written, dict) else ():
        rings = value.get("rings") if isinstance(value, dict) else None
        if not isinstance(rings, list):
            found[str(name)] = value
            continue
        before = ""
        for ring in rings:
            if isinstance(ring, dict):
                terms = {key: term for key, term in ring.items() if key not in _OF_RINGS}
                requires = {before: terms} if before else value.get("requires")
                before = f"{name}-{ring.get('name')}"
                found[before] = {**value, "server": ring.get("server"), "requires": requires}
    return found


def gated(environments: Mapping[str, Any]) -> frozenset[str]:
    """Return the environments, as plain values, that require others."""
    return frozenset(
        name for name, value in environments.items() if isinstance(value, dict) and value.get("requires")
    )


def read_platform_inputs(root: Path) -> PlatformInputs:
    """Read the platform as plain values; validation reports its mistakes with their places, this does not.

    The file is read only here: whatever else a command needs of it comes from these bytes.
    """
    import yaml

    content = raw(root / SPECS / PLATFORM)
    try:
        text = (content or b"").decode("utf-8-sig")
        return PlatformInputs(yaml.load(text, Loader=yaml.CBaseLoader), content)  # noqa: S506 - text only, no tags are built
    except (UnicodeDecodeError, yaml.YAMLError, RecursionError, ValueError):
        return PlatformInputs(None, content)


def model_inputs(entry: ModelFiles, platform: PlatformInputs) -> dict[str, str]:
    """Return the inputs of the bundles of one model: name to SHA-256.

    Evidence is not rendered, but it decides whether the bundle may be. Digests that many models share are kept once.
    """
    spec, lock = raw(entry.spec) or b"", raw(entry.lock) or b""
    inputs = {
        "evidence": intern(file_digest(entry.evidence)),
        "lock": hashlib.sha256(lock).hexdigest(),
        "platform": intern(platform.of_model(entry.team, entry.model, lock)),
        "spec": hashlib.sha256(spec).hexdigest(),
    }
    if entry.packages.exists():
        inputs["packages"] = file_digest(entry.packages)
    signatures = {path.name: file_digest(path) for path in _signatures(entry)}
    if signatures:
        inputs["signatures"] = sha256_of(signatures)
    suites = platform.suites | suites_of(spec)
    return {**inputs, "suites": sha256_of(suite_digests(entry, suites))} if suites else inputs


def promotion_input(entry: ModelFiles, environment: str) -> dict[str, str]:
    """Return the input that only the bundle of a model in one environment has: the lock of that environment."""
    path = entry.promotion(environment)
    return {"promotion": file_digest(path)} if environment and os.path.lexists(path) else {}


def _signatures(entry: ModelFiles) -> Iterator[Path]:
    """Yield the files that sign the lock and the evidence of a model."""
    for path in (entry.lock, entry.evidence):
        for suffix in SIGNATURES:
            if os.path.lexists(f"{path}{suffix}"):
                yield path.with_name(path.name + suffix)


def suites_of(spec: bytes) -> frozenset[str]:
    """Return the paths of the expectation suites that a spec names, perhaps more; reading stops at invalid YAML."""
    if b"suite" not in spec and b"\\" not in spec:  # an escape could spell the key
        return frozenset()
    import yaml

    found: set[str] = set()
    before: str | None = None
    try:
        for event in yaml.parse(spec, Loader=yaml.CBaseLoader):  # events: aliases are not followed
            text: str | None = getattr(event, "value", None)
            if before == "suite" and text:
                found.add(text)
            before = text
    except yaml.YAMLError:
        pass
    return frozenset(found)


def suite_digests(files: ModelFiles, paths: Iterable[str]) -> tuple[tuple[str, str], ...]:
    """Return path and `sha256:…` of each expectation suite in the repository: next to the spec, else at the root.

    The gates get a suite from elsewhere when they run; the evidence then holds its digest.
    """
    out = []
    for path in sorted(set(paths)):
        try:
            content = _suite(files, path)
        except (RefusedError, OSError):
            continue
        if content is not None:
            out.append((path, f"sha256:{hashlib.sha256(content).hexdigest()}"))
    return tuple(out)


def refused_suites(files: ModelFiles, paths: Iterable[str]) -> dict[str, str]:
    """Return why an expectation suite is not read, by path: it is a link, a device, too large, or unreadable."""
    refused = {}
    for path in sorted(set(paths)):
        try:
            _suite(files, path)
        except RefusedError as error:
            refused[path] = str(error.args[1])
        except OSError as error:
            refused[path] = f"this file can't be read: {error.strerror}"
    return refused


def _suite(files: ModelFiles, path: str) -> bytes | None:
    """Return the bytes of the first of both files; None when there is neither.

    Raises:
        RefusedError: it is not a regular file below the repository that no link leads to, or it is too large.
        OSError: it can't be read.
    """
    root = files.spec.parents[2]
    for folder in (files.spec.parent, root):
        try:
            return bytes_below(root, folder / path, LARGEST_SUITE)
        except (FileNotFoundError, NotADirectoryError):
            continue
    return None


def oldest_verdict(entry: ModelFiles) -> str | None:
    """Return the day (ISO 8601) of the oldest verdict in a model's evidence, not validated; None without verdicts."""
    ends = re.findall(rb'"end": "([0-9]{4}-[0-9]{2}-[0-9]{2})T', raw(entry.evidence) or b"")
    return min(ends).decode() if ends else None


def _values(node: Any, key: str) -> Iterator[str]:
    """Yield the texts under a key, at any depth."""
    if isinstance(node, dict):
        if isinstance(node.get(key), str):
            yield node[key]
        node = list(node.values())
    for item in node if isinstance(node, list) else ():
        yield from _values(item, key)


_OF_RINGS: Final = frozenset({"name", "server", "router", "domain", "apiServer"})
"""Keys of a ring that are not terms of what it requires."""
_NAMED = frozenset({"teams", "waivers", "quarantine"})
