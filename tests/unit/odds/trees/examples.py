"""The examples that ship with Argo Rollouts, Flagger and KServe, as small trees with their numbers: `python -m` this.

Prints the table of docs/odds.md; a test compares it.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

from generator.lint import read_releases
from generator.odds.trees.odds import tree_odds
from generator.odds.trees.values import Known
from generator.spec.quantities import share_down, share_up
from tests.unit.odds.trees.trees import canary

KNOWN = Known(100.0, {"error": 0.005, "slow": 0.004})
_BOTH = (
    'sum(irate(istio_requests_total{destination_service="entry.shop",response_code!~"5.*"}[5m])) / '
    'sum(irate(istio_requests_total{destination_service="entry.shop"}[5m]))'
)
_CANARY = _BOTH.replace("entry.shop", "cart-canary.shop")
_DOCUMENTED = "[{setWeight: 20}, {pause: {duration: 10m}}, {setWeight: 40}, {pause: {duration: 10m}}]"
_DEMO = ", ".join(f"{{setWeight: {weight}}}, {{pause: {{duration: 20s}}}}" for weight in range(10, 90, 10))


def flagger(interval: str, threshold: int, step: int) -> str:
    """A Canary of Flagger with the two built-in metrics: 99% successes, 99% of the requests within 500 ms."""
    return f"""
apiVersion: flagger.app/v1beta1
kind: Canary
metadata: {{name: cart, namespace: shop}}
spec:
  targetRef: {{apiVersion: apps/v1, kind: Deployment, name: cart}}
  analysis:
    interval: {interval}
    threshold: {threshold}
    maxWeight: 50
    stepWeight: {step}
    metrics:
      - {{name: request-success-rate, thresholdRange: {{min: 99}}, interval: 1m}}
      - {{name: request-duration, thresholdRange: {{max: 500}}, interval: 1m}}
---
"""


def monitor(scrape: int) -> str:
    """A monitor that shows the scrape interval."""
    return f"""
apiVersion: monitoring.coreos.com/v1
kind: ServiceMonitor
metadata: {{name: cart, namespace: shop}}
spec: {{selector: {{matchLabels: {{app: cart}}}}, endpoints: [{{port: http, interval: {scrape}s}}]}}
"""


ADVICE = {
    "Argo Rollouts, docs/features/analysis.md: at least 95% successes, every 5m, failureLimit 3": canary(
        _BOTH, 'successCondition: "result[0] >= 0.95"', "{interval: 5m, failureLimit: 3}", _DOCUMENTED
    ).replace("analysis: {", "analysis: {startingStep: 2, "),
    "argoproj/rollouts-demo, examples/istio: above 90% successes, every 20s, failureLimit 0": canary(
        _CANARY, 'successCondition: "result[0] > 0.90"', "{interval: 20s, initialDelay: 60s}", f"[{_DEMO}]"
    ),
    "Flagger, how it works: every 1m, 5% steps, threshold 10": flagger("1m", 10, 5),
    "Flagger with Istio: every 1m, 10% steps, threshold 5": flagger("1m", 5, 10),
    "Flagger with Linkerd, Contour, Kuma: every 30s, 5% steps, threshold 5": flagger("30s", 5, 5),
    "Flagger with NGINX, Traefik, Skipper: every 10s, 5% steps, threshold 10": flagger("10s", 10, 5),
    "Flagger with Gloo: every 10s, 5% steps, threshold 5": flagger("10s", 5, 5),
    "KServe, canaryTrafficPercent 10": """
apiVersion: serving.kserve.io/v1beta1
kind: InferenceService
metadata: {name: cart}
spec: {predictor: {canaryTrafficPercent: 10}}
---
""",
}


def table() -> str:
    """The table of what the advice is worth."""
    rows = [
        "| advice | good version stopped, samples every 15 s | every 30 s | twice the errors caught | 5 times |"
    ]
    rows.append("| --- | --- | --- | --- | --- |")
    for name, text in ADVICE.items():
        with tempfile.TemporaryDirectory() as folder:
            tree = Path(folder, "tree.yaml")
            stopped = []
            for scrape in (30, 15):
                tree.write_text(text + monitor(scrape))
                (release,) = tree_odds(read_releases(tree), KNOWN).releases
                stopped.append(share_up(release.false_stop.high) if release.false_stop else "0%")
        caught = [harm for event, harms in release.caught if event == "error" for harm in harms]
        powers = [share_down(harm.power.low) for harm in caught if harm.times >= 2] or ["0%", "0%"]
        rows.append(f"| {name} | {stopped[1]} | {stopped[0]} | {' | '.join(powers)} |")
    return "\n".join(rows) + "\n"


if __name__ == "__main__":
    print(table(), end="")
