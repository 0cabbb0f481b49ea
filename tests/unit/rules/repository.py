"""A small repository without findings, and edits that spoil it."""

from __future__ import annotations

import copy
import datetime
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from generator.odds.footprint import ResourceFootprint, footprint
from generator.pipeline.calibrate import written
from generator.plan.repository import Repository
from generator.plan.resolve import Resolved, no_digest, resolve
from generator.rules.evaluate import run_fleet_rules, run_rules
from generator.source.finding import Finding

TODAY = datetime.date(2026, 11, 23)
DIGEST = "sha256:" + "a" * 64
Edits = Mapping[str, Any]

STEPS = [{"weight": "5%", "hold": "60m"}, {"weight": "25%", "hold": "20m"}, {"weight": "50%", "hold": "20m"}]
CTR = {"outcome": "ctr", "detect": {"drop": "10%"}}
ERRORS = {"metric": "error-rate", "baseline": "0.5%", "detect": {"rise": "100%"}}
PLATFORM = {
    "git": {"repo": "https://git.example.com/acme/models.git"},
    "registry": "registry.example.com/models",
    "prometheus": {"address": "http://prometheus.monitoring:9090"},
    "environments": {
        "production": {
            "server": "https://kubernetes.default.svc",
            "router": {
                "kind": "gateway-api",
                "gateway": "public",
                "namespace": "gateways",
                "implementation": "envoy-gateway",
            },
        }
    },
    "tiers": {"standard": {"requires": {"noData": ["fail", "pause"]}}},
    "owners": ["@acme/platform"],
    "teams": {"shop": {"owners": ["shop@example.com"], "tiers": ["standard"]}},
    "attributes": {"gender": ["female", "male"]},
    "prices": {"cpuHour": "0.03 EUR", "memoryHour": "0.004 EUR"},
}
SPEC = {
    "tier": "standard",
    "model": {"ref": "bentoml:ranker:7", "framework": "sklearn"},
    "service": {"timeout": "2s", "positive": [1]},
    "traffic": {"minRps": 200},
    "outcomes": {"ctr": {"kind": "ratio", "event": "click", "baseline": "4%", "delay": "60s"}},
    "gates": [{"name": "unit-tests", "junit": "reports/junit.xml"}],
    "rollout": {"strategy": "canary", "steps": STEPS, "guards": [CTR, ERRORS]},
}
LOCK = {
    "schema": "sluice/lock/v1",
    "model": {
        "ref": "bentoml:ranker:7",
        "resolved": "bentoml:ranker:7",
        "version": "7",
        "digest": DIGEST,
        "at": "2026-11-23T00:00:00Z",
        "by": "test",
    },
}


CALIBRATION: dict[str, Any] = {
    "schema": "sluice/calibration/v1",
    "environment": "production",
    "start": "2026-10-01T00:00:00Z",
    "end": "2026-10-31T00:00:00Z",
}


def edited(base: Mapping[str, Any], edits: Edits) -> dict[str, Any]:
    """A copy with values at dotted paths replaced; None removes, numbers index lists."""
    out: Any = copy.deepcopy(dict(base))
    for dotted, value in edits.items():
        *parents, last = [int(part) if part.isdecimal() else part for part in dotted.split(".")]
        node = out
        for part in parents:
            node = node.setdefault(part, {}) if isinstance(node, dict) else node[part]
        if value is None:
            node.pop(last, None)
        else:
            node[last] = copy.deepcopy(value)
    return out


class _Plain(yaml.SafeDumper):
    """A dumper without anchors: specs have none."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


def as_yaml(data: Any) -> str:
    """The text of a file."""
    return yaml.dump(data, Dumper=_Plain, sort_keys=False)


class Sample:
    """A repository on disk.

    Args:
        root: an empty folder.
        edits: values by dotted path; the first part is `platform` (its spec), `lock`, `metadata` or `spec`; with `git`,
            the folder is the top of a git repository; `packages` is the text of the list of packages.
        models: names of the models, each with the same spec.
    """

    def __init__(self, root: Path, edits: Edits, models: Sequence[str] = ("ranker",)) -> None:
        if "git" in edits:
            (root / ".git").mkdir()
        platform = edited(PLATFORM, _part(edits, "platform"))
        self._write(root / "specs" / "platform.yaml", file_of("Platform", {"name": "acme"}, platform))
        for name in models:
            metadata = edited(
                {"name": name, "team": "shop", "owner": "me@example.com"}, _part(edits, "metadata")
            )
            spec, lock = edited(SPEC, _part(edits, "spec")), edited(LOCK, _part(edits, "lock"))
            path = root / "specs" / metadata["team"] / f"{metadata['name']}.yaml"
            self._write(path, file_of("Model", metadata, spec))
            self._write(path.with_suffix(".lock.yaml"), lock)
            if "packages" in edits:
                path.with_suffix(".requirements.txt").write_text(edits["packages"], encoding="utf-8")
            history = _part(edits, "calibration")
            if history:
                content = {"model": f"{metadata['team']}/{metadata['name']}", **edited(CALIBRATION, history)}
                measured = written(content).model_dump(by_alias=True, exclude_none=True)
                self._write(path.with_suffix(".calibration.yaml"), measured)
        self.repository = Repository(root)

    @staticmethod
    def _write(path: Path, data: Any) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(as_yaml(data), encoding="utf-8")

    def resolved(self) -> list[Resolved]:
        found = [resolve(self.repository, entry, no_digest) for entry in self.repository.entries]
        told = [finding for item in found for finding in item.findings] + self.repository.findings
        assert not told, [f"{f.place}: {f.message}" for f in told]
        return found

    def findings(self, today: datetime.date = TODAY) -> list[Finding]:
        models = self.resolved()
        return [
            *(finding for model in models for finding in run_rules(model, today)),
            *run_fleet_rules(footprints(models), self.repository, today),
        ]


def footprints(models: Sequence[Resolved]) -> list[ResourceFootprint]:
    """What rules over several models see of these."""
    return [footprint(planned.plan) for model in models for planned in model.plans]


def file_of(kind: str, metadata: Any, spec: Any) -> dict[str, Any]:
    return {"apiVersion": "sluice.dev/v1alpha1", "kind": kind, "metadata": metadata, "spec": spec}


def _part(edits: Edits, root: str) -> dict[str, Any]:
    return dict(_below(edits, root))


def _below(edits: Edits, root: str) -> Iterator[tuple[str, Any]]:
    for dotted, value in edits.items():
        first, _, rest = dotted.partition(".")
        assert first in {"platform", "lock", "metadata", "spec", "calibration", "git", "packages"}, dotted
        if first == root:
            yield rest, value
