"""A good bundle of files, and one object of each kind, of which tests spoil a word."""

from __future__ import annotations

import copy
from pathlib import Path

import yaml

EXAMPLES = {
    doc["kind"]: doc
    for doc in yaml.load_all(
        Path(__file__).parent.joinpath("kinds", "examples.yaml").read_text(encoding="utf-8"), yaml.CSafeLoader
    )
}

ROLLOUT = """\
apiVersion: argoproj.io/v1alpha1
kind: Rollout
metadata: {name: digits, namespace: shop}
spec:
  selector: {matchLabels: {app: digits}}
  strategy:
    canary:
      canaryService: digits-canary
      stableService: digits-stable
      analysis: {templates: [{templateName: digits-background}]}
      trafficRouting:
        plugins: {argoproj-labs/gatewayAPI: {httpRoute: digits, namespace: shop}}
  template:
    metadata: {labels: {app: digits}}
    spec:
      containers:
        - name: main
          image: registry.example.com/digits:1
          ports: [{name: http, containerPort: 3000}]
          envFrom: [{configMapRef: {name: digits-env}}]
          resources: {requests: {memory: 1Gi}, limits: {memory: 2Gi}}
          lifecycle: {preStop: {sleep: {seconds: 10}}}
  progressDeadlineAbort: true
"""
SERVICE = """\
apiVersion: v1
kind: Service
metadata: {name: digits-%s, namespace: shop}
spec: {selector: {app: digits}, ports: [{name: http, port: 80, targetPort: http}]}
"""
ROUTE = """\
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {name: digits, namespace: shop}
spec:
  parentRefs: [{name: public}]
  rules:
    - backendRefs:
        - {name: digits-stable, port: 80, weight: 100}
        - {name: digits-canary, port: 80, weight: 0}
"""
TEMPLATE = """\
apiVersion: argoproj.io/v1alpha1
kind: AnalysisTemplate
metadata: {name: digits-background, namespace: shop}
spec:
  metrics:
    - name: ctr
      interval: 1m
      successCondition: len(result) == 1 && result[0] >= 1
      provider: {prometheus: {query: 'sum(up{service="digits-canary"})'}}
"""
GATEWAY = """\
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: {name: public, namespace: shop}
spec: {gatewayClassName: contour, listeners: [{name: http, port: 80, protocol: HTTP}]}
"""
CONFIG = """\
apiVersion: v1
kind: ConfigMap
metadata: {name: digits-env, namespace: shop}
data: {A: "1"}
"""
BUNDLE = {
    "rollout.yaml": ROLLOUT,
    "service-canary.yaml": SERVICE % "canary",
    "service-stable.yaml": SERVICE % "stable",
    "httproute.yaml": ROUTE,
    "analysistemplate.yaml": TEMPLATE,
    "gateway.yaml": GATEWAY,
    "configmap.yaml": CONFIG,
}


def edited(name: str, old: str, new: str) -> dict[str, str]:
    assert old in BUNDLE[name]
    return BUNDLE | {name: BUNDLE[name].replace(old, new)}


def example(kind: str, path: tuple[str | int, ...], value: object) -> dict[str, str]:
    """The file of an example of which one value is another."""
    body = copy.deepcopy(EXAMPLES[kind])
    holder = body
    for step in path[:-1]:
        holder = holder[step]
    holder[path[-1]] = value
    return {f"{kind.lower()}.yaml": yaml.safe_dump(body)}
