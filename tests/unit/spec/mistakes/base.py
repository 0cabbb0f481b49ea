"""A repository without findings, in which one thing is broken at a time."""

from __future__ import annotations

SPEC = """\
apiVersion: sluice.dev/v1alpha1
kind: Model
metadata: {name: churn, team: shop, owner: shop-ml@example.com}
spec:
  tier: standard
  model: {ref: "bentoml:churn:1", framework: sklearn}
  traffic: {minRps: 2000}
  outcomes:
    ctr: {kind: ratio, event: click, baseline: 4%, delay: 60s}
  gates:
    - {name: accuracy, metric: accuracy, atLeast: 0.9, rows: 5000}
  rollout:
    strategy: canary
    steps:
      - {weight: 5%, hold: 1h}
      - {weight: 25%, hold: 20m}
    guards:
      - {metric: error-rate, baseline: 1%, detect: {rise: 100%}}
      - metric: slow-rate
        slowerThan: 250ms
        baseline: 5%
        detect: {rise: 50%}
"""
PLATFORM = """\
apiVersion: sluice.dev/v1alpha1
kind: Platform
metadata: {name: acme}
spec:
  git: {repo: "https://git.example.com/acme/models.git", revision: main}
  registry: registry.example.com/models
  prometheus: {address: "http://prometheus.monitoring:9090", scrapeInterval: 15s}
  controllers: {argo-rollouts: "1.10", argo-cd: "3.6"}
  environments:
    staging:
      server: "https://kubernetes.default.svc"
      router: {kind: gateway-api, gateway: public, namespace: gateways, implementation: envoy-gateway}
      domain: staging.models.example.com
    production:
      server: "https://kubernetes.default.svc"
      router: {kind: gateway-api, gateway: public, namespace: gateways, implementation: envoy-gateway}
      domain: models.example.com
      requires: [staging]
  tiers:
    standard:
      defaults:
        resources: {cpu: 500m, memory: 512Mi}
        replicas: 20
        rollout: {risk: {falseRollback: 5%, power: 80%}, noData: pause}
      ceilings: {firstWeight: 25%, cpu: "2", memory: 4Gi}
      evidence: [cluster]
    regulated: {evidence: [cluster]}
  attributes: {gender: [female, male, other]}
  teams:
    shop:
      owners: [shop-ml@example.com]
      tiers: [standard]
      quota: {cpu: "40", memory: 80Gi}
      budget: {monthly: 2500 EUR}
    risk: {owners: [risk-ml@example.com], tiers: [regulated]}
  prices: {cpuHour: 0.031 EUR, memoryHour: 0.0042 EUR}
  owners: ["@acme/platform"]
"""
LOCK = f"""\
schema: sluice/lock/v1
model:
  ref: "bentoml:churn:1"
  resolved: "bentoml:churn:1"
  version: "1"
  digest: sha256:{"a1" * 32}
  at: "2026-01-01T00:00:00Z"
  by: test
"""
