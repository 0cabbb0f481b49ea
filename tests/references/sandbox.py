"""A GitOps repository with one model, and the commands on it, in process."""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner, Result

from generator.cli.main import cli
from tests.tools.environment import OFFLINE

CHECKOUT = Path(__file__).resolve().parents[2]
WHEN = {"SOURCE_DATE_EPOCH": "1795392000"}
_SETTINGS = ("MLFLOW_", "HF_", "AWS_", "BENTOML_", "DOCKER_")
SPEC = """\
apiVersion: sluice.dev/v1alpha1
kind: Model
metadata: {{name: ranker, team: shop, owner: shop-ml@example.com}}
spec:
  tier: standard
  model: {{ref: "{ref}", framework: sklearn{more}}}  # which one
  gates: [{gates}]
  rollout: {{strategy: blue-green, approve: manual}}
"""


@dataclass
class Sandbox:
    """One repository with the model `shop/ranker`.

    Args:
        root: the repository.
        home: HOME of the commands.
        online: uv may ask the package index.
    """

    root: Path
    home: Path
    online: bool = False

    @property
    def spec(self) -> Path:
        return self.root / "specs" / "shop" / "ranker.yaml"

    @property
    def lock(self) -> Path:
        return self.spec.with_name("ranker.lock.yaml")

    @property
    def locked(self) -> Any:
        return yaml.safe_load(self.lock.read_text())

    def ask(self, ref: str, more: str = "", gates: str = "") -> Sandbox:
        self.spec.write_text(SPEC.format(ref=ref, more=more, gates=gates))
        return self

    def pin(self, *arguments: str, **variables: str) -> Result:
        return self._run("pin", *arguments, **variables)

    def point_at(self, *arguments: str) -> Result:
        return self._run("pin", "shop/ranker", *arguments)

    def pinned(self, *arguments: str, **variables: str) -> Any:
        """The lock after a `pin` that succeeded."""
        done = self.pin(*arguments, **variables)
        assert done.exit_code == 0, done.output
        return self.locked

    def _run(self, command: str, *arguments: str, **variables: str) -> Result:
        others = {name: None for name in os.environ if name.startswith(_SETTINGS)}
        env = {
            **others,
            **WHEN,
            **({} if self.online else OFFLINE),
            "HOME": str(self.home),
            "XDG_CONFIG_HOME": str(self.home),
            **variables,
        }
        done = CliRunner(env=env).invoke(cli, [command, *arguments, "--root", str(self.root)])
        assert done.exception is None or isinstance(done.exception, SystemExit), done.exc_info
        return done


@pytest.fixture
def sandbox(tmp_path: Path) -> Sandbox:
    """An empty team in the platform of the examples."""
    root, home = tmp_path / "repository", tmp_path / "home"
    (root / "specs" / "shop").mkdir(parents=True)
    home.mkdir()
    shutil.copy(CHECKOUT / "specs" / "platform.yaml", root / "specs")
    return Sandbox(root, home)
