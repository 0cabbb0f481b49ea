"""Small trees of releases."""

from __future__ import annotations

ALL = 'sum(rate(http_requests_total{service="cart-canary"}[2m]))'
ERRORS = f'sum(rate(http_requests_total{{service="cart-canary",code=~"5.."}}[2m])) / {ALL}'
GOOD = f'sum(rate(http_requests_total{{service="cart-canary",code!~"5.."}}[2m])) / {ALL}'
SLOW = 'histogram_quantile(0.95, sum by (le) (rate(http_seconds_bucket{service="cart-canary"}[2m])))'
STEPS = "[{setWeight: 10}, {pause: {duration: 10m}}, {setWeight: 50}, {pause: {duration: 10m}}]"


def rollout(analysis, steps=STEPS):
    return f"""
apiVersion: argoproj.io/v1alpha1
kind: Rollout
metadata: {{name: cart, namespace: shop}}
spec:
  strategy:
    canary:
      canaryService: cart-canary
      stableService: cart
      trafficRouting: {{nginx: {{stableIngress: cart}}}}
      steps: {steps}
      {analysis}
---
"""


def template(query, conditions, timing="interval: 1m", name="quality"):
    return f"""
apiVersion: argoproj.io/v1alpha1
kind: AnalysisTemplate
metadata: {{name: {name}, namespace: shop}}
spec:
  metrics:
    - name: {name}
      {timing}
      {conditions}
      provider:
        prometheus:
          address: http://prometheus:9090
          query: |
            {query}
---
"""


def canary(query, conditions, timing="{interval: 1m, initialDelay: 3m, failureLimit: 1}", steps=STEPS):
    """A Rollout with one background metric."""
    lines = "\n      ".join(part.strip() for part in timing.strip("{}").split(","))
    return rollout("analysis: {templates: [{templateName: quality}]}", steps) + template(
        query, conditions, lines
    )


_ARM = 'sum(rate(r_total{{service="{0}",code="500"}}[2m])) / sum(rate(r_total{{service="{0}"}}[2m]))'
COMPARED = (f"({_ARM.format('cart-canary')}) / ({_ARM.format('cart')})", 'successCondition: "result[0] < 2"')
FORMS = {
    "share of errors": (ERRORS, 'successCondition: "result[0] < 0.02"'),
    "percent of errors": (f"100 * {ERRORS}", 'successCondition: "result[0] < 2"'),
    "share of good": (GOOD, 'successCondition: "result[0] >= 0.98"'),
    "failure condition": (ERRORS, 'failureCondition: "len(result) > 0 && result[0] > 0.02"'),
    "quantile": (SLOW, 'successCondition: "result[0] < 0.5"'),
    "rate": ('sum(rate(http_requests_total{service="cart-canary",code=~"5.."}[2m]))', 'successCondition: "result[0] < 0.12"'),
    "count": ('sum(increase(http_requests_total{service="cart-canary",code=~"5.."}[2m]))', 'successCondition: "result[0] < 12"'),
    "none at all": (GOOD, 'successCondition: "result[0] == 1"'),
    "both versions": (ERRORS.replace('service="cart-canary"', 'app="cart"').replace(",,", ","), 'successCondition: "result[0] < 0.013"'),
    "too early": (ERRORS, 'successCondition: "result[0] < 0.02"', "{interval: 1m, failureLimit: 1}"),
    "with a count": (ERRORS, 'successCondition: "result[0] < 0.015"', "{interval: 30s, count: 6, failureLimit: 2, initialDelay: 3m}"),
}  # fmt: skip


def only(found):
    """Return the one metric of the one release."""
    (release,) = found.releases
    (metric,) = release.metrics
    return metric
