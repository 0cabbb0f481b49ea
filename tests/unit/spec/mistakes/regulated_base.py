"""A second repository without findings, in other layouts: a regulated canary in block style, and a blue-green."""

from __future__ import annotations

from generator.plan.locks import immutable_form

FRAUD = """\
# Fraud scores. Questions: #risk-ml
apiVersion: sluice.dev/v1alpha1
kind: Model

metadata:
  name: fraud
  team: risk
  owner: risk-ml@example.com

spec:
  tier: regulated
  model:
    ref: "mlflow:fraud/12"
    framework: xgboost

  traffic:
    minRps: 400          # at night
    hosts:
      - fraud.example.com
  autoscaling:
    min: 3
    max: 9
    cpu: 65%

  service:
    timeout: 2s
    inputs:
      amount: {type: number, minimum: 0}
      hour: {type: integer, minimum: 0, maximum: 23}
    env:
      - name: LOG_LEVEL
        value: info
      - name: TOKEN
        secret: {name: fraud-api, key: token}
    positive: [1]
  gates:
    # Fairness first, then drift.
    - name: parity
      fairness: demographic-parity-difference
      sensitive: [age_band, gender]
      atMost: 0.1
      minGroup: 330
    - name: drift
      drift:
        reference: dvc:data/train.parquet
        current: dvc:data/prod-30d.parquet
        features: [amount, hour]
      tool: ks
    - {name: why, explain: {reference: "dvc:data/train.parquet", current: "dvc:data/prod-30d.parquet"}, tool: shap, atMost: 0.15}

  rollout:
    strategy: canary
    shadow:
      percent: 20%
      hold: 24h
      guards:
        - fairness: demographic-parity-difference
          sensitive: [gender, age_band]
          atMost: 0.1
    steps:
      - cohort: {header: x-cohort, exact: internal}
        hold: 2h
      - weight: 1%
        hold: 12h
      - approve: model-risk
      - weight: 50%
        hold: 2h
    guards:
      - metric: error-rate
        baseline: 1%
        detect: {rise: 100%}

  environments:
    staging:
      autoscaling: {min: 1, max: 2, cpu: 65%}
"""
TICKETS = """\
apiVersion: sluice.dev/v1alpha1
kind: Model
metadata: {name: tickets, team: support, owner: support-ml@example.com}
spec:
  tier: standard
  model: {ref: "bentoml:tickets:7", framework: sklearn}
  traffic: {minRps: 50}
  service: {inputs: {text: {type: string, maxLength: 5000}}}
  gates:
    - {name: unit-tests, junit: reports/junit.xml, atLeast: 20}
    - {name: schema, data: {current: "dvc:data/tickets.parquet", suite: expectations/tickets.json}, tool: great-expectations}
  rollout:
    strategy: blue-green
    approve: manual
    preview: {replicas: 1}
    watch: 10m
    guards: [{metric: error-rate, limit: 5%}]
  accept: [{code: CAN102, reason: "small on purpose", until: 2026-12-31}]
"""
PLATFORM = """\
# Owned by the platform team.
apiVersion: sluice.dev/v1alpha1
kind: Platform
metadata:
  name: acme
spec:
  git:
    repo: "https://git.example.com/acme/models.git"
    revision: main
  registry: registry.example.com/models
  prometheus:
    address: "http://prometheus.monitoring:9090"
    scrapeInterval: 15s
  environments:
    staging:
      server: "https://staging.example.com:6443"
      router:
        kind: gateway-api
        gateway: public
        namespace: gateways
        implementation: envoy-gateway
      domain: staging.example.com
    production:
      server: "https://kubernetes.default.svc"
      router:
        kind: gateway-api
        gateway: public
        namespace: gateways
        implementation: envoy-gateway
      domain: example.com
      requires:
        - staging
  tiers:
    standard:
      description: internal products
      defaults:
        resources: {cpu: 500m, memory: 512Mi}
        replicas: 2
        rollout: {risk: {falseRollback: 5%, power: 80%}, noData: pause}
      ceilings: {cpu: "2", memory: 4Gi}
      evidence: [cluster]
    regulated:
      defaults:
        resources: {cpu: "1", memory: 1Gi}
        rollout:
          risk: {falseRollback: 2%, power: 90%}
          noData: fail
      ceilings:
        firstWeight: 1%
        longestRollout: 7d
      requires:
        gates: [fairness, drift]
        approvals: [model-risk]
        noData: [fail, pause]
      evidence: [cluster]
  attributes:
    age_band: ["18-29", "30-49", "50-64", "65+"]
    gender: [female, male, other]
  owners: ["@acme/platform"]
  teams:
    support:
      owners: [support-ml@example.com]
      tiers: [standard]
      quota: {cpu: "8", memory: 16Gi}
    risk:
      owners:
        - risk-ml@example.com
      tiers:
        - regulated
      quota: {cpu: "40", memory: 80Gi}
      budget: {monthly: 1200 EUR}
      hosts: [fraud.example.com]
  secrets: {store: vault}
  prices: {cpuHour: 0.031 EUR, memoryHour: 0.0042 EUR, gpuHour: 1.9 EUR}
  waivers:
    - model: risk/fraud
      gate: parity
      reason: regulator-approved exception
      approvedBy: model-risk
      until: 2027-01-31
      kind: fairness
      configuration: sha256:b7aabe841dea245f8e88e01f0d16df3c3c299590388230f1bf3b571e53ddfe1a
  monitoring:
    alerts: {runbooks: "https://git.example.com/acme/runbooks"}
    dashboards: {folder: Models}
  gates: {daily: "04:30"}
  cohorts: [{header: x-cohort, exact: internal, share: 1%}]
"""


def _lock(ref: str, version: str, *data: str) -> str:
    lines = [
        f'  "{one}": {{resolved: "{immutable_form(one).example}", digest: "sha256:{f"c{number}" * 32}"}}'
        for number, one in enumerate(data)
    ]
    return f"""\
schema: sluice/lock/v1
model:
  ref: "{ref}"
  resolved: "{ref}"
  version: "{version}"
  digest: sha256:{"a1" * 32}
  at: "2026-11-01T00:00:00Z"
  by: test
data:
{chr(10).join(lines)}
"""


LOCKS = {
    "specs/risk/fraud.lock.yaml": _lock(
        "mlflow:fraud/12", "12", "dvc:data/train.parquet", "dvc:data/prod-30d.parquet"
    ),
    "specs/support/tickets.lock.yaml": _lock("bentoml:tickets:7", "7", "dvc:data/tickets.parquet"),
}
FILES = {
    "fraud": ("specs/risk/fraud.yaml", FRAUD),
    "tickets": ("specs/support/tickets.yaml", TICKETS),
    "platform": ("specs/platform.yaml", PLATFORM),
}
