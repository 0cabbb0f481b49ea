"""Digests of what a bundle is made of: they tell, without planning or rendering, whether it is up to date."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from sys import intern
from typing import Any

from generator.plan.model_files import PLATFORM, SPECS, ModelFiles
from generator.source.canonical import canonical_json, sha256_of
from generator.source.files import raw


def file_digest(path: Path) -> str:
    """SHA-256 (hex) of a file; of nothing, where there is none or it is no file to be read."""
    return hashlib.sha256(raw(path) or b"").hexdigest()


@dataclass
class PlatformInputs:
    """The parts of the platform that bundles depend on.

    A model depends on all of it but other teams, other models' waivers and other versions' quarantine, so that a new
    one of those does not touch everyone's bundles.

    Args:
        data: the platform as plain YAML values; its form is not trusted.
    """

    data: Any
    _memory: dict[str, str] = field(default_factory=dict)

    @property
    def spec(self) -> dict[str, Any]:
        """The `spec` of the platform; empty when it has none."""
        spec = self.data.get("spec") if isinstance(self.data, dict) else None
        return spec if isinstance(spec, dict) else {}

    @property
    def folder(self) -> str:
        """Folder of the rendered files."""
        git = self.spec.get("git")
        path = git.get("path") if isinstance(git, dict) else None
        return path if isinstance(path, str) and path else "rendered"

    def has_dashboards(self, environment: str) -> bool:
        """Whether the platform wants dashboards."""
        del environment
        monitoring = self.spec.get("monitoring")
        return isinstance(monitoring, dict) and monitoring.get("dashboards") is not None

    def has_admission(self, environment: str) -> bool:
        """Whether the platform wants admission policies."""
        del environment
        return self.spec.get("admission") != "none"

    def names(self, key: str) -> list[str]:
        """Keys of a mapping such as `environments` or `teams`."""
        value = self.spec.get(key)
        return sorted(map(str, value)) if isinstance(value, dict) else []

    def has_rollout_notices(self, environment: str) -> bool:
        """Whether an environment configures the Rollouts notifications of its cluster: the first one does."""
        servers = {
            name: value.get("server") if isinstance(value, dict) else None
            for name, value in self._notified.items()
        }
        same = [name for name, server in servers.items() if server == servers.get(environment)]
        return same[:1] == [environment]

    def has_argocd_notices(self, environment: str) -> bool:
        """Whether an environment configures the notifications of Argo CD: the first does."""
        return next(iter(self._notified), "") == environment

    @property
    def _notified(self) -> dict[str, Any]:
        """The environments, where the platform configures notifications."""
        environments = self.spec.get("environments")
        if not isinstance(environments, dict) or not isinstance(self.spec.get("notifications"), dict):
            return {}
        return environments

    def waivers(self, name: str = "") -> list[dict[str, Any]]:
        """All waivers, or those of one model."""
        value = self.spec.get("waivers")
        found = [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []
        return [item for item in found if not name or item.get("model") == name]

    def quarantine(self, lock: bytes) -> list[dict[str, Any]]:
        """Rejected versions whose digest a lock names."""
        value = self.spec.get("quarantine")
        found = [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []
        return [item for item in found if str(item.get("digest")).encode() in lock]

    @cached_property
    def suites(self) -> frozenset[str]:
        """Expectation suites that tiers' default gates name."""
        return frozenset(_values(self.spec.get("tiers"), "suite"))

    @cached_property
    def shortest_age(self) -> int | None:
        """Fewest days that any tier lets evidence last; None when none says."""
        ages = _values(self.spec.get("tiers"), "evidenceAge")
        return min((int(age[:-1]) for age in ages if re.fullmatch("[0-9]{1,4}d", age)), default=None)

    def of_team(self, team: str) -> str:
        """Digest of what the objects of one team depend on."""
        rest = {key: value for key, value in self.spec.items() if key not in _NAMED}
        teams = self.spec.get("teams")
        own = teams.get(team) if isinstance(teams, dict) else None
        return self._digest(team, {**rest, "team": own})

    def of_model(self, team: str, model: str, lock: bytes = b"") -> str:
        """Digest of what the bundle of one model depends on; `lock` is the text of its lock."""
        named = [*self.waivers(f"{team}/{model}"), *self.quarantine(lock)]
        shared = self.of_team(team)
        if not named:
            return shared
        return hashlib.sha256(f"{shared}{canonical_json(named, lenient=True)}".encode()).hexdigest()

    def _digest(self, key: str, value: Any) -> str:
        if key not in self._memory:
            self._memory[key] = sha256_of(value, lenient=True)
        return self._memory[key]


def read_platform_inputs(root: Path) -> PlatformInputs:
    """Read the platform as plain values; what is wrong with it is found, with its place, when it is validated."""
    import yaml

    try:
        text = (raw(root / SPECS / PLATFORM) or b"").decode("utf-8-sig")
        return PlatformInputs(yaml.load(text, Loader=yaml.CBaseLoader))  # noqa: S506 - text only, no tags are built
    except (UnicodeDecodeError, yaml.YAMLError, RecursionError, ValueError):
        return PlatformInputs(None)


def model_inputs(entry: ModelFiles, platform: PlatformInputs) -> dict[str, str]:
    """Return the inputs of the bundles of one model: name to SHA-256.

    Evidence is no part of what is rendered, but of what is judged before it. Digests that many models have alike are
    kept once.
    """
    spec, lock = raw(entry.spec) or b"", raw(entry.lock) or b""
    inputs = {
        "evidence": intern(file_digest(entry.evidence)),
        "lock": hashlib.sha256(lock).hexdigest(),
        "platform": intern(platform.of_model(entry.team, entry.model, lock)),
        "spec": hashlib.sha256(spec).hexdigest(),
    }
    suites = platform.suites | suites_of(spec)
    return {**inputs, "suites": sha256_of(suite_digests(entry, suites))} if suites else inputs


def suites_of(spec: bytes) -> frozenset[str]:
    """Paths of the expectation suites that a spec names, perhaps more; whatever is wrong with it is found elsewhere."""
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

    A suite from elsewhere is given to the gates when they run, and evidence names its digest.
    """
    found = ((path, _suite_digest(files, path)) for path in sorted(set(paths)))
    return tuple((path, f"sha256:{digest}") for path, digest in found if digest)


def _suite_digest(files: ModelFiles, path: str) -> str:
    """Digest (hex) of the first of both files; empty where there is none that can be read."""
    folders = (files.spec.parent, files.spec.parents[2])
    file = next((folder / path for folder in folders if (folder / path).is_file()), None)
    if file is None:
        return ""
    try:
        with file.open("rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest()
    except OSError:
        return ""


def oldest_verdict(entry: ModelFiles) -> str | None:
    """Day on which the oldest verdict of a model's evidence was reached (ISO 8601), read without trusting it."""
    ends = re.findall(rb'"end": "([0-9]{4}-[0-9]{2}-[0-9]{2})T', raw(entry.evidence) or b"")
    return min(ends).decode() if ends else None


def _values(node: Any, wanted: str) -> Iterator[str]:
    """Text under a key, at any depth."""
    for key, item in (
        node.items() if isinstance(node, dict) else enumerate(node if isinstance(node, list) else ())
    ):
        if key == wanted and isinstance(item, str):
            yield item
        yield from _values(item, wanted)


_NAMED = frozenset({"teams", "waivers", "quarantine"})
