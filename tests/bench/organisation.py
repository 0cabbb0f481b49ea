"""Generated organisations: teams of models of five kinds, or of one model many times, with locks.

Equal arguments give equal bytes.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

EXAMPLES = Path(__file__).resolve().parents[2] / "specs"
_TEAM = 20
_PLATFORM = """\
apiVersion: sluice.dev/v1alpha1
kind: Platform
metadata: {name: bench}
spec:
  git: {repo: "https://git.example.com/acme/models.git"}
  registry: registry.example.com/models
  prometheus: {address: "http://prometheus.monitoring:9090"}
  attributes: {gender: [female, male, other]}
  tiers:
    basic:
      defaults:
        resources: {cpu: 500m, memory: 512Mi}
        rollout: {risk: {falseRollback: 5%, power: 80%}, noData: pause}
      evidence: [cluster]
"""
_ENVIRONMENT = """\
    {name}:
      server: "https://kubernetes.default.svc"
      router: {{kind: gateway-api, gateway: public, namespace: gateways, implementation: envoy-gateway}}
      domain: {name}.models.example.com
"""
_HEAD = """\
apiVersion: sluice.dev/v1alpha1
kind: Model
metadata: {{name: {model}, team: {team}, owner: {team}@example.com}}
spec:
  tier: basic
  model: {{ref: "mlflow:{model}/{version}", framework: {framework}}}
  traffic: {{minRps: {rps}}}
"""
_GUARDS = """\
    guards:
      - {outcome: ctr, detect: {drop: 10%}}
      - {metric: error-rate, baseline: 1%, detect: {rise: 100%}}
      - {metric: slow-rate, slowerThan: 250ms, baseline: 2%, detect: {rise: 50%}}
"""
_OUTCOMES = "  outcomes: {ctr: {kind: ratio, event: click, baseline: 4%, delay: 60s}}\n"
_STEPS = "    steps: [{weight: 5%, hold: 60m}, {weight: 25%, hold: 20m}, {weight: 50%, hold: 20m}]\n"
_STEPWISE = "  rollout:\n    strategy: canary\n" + _STEPS + _GUARDS
_AUTOSCALED = _OUTCOMES + "  autoscaling: {min: 4, max: 12, cpu: 65%}\n" + _STEPWISE
_BLUE_GREEN = """\
  service: {inputs: {text: {type: string, maxLength: 5000}}}
  gates: [{name: accuracy, metric: accuracy, atLeast: 0.92}, {name: unit-tests, junit: reports/junit.xml, atLeast: 20}]
  rollout: {strategy: blue-green, approve: manual, guards: [{metric: error-rate, limit: 2%}]}
"""
_ENV = "  service: {env: [{name: LOG_LEVEL, value: info}, {name: TOKEN, secret: {name: tokens, key: api}}]}\n"
_INNER = "[{cohort: {header: x-cohort, exact: internal}, hold: 30m}, "
_COHORT = _OUTCOMES + _ENV + _STEPWISE.replace("steps: [", f"steps: {_INNER}")
_SHADOWED = """\
  service:
    inputs:
      amount: {type: number, minimum: 0}
      hour: {type: integer, minimum: 0, maximum: 23}
    positive: [1]
  gates: [{name: accuracy, metric: accuracy, atLeast: 0.9}]
  rollout:
    strategy: canary
    shadow:
      percent: 20%
      hold: 2h
      guards: [{fairness: demographic-parity-difference, sensitive: [gender], atMost: 0.1}]
    steps: [{weight: 1%, hold: 2h}, {approve: model-risk}, {weight: 50%, hold: 2h}]
"""
_OVERRIDE = "  environments: {env0: {replicas: 2, resources: {cpu: 250m}}}\n"
_OVERRIDDEN = _OUTCOMES + "  replicas: 4\n" + _STEPWISE + _OVERRIDE
_KINDS = (_AUTOSCALED, _BLUE_GREEN, _COHORT, _SHADOWED, _OVERRIDDEN)
_FRAMEWORKS = ("sklearn", "xgboost", "lightgbm", "onnx", "mlflow")


def generate(root: Path, models: int, environments: int, team_size: int = _TEAM) -> Path:
    """Write a repository with so many models.

    Args:
        root: an empty folder.
        models: how many.
        environments: how many, each with the same router.
        team_size: models of each team.
    """
    teams = [f"team-{number:03}" for number in range(-(-models // team_size))]
    platform = _PLATFORM + "  environments:\n"
    platform += "".join(_ENVIRONMENT.format(name=f"env{number}") for number in range(environments))
    platform += "  teams:\n" + "".join(
        f"    {team}: {{owners: [{team}@example.com], tiers: [basic]}}\n" for team in teams
    )
    for team in teams:
        (root / "specs" / team).mkdir(parents=True)
    (root / "specs/platform.yaml").write_text(platform)
    for number in range(models):
        _model(root / "specs" / teams[number // team_size], number)
    return root


def _model(folder: Path, number: int) -> None:
    model, version = f"model-{number:05}", number % 90 + 1
    values = {"model": model, "team": folder.name, "version": version, "rps": 100 + number % 400}
    head = _HEAD.format(framework=_FRAMEWORKS[number % len(_FRAMEWORKS)], **values)
    (folder / f"{model}.yaml").write_text(head + _KINDS[number % len(_KINDS)])
    digest, ref = hashlib.sha256(model.encode()).hexdigest(), f"mlflow:{model}/{version}"
    lock = f'  ref: "{ref}"\n  resolved: "{ref}"\n  version: "{version}"\n  digest: "sha256:{digest}"\n'
    lock = f'schema: sluice/lock/v1\nmodel:\n{lock}  at: "2026-11-23T00:00:00Z"\n  by: bench\n'
    (folder / f"{model}.lock.yaml").write_text(lock)


def recommenders(root: Path, models: int) -> Path:
    """Write a repository with the example's recommender so many times, on the example's platform.

    Each has alerts and dashboards in two environments. Its tier asks for evidence in the cluster, not in git: there is
    none for a model that was made up.
    """
    teams = [f"team-{number:03}" for number in range(-(-models // _TEAM))]
    platform = (EXAMPLES / "platform.yaml").read_text()
    head, _, rest = platform.partition("  teams:\n")
    rest = rest[rest.index("  # Secrets that specs refer to") :]
    before, _, after = rest.partition("  waivers:\n")
    rest = before + after[after.index("  monitoring:\n") :]
    tier = 'longestRollout: 8h, cpu: "4", memory: 8Gi}\n'
    assert tier in head
    head = head.replace(tier, f"{tier}      evidence: [cluster]\n")
    rows = "".join(f"    {team}: {{owners: [{team}@example.com], tiers: [high-traffic]}}\n" for team in teams)
    (root / "specs").mkdir(parents=True)
    (root / "specs/platform.yaml").write_text(f"{head}  teams:\n{rows}{rest}")
    spec, lock = ((EXAMPLES / f"shop/recommender{kind}.yaml").read_text() for kind in ("", ".lock"))
    for number in range(models):
        team, model = teams[number // _TEAM], f"recommender-{number:05}"
        folder = root / "specs" / team
        folder.mkdir(exist_ok=True)
        own = spec.replace(
            "name: recommender, team: shop, owner: shop-ml", f"name: {model}, team: {team}, owner: {team}"
        )
        assert own != spec
        (folder / f"{model}.yaml").write_text(own)
        (folder / f"{model}.lock.yaml").write_text(lock)
    return root
