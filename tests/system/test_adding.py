"""docs/adding.md does what it says: the files of that page, put into a copy of the package, are used."""

from __future__ import annotations

import ast
import json
import random
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs/adding.md").read_text()
FENCED = re.compile(
    r"^```(?:python|jinja)\n(?:# (?=generator|templates)|\{# )(\S+?)(?: #\})?\n(.*?)^```",
    re.DOTALL | re.MULTILINE,
)
FILES: dict[str, str] = dict(FENCED.findall(PAGE))
RUN = "import sys; from generator.cli.main import run; sys.argv = ['sluice', *sys.argv[1:]]; run()"
RECOMMENDER = "rendered/production/shop/recommender"


class Copy:
    """A repository, and a copy of the package that renders it."""

    def __init__(self, root: Path, *names: str) -> None:
        self.root, self.package = root, root / "package"
        ignored = shutil.ignore_patterns("__pycache__")
        shutil.copytree(ROOT / "generator", self.package / "generator", ignore=ignored)
        shutil.copytree(ROOT / "templates", self.package / "templates", ignore=ignored)
        shutil.copytree(ROOT / "specs", root / "specs")
        for name in names:
            (self.package / name).parent.mkdir(exist_ok=True)
            (self.package / name).write_text(FILES[name])

    def sluice(self, *arguments: str, code: int = 0) -> str:
        environment = {"PYTHONPATH": str(self.package), "HOME": str(self.root), "PATH": "/usr/bin:/bin"}
        command = [sys.executable, "-c", RUN, *arguments]
        done = subprocess.run(command, cwd=self.root, env=environment, capture_output=True, text=True)
        assert done.returncode == code, done.stdout + done.stderr
        return done.stdout

    def edit(self, name: str, old: str, new: str) -> None:
        path = self.root / "specs" / name
        assert old in path.read_text()
        path.write_text(path.read_text().replace(old, new))

    def rendered(self, name: str) -> Any:
        return yaml.safe_load((self.root / name).read_text())


def samples(title: str) -> str:
    """The YAML of a section."""
    section = PAGE.split(f"\n## {title}\n")[1].split("\n## ")[0]
    return re.search(r"```yaml\n(.*?)```", section, re.DOTALL)[1]


def test_every_file_of_the_page_is_used():
    tests = Path(__file__).read_text()
    assert FILES
    assert [name for name in FILES if f'"{name}"' not in tests] == []


def test_a_guard_kind(tmp_path):
    copy = Copy(tmp_path, "generator/spec/guards/fallback_rate.py")
    (guard,) = yaml.safe_load(samples("A guard"))["guards"]
    copy.edit("shop/recommender.yaml", "    risk:", f"      - {json.dumps(guard)}\n    risk:")
    copy.sluice("render", "shop/recommender")
    template = copy.rendered(f"{RECOMMENDER}/analysistemplate-guards.yaml")
    metrics = {metric["name"]: metric for metric in template["spec"]["metrics"]}
    query = metrics["fallback-rate"]["provider"]["prometheus"]["query"]
    assert "team_fallbacks_total" in query
    assert "sluice_predictions_total" in query
    assert query.startswith("sum_over_time(")


def test_a_guard_on_a_gauge(tmp_path):
    """It is rendered, described and left out of the odds; rules about ratios do not speak of it."""
    copy = Copy(tmp_path, "generator/spec/guards/feature_age.py")
    (guard,) = yaml.safe_load(samples("A guard on a gauge"))["guards"]
    copy.edit("shop/recommender.yaml", "    risk:", f"      - {json.dumps(guard)}\n    risk:")
    copy.sluice("render", "shop/recommender")
    template = copy.rendered(f"{RECOMMENDER}/analysistemplate-guards.yaml")
    (metric,) = (metric for metric in template["spec"]["metrics"] if metric["name"] == "feature-age")
    query = metric["provider"]["prometheus"]["query"]
    assert query.startswith("max(max_over_time(team_feature_age_seconds{")
    assert 'served_by="{{args.canary-hash}}"' in query
    assert "result[0] <= 900" in metric["successCondition"]
    evidence = (copy.root / RECOMMENDER).glob("analysistemplate-evidence-*.yaml")
    assert all("feature-age" not in file.read_text() for file in evidence)
    (plan, *_) = json.loads(copy.sluice("plan", "shop/recommender", "--format", "json"))["plans"]
    assert plan["odds"]["unpriced"] == {"feature-age": "how much a gauge varies is not known"}
    assert plan["odds"]["family_false_rollback_bound"] is None
    described = {item["name"]: item for item in plan["guards"]["guards"]}["feature-age"]
    assert (described["limit"], described["ratio"]) == (900.0, None)
    assert "feature-age: at most 15m" in copy.sluice("plan", "shop/recommender", "--format", "markdown")
    assert any(gap["topic"] == "unwatched" for gap in plan["not_covered"])
    findings = json.loads(copy.sluice("validate", "shop/recommender", "--format", "json"))["findings"]
    assert [found for found in findings if "feature-age" in found["message"]] == []
    replayed = json.loads(
        copy.sluice("replay", "shop/recommender", "--simulate", "good", "--runs", "1", "--format", "json")
    )
    assert replayed["skipped"] == ["feature-age"]
    assert '"feature-age"' in copy.sluice("schema", "model")


def test_a_router(tmp_path):
    copy = Copy(
        tmp_path,
        "generator/routers/forked_nginx.py",
        "templates/kubernetes/ingress-forked.yaml.j2",
        "templates/kubernetes/rollout-canary-forked.yaml.j2",
    )
    gateway = "{kind: gateway-api, gateway: public, namespace: gateways, implementation: envoy-gateway}"
    copy.edit("platform.yaml", gateway, "{kind: forked-nginx, ingressClass: forked, proxyNamespace: nginx}")
    copy.sluice("render", "shop/recommender")
    canary = copy.rendered(f"{RECOMMENDER}/rollout-main.yaml")["spec"]["strategy"]["canary"]
    assert canary["trafficRouting"] == {
        "nginx": {"stableIngress": "recommender", "annotationPrefix": "nginx.example.com"}
    }
    assert (canary["stableService"], canary["canaryService"]) == ("recommender-stable", "recommender-canary")
    spec = copy.rendered(f"{RECOMMENDER}/ingress-main.yaml")["spec"]
    assert spec["ingressClassName"] == "forked"
    services = {
        path["path"]: path["backend"]["service"]["name"] for path in spec["rules"][0]["http"]["paths"]
    }
    assert services == {"/predict": "recommender-stable"}
    application = copy.rendered("rendered/production/argocd/applications/shop/recommender/application.yaml")
    assert "ignoreDifferences" not in application["spec"]
    assert "the controller's Ingress" in copy.sluice("plan", "shop/recommender", "--format", "json")
    assert '"forked-nginx"' in copy.sluice("schema", "platform")
    verified = json.loads(copy.sluice("verify", RECOMMENDER, "--all", "--format", "json", code=1))
    # The gates' account is in the platform's bundle, which is not rendered here.
    assert {found["code"] for found in verified["findings"]} >= {"VER151"}
    assert not any(found["severity"] == "error" for found in verified["findings"])
    copy.edit(
        "shop/recommender.yaml",
        "steps: [",
        "steps: [{cohort: {header: x-a, exact: b}, hold: 5m}, ",
    )
    assert "ROUTE602" in copy.sluice("validate", "shop/recommender", code=1)


@pytest.mark.slow
def test_a_gate_tool(tmp_path):
    """The gate runs with the tool, in an environment that is made for it."""
    copy = Copy(tmp_path, "generator/spec/gate_tools/bare_ks.py", "templates/gates/bare-ks/run.py")
    for name in ("requirements.in", "requirements.txt"):
        (copy.package / "templates/gates/bare-ks" / name).write_text("")
    (gate,) = yaml.safe_load(samples("A gate tool"))["gates"]
    spec = copy.root / "specs/support/ticket-classifier.yaml"
    text = spec.read_text()
    gates = text[text.index("  gates:\n") : text.index("  rollout:")]
    spec.write_text(text.replace(gates, f"  gates: [{json.dumps(gate)}]\n"))
    lock = copy.root / "specs/support/ticket-classifier.lock.yaml"
    digests = {}
    for seed, name in enumerate(("train.csv", "seen.csv")):
        draws = random.Random(seed)
        path = copy.root / name
        path.write_text("amount\n" + "".join(f"{draws.gauss(0, 1)}\n" for _ in range(2000)))
        digests[name] = subprocess.run(["sha256sum", path], capture_output=True, text=True).stdout[:64]
    data = {name: {"resolved": name, "digest": f"sha256:{digest}"} for name, digest in digests.items()}
    lock.write_text(lock.read_text() + f"data: {json.dumps(data)}\n")
    assert "pass" in copy.sluice("gates", "run", "support/ticket-classifier")
    evidence = json.loads((copy.root / "specs/support/ticket-classifier.evidence.json").read_text())
    (entry,) = evidence["predicate"]["gates"]
    assert (entry["tool"], entry["verdict"], entry["measures"][0]["name"]) == ("bare-ks", "pass", "amount")


def test_a_framework(tmp_path):
    copy = Copy(tmp_path, "generator/spec/frameworks/linear.py", "templates/bento/frameworks/linear.py.j2")
    copy.edit("shop/recommender.yaml", "framework: sklearn", "framework: linear")
    copy.sluice("render", "shop/recommender")
    bento = copy.root / "rendered/bentos/shop/recommender"
    first, *listed = (bento / "requirements.txt").read_text().splitlines()
    assert first == "--require-hashes"
    assert [line for line in listed if line.startswith("bentoml==")]
    predictor = (bento / "predictor.py").read_text()
    ast.parse(predictor)
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "line.json").write_text('{"a": 2.0, "b": -1.0}')
    space: dict[str, Any] = {}
    exec(predictor, space)
    line = space["Predictor"](tmp_path / "model")
    assert line.predict(line.encode([{"a": 3.0, "b": 1.0}, *line.examples()])) == [5.0, 0.0]
