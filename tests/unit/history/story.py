"""A real git repository with a model whose versions come and go; each commit has a given time."""

from __future__ import annotations

import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

from click.testing import CliRunner, Result

from generator.cli.main import cli

CHECKOUT = Path(__file__).resolve().parents[3]
NAME = "shop/ranker"
SPEC = """\
# how it is released
apiVersion: sluice.dev/v1alpha1
kind: Model
metadata: {{name: {model}, team: shop, owner: shop-ml@example.com}}
spec:
  tier: standard
  model: {{ref: "mlflow:ranker/{version}", framework: sklearn}}  # which one
  service: {{inputs: {{price: {{type: number}}}}}}
  rollout: {{strategy: blue-green, approve: manual}}
"""
LOCK = """\
# locked by hand
schema: sluice/lock/v1
model:
  ref: "mlflow:ranker/{version}"
  resolved: "mlflow:ranker/{version}"
  version: "{version}"
  digest: {digest}
  at: "2026-11-01T00:00:00Z"
  by: a test
"""


def digest(version: int) -> str:
    return f"sha256:{version:064x}"


@dataclass
class Story:
    """One repository and its commits."""

    root: Path

    def git(self, *arguments: str, at: str = "2026-11-01T00:00:00+00:00") -> str:
        clean = {key: value for key, value in os.environ.items() if not key.startswith("GIT_")}
        own = {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_SYSTEM": os.devnull, "GIT_COMMITTER_DATE": at,
               "GIT_AUTHOR_DATE": at}  # fmt: skip
        who = ["-c", "user.name=Ada", "-c", "user.email=ada@example.com", "-c", "init.defaultBranch=main"]
        done = subprocess.run(
            ["git", *who, *arguments],
            cwd=self.root,
            env={**clean, **own},
            capture_output=True,
            text=True,
            timeout=60,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    def write(self, version: int, model: str = "ranker") -> None:
        folder = self.root / "specs" / "shop"
        folder.mkdir(exist_ok=True)
        (folder / f"{model}.yaml").write_text(SPEC.format(version=version, model=model))
        (folder / f"{model}.lock.yaml").write_text(LOCK.format(version=version, digest=digest(version)))

    def commit(self, message: str, at: str) -> str:
        self.git("add", "--all")
        self.git("commit", "--quiet", "--allow-empty", "--message", message, at=at)
        return self.git("rev-parse", "HEAD")

    def release(self, version: int, at: str, message: str = "") -> str:
        self.write(version)
        return self.commit(message or f"Release {version}", at)

    def run(self, *arguments: str, given: str | None = None) -> Result:
        env = {
            "SOURCE_DATE_EPOCH": "1795392000",
            "GIT_AUTHOR_NAME": "Ada",
            "GIT_AUTHOR_EMAIL": "a@b",
            "GIT_COMMITTER_NAME": "Ada",
            "GIT_COMMITTER_EMAIL": "a@b",
        }
        done = CliRunner(env=env).invoke(cli, [*map(str, arguments), "--root", str(self.root)], input=given)
        assert done.exit_code != 3, done.output
        return done

    def told(self, *arguments: str) -> str:
        done = self.run(*arguments)
        assert done.exit_code == 0, done.output
        return done.stdout
