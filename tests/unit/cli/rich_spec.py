"""A spec that has every part once."""

from __future__ import annotations

RICH = {
    "apiVersion": "sluice.dev/v1alpha1",
    "kind": "Model",
    "metadata": {
        "name": "rich",
        "team": "shop",
        "owner": "shop-ml@example.com",
        "description": "every part once",
    },
    "spec": {
        "tier": "standard",
        "model": {
            "ref": "s3://models/rich.onnx",
            "framework": "custom",
            "sha256": "a" * 64,
            "load": "mine:Model",
        },
        "service": {
            "inputs": {
                "amount": {"type": "number", "minimum": 0.5, "maximum": 9},
                "kind": {"type": "string", "values": ["a", "b"]},
            },
            "positive": [1, "yes"],
            "attributes": {"age_band": ["18-29", "30+"]},
            "timeout": "2s",
            "requirements": ["numpy==2.4.6"],
            "python": "3.12",
            "env": [
                {"name": "LOG_LEVEL", "value": "info"},
                {"name": "TOKEN", "secret": {"name": "rich", "key": "token"}},
            ],
        },
        "traffic": {
            "minRps": 20,
            "names": {"service": "riches", "newService": "riches-next", "route": "riches-web"},
            "hosts": ["rich.example.com"],
            "designEffect": 1.5,
        },
        "outcomes": {
            "ctr": {"kind": "ratio", "event": "click", "baseline": "4%", "delay": "60s", "better": "higher"}
        },
        "gates": [
            {"name": "tests", "junit": "reports/junit.xml", "atLeast": 20},
            {
                "name": "quality",
                "metric": "auc",
                "atLeast": 0.9,
                "against": "champion",
                "noWorseBy": "1pp",
                "rows": 500,
            },
            {
                "name": "parity",
                "fairness": "demographic-parity-ratio",
                "sensitive": ["age_band"],
                "atLeast": 0.8,
            },
            {
                "name": "drift",
                "drift": {"reference": "dvc:a", "current": "dvc:b", "features": ["amount"]},
                "tool": "psi",
                "atMost": 0.2,
            },
            {"name": "data", "data": {"current": "dvc:b", "suite": "expectations/a.json"}},
            {"name": "reasons", "explain": {"reference": "dvc:a", "current": "dvc:b"}, "atMost": 0.15},
            {"name": "own", "custom": "./check.sh", "args": ["--fast"]},
        ],
        "rollout": {
            "strategy": "canary",
            "shadow": {"percent": "20%", "hold": "1h", "guards": []},
            "steps": [
                {"cohort": {"header": "x-beta", "exact": "yes"}, "hold": "5m"},
                {"weight": "5%", "hold": "60m"},
                {"approve": "lead"},
                {"weight": "50%", "hold": "20m"},
            ],
            "guards": [
                {"outcome": "ctr", "detect": {"drop": "10%"}},
                {"metric": "error-rate", "limit": "5%", "noData": "fail"},
                {"metric": "slow-rate", "slowerThan": "250ms", "baseline": "2%", "detect": {"rise": "50%"}},
                {"fairness": "demographic-parity-difference", "sensitive": ["age_band"], "atMost": 0.1},
            ],
            "risk": {"falseRollback": "5%", "power": "80%", "maxExposed": 1000},
            "noData": "pause",
        },
        "replicas": 3,
        "autoscaling": {"kind": "keda", "min": 2, "max": 6, "rpsPerPod": 50},
        "resources": {"cpu": "1", "memory": "1Gi", "gpu": 0},
        "accept": [{"code": "CAN210", "reason": "known", "until": "2027-01-31"}],
        "environments": {
            "staging": {
                "rollout": {
                    "strategy": "blue-green",
                    "approve": "manual",
                    "preview": {"replicas": 1},
                    "watch": "10m",
                    "guards": [],
                },
                "autoscaling": None,
                "replicas": 1,
            },
            "production": {
                "service": {"env": [{"name": "LOG_LEVEL", "value": "warning"}]},
                "resources": {"cpu": "2"},
            },
        },
    },
}

CONTAINER = {
    "apiVersion": "sluice.dev/v1alpha1",
    "kind": "Model",
    "metadata": {"name": "container", "team": "shop", "owner": "shop-ml@example.com"},
    "spec": {
        "tier": "standard",
        "serve": {
            "image": "registry.example.com/shop/ranker:2026-11-01",
            "port": 8080,
            "path": "/score",
            "user": 1500,
            "probes": {"ready": "/health/ready", "live": "/health/live"},
            "metrics": {
                "path": "/metrics",
                "requests": {"metric": "http_requests_total", "labels": {"handler": "/score"}},
                "errors": {"label": "status"},
                "latency": {"metric": "http_request_duration_seconds"},
                "outcomes": {"ctr": {"metric": "ranker_clicks_total"}},
            },
            "example": {"user": 7, "items": [1, 2, 3]},
        },
        "service": {"timeout": "2s", "startup": "3m"},
        "rollout": {
            "strategy": "canary",
            "steps": [{"weight": "50%", "hold": "1h"}],
            "guards": [{"metric": "error-rate", "limit": "5%"}],
        },
        "traffic": {"minRps": 20},
        "outcomes": {"ctr": {"kind": "ratio", "event": "click", "baseline": "4%", "delay": "60s"}},
    },
}
"""A model that is served by the team's own container."""
