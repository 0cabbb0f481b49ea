"""docs/adding.md does what it says: the guard of that page, put into a copy of the package, is rendered."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parents[2]
GUARD = "{metric: fallback-rate, baseline: 1%, detect: {rise: 100%}}"


def test_a_guard_kind_is_one_file(tmp_path):
    copy = tmp_path / "package"
    shutil.copytree(ROOT / "generator", copy / "generator", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copytree(ROOT / "templates", copy / "templates")
    shutil.copytree(ROOT / "specs", tmp_path / "specs")
    name, module = re.search(
        r"```python\n# (generator/\S+)\n(.*?)```", (ROOT / "docs/adding.md").read_text(), re.DOTALL
    ).groups()
    (copy / name).write_text(module)
    spec = tmp_path / "specs" / "shop" / "recommender.yaml"
    spec.write_text(spec.read_text().replace("    risk:", f"      - {GUARD}\n    risk:"))
    program = "import sys; from generator.cli.main import run; sys.argv = ['sluice', 'render', 'shop/recommender']; run()"
    done = subprocess.run([sys.executable, "-c", program], cwd=tmp_path, env={"PYTHONPATH": str(copy), "HOME": str(tmp_path)},
                          capture_output=True, text=True)  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    rendered = tmp_path / "rendered/production/shop/recommender/analysistemplate-guards.yaml"
    metrics = {metric["name"]: metric for metric in yaml.safe_load(rendered.read_text())["spec"]["metrics"]}
    query = metrics["fallback-rate"]["provider"]["prometheus"]["query"]
    assert "team_fallbacks_total" in query
    assert "sluice_predictions_total" in query
    assert query.startswith("sum_over_time(")
