"""Names, selectors and ports of every kind are held against what is in the tree."""

from __future__ import annotations

import pytest
import yaml

from tests.unit.lint.bundle import BUNDLE, EXAMPLES, ROUTE, example

NAMED = [
    (
        "VirtualService",
        ("spec", "http", 0, "route", 0, "destination", "host"),
        "digits-stabl",
        "Service digits-stabl",
    ),
    (
        "VirtualService",
        ("spec", "http", 0, "mirror", "host"),
        "digits-stabel.shop.svc.cluster.local",
        "digits-stabel",
    ),
    ("TraefikService", ("spec", "weighted", "services", 1, "name"), "digits-cana", "Service digits-cana"),
    ("HorizontalPodAutoscaler", ("spec", "scaleTargetRef", "name"), "digit", "Rollout digit"),
    ("ScaledObject", ("spec", "scaleTargetRef", "name"), "digit", "Rollout digit"),
    (
        "HTTPRoute",
        ("spec", "rules", 0, "filters", 0, "requestMirror", "backendRef", "name"),
        "digits-canry",
        "Service digits-canry",
    ),
    (
        "Job",
        ("spec", "template", "spec", "volumes"),
        [{"name": "a", "configMap": {"name": "digit-env"}}],
        "ConfigMap digit-env",
    ),
]


@pytest.mark.parametrize(("kind", "path", "value", "words"), NAMED, ids=lambda value: str(value)[:30])
def test_names_of_every_kind_are_followed(tree, kind, path, value, words):
    route = {"httproute.yaml": ROUTE} if kind != "HTTPRoute" else {}
    wrong = [
        m for c, _, m in tree(BUNDLE | route | example(kind, path, value)) if c == "VER150" and words in m
    ]
    assert len(wrong) == 1


@pytest.mark.parametrize(
    ("kind", "path", "value", "code", "words"),
    [
        ("PodDisruptionBudget", ("spec", "selector", "matchLabels", "app"), "x", "VER152", "selects no pod"),
        ("PodMonitor", ("spec", "selector", "matchLabels", "app"), "x", "VER152", "selects no pod"),
        (
            "PodMonitor",
            ("spec", "podMetricsEndpoints", 0, "port"),
            "metrics",
            "VER153",
            "scrapes the port metrics",
        ),
        ("ServiceMonitor", ("spec", "endpoints", 0, "port"), "metrics", "VER152", "selects no Service"),
        ("Deployment", ("spec", "selector", "matchLabels", "app"), "x", "VER152", "of its template"),
    ],
)
def test_selectors_and_ports_of_every_kind_are_held_against_the_pods(tree, kind, path, value, code, words):
    found = tree(BUNDLE | example(kind, path, value))
    assert [(c, words in message) for c, _, message in found if c == code] == [(code, True)]


def test_an_application_of_no_project_is_noted(tree):
    project = yaml.safe_dump(EXAMPLES["AppProject"])
    application = example("Application", ("spec", "project"), "shopp")
    assert [c for c, *_ in tree(application)] == ["VER151"]
    assert [c for c, *_ in tree(application | {"project.yaml": project})] == ["VER150"]
    assert [c for c, *_ in tree(example("Application", ("spec", "project"), "default"))] == []
