"""Repositories for tests: written from texts, resolved and rendered in this process or by the program."""

from __future__ import annotations

import datetime
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

import generator
from generator.plan.repository import Repository
from generator.plan.resolve import Resolved, resolve
from generator.render.bento import Bentos
from generator.render.bundle import render_bundle
from generator.render.environment import Templates

CHECKOUT = Path(generator.__file__).resolve().parent.parent
EXAMPLES = CHECKOUT / "specs"
TODAY = datetime.date(2026, 11, 23)
EPOCH = "1795392000"
PROGRAM = (sys.executable, "-c", "from generator.cli.main import run; run()")
DIGEST = "sha256:" + "a1" * 32

# Of the examples.
BUNDLE = "rendered/production/shop/recommender"
ROLLOUT = f"{BUNDLE}/rollout-main.yaml"

PLATFORM = """\
apiVersion: sluice.dev/v1alpha1
kind: Platform
metadata: {name: acme}
spec:
  git: {repo: "https://git.example.com/acme/models.git"}
  registry: registry.example.com/models
  prometheus: {address: "http://prometheus.monitoring:9090"}
  environments:
    live:
      server: "https://kubernetes.default.svc"
      router: {kind: gateway-api, gateway: public, namespace: gateways, implementation: envoy-gateway}
      domain: models.example.com
  tiers:
    basic: {evidence: [cluster]}
  teams:
    shop: {owners: [shop@example.com], tiers: [basic]}
"""
MODEL = """\
apiVersion: sluice.dev/v1alpha1
kind: Model
metadata: {name: ranker, team: shop, owner: shop@example.com}
spec:
  tier: basic
  model: {ref: "mlflow:ranker/3", framework: sklearn}
  rollout:
    strategy: canary
    steps: [{weight: 5%, hold: 10m}]
"""
LOCK = f"""\
schema: sluice/lock/v1
model:
  ref: "mlflow:ranker/3"
  resolved: "mlflow:ranker/3"
  version: "3"
  digest: {DIGEST}
  at: "2026-11-23T00:00:00Z"
  by: test
"""


@dataclass(frozen=True)
class Ran:
    """What a call of the program answered."""

    code: int
    out: str
    err: str

    @property
    def text(self) -> str:
        return self.out + self.err


def sluice(cwd: Path, *arguments: str, **variables: str) -> Ran:
    """Run the program in a folder; a variable set to the empty string is removed."""
    done = subprocess.run(
        [*PROGRAM, *arguments], cwd=cwd, env=environ(**variables), capture_output=True, text=True, timeout=120
    )
    return Ran(done.returncode, done.stdout, done.stderr)


def environ(**variables: str) -> dict[str, str]:
    """The environment of a call: this checkout's code, a fixed day."""
    merged = {**os.environ, "PYTHONPATH": str(CHECKOUT), "SOURCE_DATE_EPOCH": EPOCH, **variables}
    return {name: value for name, value in merged.items() if value}


def write_tree(root: Path, files: Mapping[str, str | bytes]) -> Path:
    """Write files below a folder."""
    for name, content in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return root


def small(root: Path, model: str = MODEL, platform: str = PLATFORM, lock: str | None = LOCK) -> Path:
    """A repository of one model."""
    files = {"specs/platform.yaml": platform, "specs/shop/ranker.yaml": model}
    return write_tree(root, files if lock is None else {**files, "specs/shop/ranker.lock.yaml": lock})


def examples(root: Path) -> Path:
    """A repository with the example specs."""
    shutil.copytree(EXAMPLES, root / "specs")
    return root


def resolve_one(root: Path, name: str = "shop/ranker") -> Resolved:
    """Plan one model of a repository."""
    repository = Repository(root)
    assert repository.platform is not None, repository.findings
    entry = next(entry for entry in repository.entries if entry.name == name)
    return resolve(repository, entry, Bentos(Templates(None)).digest)


def codes(found: Resolved) -> list[str]:
    return [finding.code for finding in found.findings]


def read_tree(root: Path) -> dict[str, bytes]:
    """Content of every file below a folder."""
    return {
        path.relative_to(root).as_posix(): path.read_bytes()
        for path in sorted(root.rglob("*"))
        if path.is_file()
    }


def objects(root: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    """Every rendered Kubernetes object, by path."""
    for name, content in read_tree(root).items():
        if name.endswith(".yaml") and not name.startswith("bentos/"):
            yield name, yaml.load(content, Loader=yaml.CSafeLoader)


def render_one(root: Path, name: str = "shop/ranker", environment: str = "live") -> dict[str, Any]:
    """The objects of one bundle, by file name."""
    found = resolve_one(root, name)
    assert found.plans, found.findings
    plan = next(p.plan for p in found.plans if p.plan.identity.environment == environment)
    files = render_bundle(plan, Templates(None), {})
    return {file: yaml.load(text, Loader=yaml.CSafeLoader) for file, text in files.items()}


def listed(text: str, verb: str) -> list[str]:
    """The paths below a heading such as `stale 2:`."""
    found: list[str] = []
    inside = False
    for line in text.splitlines():
        if line.startswith("  "):
            found += [line.strip()] if inside and "…" not in line else []
        else:
            inside = line.startswith(f"{verb} ")
    return found
