"""Every kind: a good object passes, and one mistake anywhere in it is found once, at exactly that path."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from generator.lint.kinds import KINDS, Mistake, check
from generator.lint.kinds.tables import part
from tests.unit.lint.kinds.examples import EXAMPLES, changed, spots

IDS = [f"{api}-{kind}" for api, kind in EXAMPLES]
UNKNOWN = "noSuchField"


@pytest.mark.parametrize("example", EXAMPLES.values(), ids=IDS)
def test_good_object_has_no_problem(example):
    assert check(example) == []


@pytest.mark.parametrize(("api_version", "kind"), sorted(KINDS.keys() - EXAMPLES.keys()))
def test_older_version_takes_the_same_object(api_version, kind):
    group = api_version.rpartition("/")[0]
    example = next(
        doc for (api, name), doc in EXAMPLES.items() if name == kind and api.startswith(f"{group}/")
    )
    assert check(example | {"apiVersion": api_version}) == []


@pytest.mark.parametrize("key", EXAMPLES, ids=IDS)
def test_unknown_field_is_found_in_every_record(key):
    example = EXAMPLES[key]
    for path, node, _ in list(spots(part(*key).schema, example)):
        if node["type"] == "typed-dict":
            mistakes = check(changed(example, (*path, UNKNOWN), 1))
            assert [(p.path, p.sort) for p in mistakes] == [((*path, UNKNOWN), "unknown-field")], path


@pytest.mark.parametrize("key", EXAMPLES, ids=IDS)
def test_missing_field_is_found_in_every_record(key):
    example = EXAMPLES[key]
    for path, node, value in list(spots(part(*key).schema, example)):
        for name, field in node["fields"].items() if node["type"] == "typed-dict" else ():
            if field["required"] and (path, name) not in [((), "apiVersion"), ((), "kind")]:
                assert name in value
                mistakes = check(changed(example, (*path, name), ...))
                assert [(p.path, p.sort) for p in mistakes] == [((*path, name), "missing")], path


@pytest.mark.parametrize("key", EXAMPLES, ids=IDS)
def test_value_of_a_wrong_type_is_found_everywhere(key):
    example = EXAMPLES[key]
    for path, node, _ in list(spots(part(*key).schema, example)):
        if node["type"] == "any" or path in ((), ("apiVersion",), ("kind",), ("status",)):
            continue
        wrong = "text" if node["type"] in ("typed-dict", "list", "dict") else [{"a": 1}]
        mistakes = check(changed(example, path, wrong))
        assert [p.path for p in mistakes] == [path], path
        assert not isinstance(wrong, str) or mistakes[0].sort == "type"


COERCED = {"str": [7, True, 1.5], "int": ["4", True, 4.0], "bool": ["true", 1, 0], "float": ["1.5", True]}


@pytest.mark.parametrize("key", EXAMPLES, ids=IDS)
def test_nothing_is_coerced(key):
    example = EXAMPLES[key]
    for path, node, _ in list(spots(part(*key).schema, example)):
        for wrong in COERCED.get(node["type"], ()):
            if path not in (("apiVersion",), ("kind",)):
                mistakes = check(changed(example, path, wrong))
                assert [(p.path, p.sort) for p in mistakes] == [(path, "type")], (path, wrong)


@pytest.mark.parametrize("key", EXAMPLES, ids=IDS)
def test_word_outside_an_enumeration_is_found_everywhere(key):
    example = EXAMPLES[key]
    for path, node, value in list(spots(part(*key).schema, example)):
        if node["type"] == "literal" and path not in (("apiVersion",), ("kind",)):
            mistakes = check(changed(example, path, f"{value}x"))
            assert [(p.path, p.sort) for p in mistakes] == [
                (path, "value" if isinstance(value, str) else "type")
            ]
            assert "must be" in mistakes[0].message


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
def test_random_key_anywhere_is_always_found(data):
    key = data.draw(st.sampled_from(sorted(EXAMPLES)))
    records = [
        (path, node)
        for path, node, _ in spots(part(*key).schema, EXAMPLES[key])
        if node["type"] == "typed-dict"
    ]
    path, node = data.draw(st.sampled_from(records))
    name = data.draw(st.text(min_size=1, max_size=12).filter(lambda text: text not in node["fields"]))
    value = data.draw(
        st.none() | st.booleans() | st.integers() | st.text(max_size=5) | st.just({}) | st.just([])
    )
    mistakes = check(changed(EXAMPLES[key], (*path, name), value))
    assert [(p.path, p.sort) for p in mistakes] == [((*path, name), "unknown-field")]


KEYS = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=3)
VALUES = st.recursive(
    KEYS, lambda below: st.lists(below, max_size=3) | st.dictionaries(KEYS, below, max_size=3), max_leaves=5
)


@settings(max_examples=300, suppress_health_check=[HealthCheck.too_slow])
@given(st.sampled_from(sorted(EXAMPLES)), st.data(), VALUES)
def test_any_value_anywhere_is_answered(key, data, value):
    paths = [path for path, _, _ in spots(part(*key).schema, EXAMPLES[key]) if path]
    for mistake in check(changed(EXAMPLES[key], data.draw(st.sampled_from(paths)), value)):
        assert str(mistake)


@pytest.mark.parametrize(
    ("path", "message"),
    [
        (("metadata", 5), "metadata[5]: is not a valid key: it must be a string"),
        (("data", True), "is not a valid key: it must be a name made of letters, digits, '-', '_' and '.'"),
    ],
)
def test_a_key_that_is_not_a_string_is_a_mistake(path, message):
    (mistake,) = check(changed(EXAMPLES["v1", "ConfigMap"], path, "x"))
    assert str(mistake).endswith(message)


MAIN = ("spec", "template", "spec", "containers", 0)
CANARY = ("spec", "strategy", "canary")
MISTAKES = [
    ("Rollout", ("metadata", "name"), "Digits", "must be a DNS name"),
    ("Rollout", ("metadata", "labels", "app"), 7, "must be a label value"),
    ("Rollout", ("metadata", "labels", "app"), "not valid", 'not the string "not valid"'),
    ("Rollout", ("metadata", "annotations", "wave"), 2, "must be a string, not the number 2"),
    ("Rollout", ("spec", "replicas"), "4", 'must be a whole number, not the string "4"'),
    ("Rollout", ("spec", "replicas"), True, "must be a whole number, not true"),
    ("Rollout", ("spec", "replicas"), 1.5, "must be a whole number, not the number 1.5"),
    ("Rollout", (*CANARY, "maxSurge"), "25", "must be a whole number or a percentage such as 25%"),
    ("Rollout", (*CANARY, "canaryService"), "9lives", "must be a DNS-1035 label"),
    ("Rollout", (*CANARY, "steps", 1, "pause", "duration"), "1d", "Go duration such as 90s or 15m"),
    (
        "Rollout",
        (*CANARY, "analysis", "args", 0, "valueFrom", "podTemplateHashValue"),
        "latest",
        'must be Latest or Stable, not the string "latest"; did you mean `Latest`?',
    ),
    ("Rollout", (*MAIN, "ports", 0, "containerPort"), 70000, "must be a port (1 to 65535)"),
    ("Rollout", (*MAIN, "ports", 0, "name"), "this-name-is-too-long", "must be a port name"),
    ("Rollout", (*MAIN, "env", 0, "value"), 7, "must be a string, not the number 7"),
    (
        "Rollout",
        (*MAIN, "resources", "limits", "memory"),
        "2 GB",
        "must be a quantity such as 500m, 2 or 512Mi",
    ),
    ("Rollout", (*MAIN, "resources", "limits", "memory"), "-1Gi", "not below zero"),
    ("Rollout", (*MAIN, "imagePullPolicy"), "ifNotPresent", "did you mean `IfNotPresent`?"),
    ("Rollout", ("spec", "template", "spec", "containers"), [], "must not be empty"),
    (
        "Rollout",
        (*MAIN, "env", 0, "valueFrom"),
        {"fieldRef": {"fieldPath": "a"}},
        "only one of them may be set",
    ),
    ("Rollout", (*MAIN, "livenessProbe", "exec"), {"command": ["a"]}, "has exec and tcpSocket"),
    ("AnalysisTemplate", ("spec", "metrics", 0, "interval"), "1 minute", "must be a duration such as 90s"),
    ("AnalysisTemplate", ("spec", "metrics", 0, "failureLimit"), "many", "a whole number or a placeholder"),
    ("Application", ("spec", "syncPolicy", "syncOptions", 0), "PruneLast", "a sync option such as"),
    ("Application", ("spec", "sources"), [], "has source and sources, but only one of them may be set"),
    ("AppProject", ("spec", "syncWindows", 0, "kind"), "block", "must be allow or deny"),
    ("Workflow", ("spec", "podGC", "strategy"), "OnSuccess", "one of "),
    ("Workflow", ("spec", "templates", 1, "script"), {"source": "1"}, "has container and script"),
    ("Workflow", ("spec", "arguments", "parameters", 0, "value"), 1, "must be a string, not the number 1"),
    ("HTTPRoute", ("spec", "rules", 0, "filters", 0, "type"), "RequestRedirect", "but no requestRedirect"),
    (
        "HTTPRoute",
        ("spec", "rules", 0, "backendRefs", 0, "weight"),
        -1,
        "must be a whole number (0 to 1000000)",
    ),
    ("HTTPRoute", ("spec", "rules", 0, "timeouts", "request"), "1.5s", "Gateway API duration"),
    ("HTTPRoute", ("spec", "hostnames", 0), "a_b", "must be a host name"),
    ("PodMonitor", ("spec", "podMetricsEndpoints", 0, "interval"), "1.5s", "Prometheus duration"),
    ("PrometheusRule", ("spec", "groups", 0, "rules", 0, "alert"), "A", "has alert and record"),
    ("ConfigMap", ("data", "a.yaml"), {"x": 1}, "must be a string, not a mapping"),
    ("HorizontalPodAutoscaler", ("spec", "metrics", 0, "pods"), {"metric": {"name": "x"}}, "is required"),
    ("PodDisruptionBudget", ("spec", "minAvailable"), 1, "only one of them may be set"),
    ("TraefikService", ("spec", "mirroring"), {"name": "a"}, "has mirroring and weighted"),
    ("VirtualService", ("spec", "http", 0, "timeout"), "10", "must be a Go duration"),
]


@pytest.mark.parametrize(("kind", "path", "value", "words"), MISTAKES, ids=lambda value: str(value)[:40])
def test_one_mistake_gives_one_readable_problem(kind, path, value, words):
    example = next(doc for (_, name), doc in reversed(EXAMPLES.items()) if name == kind)  # the newest
    mistakes = check(changed(example, path, value))
    assert len(mistakes) == 1
    assert words in mistakes[0].message
    assert mistakes[0].path[: len(path) - 1] == path[: len(mistakes[0].path)][: len(path) - 1]


def test_each_of_several_mistakes_is_found():
    example = EXAMPLES["argoproj.io/v1alpha1", "Rollout"]
    wrong = changed(changed(example, ("spec", "replicas"), "4"), ("spec", "stratgy"), {})
    assert [str(mistake) for mistake in check(wrong)] == [
        'spec.replicas: must be a whole number, not the string "4"',
        "spec.stratgy: is not a known field; did you mean `strategy`?",
    ]


def test_bad_key_of_a_map_is_named():
    example = EXAMPLES["v1", "ConfigMap"]
    (mistake,) = check(changed(example, ("data", "a b"), "x"))
    assert mistake.path == ("data", "a b")
    assert (
        mistake.message == "is not a valid key: it must be a name made of letters, digits, '-', '_' and '.'"
    )


@pytest.mark.parametrize(
    ("path", "sort"),
    [(("spec", "replicas"), "null"), (("spec", "template", "spec", "containers"), "missing")],
)
def test_null_is_as_good_as_nothing(path, sort):
    (mistake,) = check(changed(EXAMPLES["argoproj.io/v1alpha1", "Rollout"], path, None))
    assert (mistake.path, mistake.sort) == (path, sort)


def test_what_kubectl_create_prints_is_fine():
    service = EXAMPLES["v1", "Service"]
    printed = service | {
        "metadata": {**service["metadata"], "creationTimestamp": None},
        "status": {"loadBalancer": {}},
    }
    assert check(printed) == []


@pytest.mark.parametrize(
    ("obj", "sort"),
    [
        ({"apiVersion": "example.com/v1", "kind": "Thing"}, "unknown-kind"),
        ({"apiVersion": "v1"}, "missing"),
        ({"kind": "Service"}, "missing"),
        ({"apiVersion": 1, "kind": "Service"}, "missing"),
        ({}, "missing"),
    ],
)
def test_objects_without_a_table(obj, sort):
    (mistake,) = check(obj)
    assert isinstance(mistake, Mistake)
    assert mistake.sort == sort


def test_a_task_may_hold_a_whole_template_to_any_depth():
    example = EXAMPLES["argoproj.io/v1alpha1", "WorkflowTemplate"]
    path = ("spec", "templates", 0, "steps", 0, 1, "inline")
    deep = {
        "steps": [[{"name": "a", "inline": {"dag": {"tasks": [{"name": "b", "inline": {"suspend": {}}}]}}}]]
    }
    assert check(changed(example, path, deep)) == []
    inside = ("steps", 0, 0, "inline", "dag", "tasks", 0, "inline", "suspend", "durations")
    (mistake,) = check(changed(example, path, changed(deep, inside, "1s")))
    assert mistake.path == (*path, *inside)


def test_checking_changes_nothing():
    before = json.dumps(EXAMPLES["argoproj.io/v1alpha1", "Rollout"], sort_keys=True)
    check(EXAMPLES["argoproj.io/v1alpha1", "Rollout"])
    assert json.dumps(EXAMPLES["argoproj.io/v1alpha1", "Rollout"], sort_keys=True) == before


def test_only_the_parts_that_occur_are_compiled():
    code = (
        "import sys; from generator.lint.kinds import check, definitions; "
        "check({'apiVersion': 'v1', 'kind': 'Namespace', 'metadata': {'name': 'a'}}); "
        "print(definitions.node.cache_info().currsize); "
        "print(*(m for m in sys.modules if m.split('.')[0] in ('pydantic', 'kubernetes', 'yaml')))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    nodes, modules = done.stdout.split("\n")[:2]
    assert int(nodes) < 40
    assert modules == ""


ROLLOUT = EXAMPLES["argoproj.io/v1alpha1", "Rollout"]
NEWER = changed(
    ROLLOUT, ("spec", "strategy", "canary", "replicaProgressThreshold"), {"type": "Pods", "value": 1}
)


@pytest.mark.parametrize(
    ("version", "found"),
    [("1.10", 0), ("1.9", 0), ("1.8", 1), ("1.8.3", 1), ("1.7", 1), ("1.11", 0), ("2.0", 0)],
)
def test_a_version_can_be_named(version, found):
    assert len(check(NEWER, {"argo-rollouts": version})) == found


def test_an_unknown_field_is_reported_with_the_release_that_was_asked_for():
    (mistake,) = check(NEWER, {"argo-rollouts": "1.8"})
    assert mistake.message == "is not a field of argo-rollouts 1.8"


def test_versions_of_other_projects_do_not_count():
    assert check(NEWER, {"argo-cd": "1.8"}) == []


def test_an_object_is_fine_if_any_known_version_takes_it():
    flow = EXAMPLES["argoproj.io/v1alpha1", "Workflow"]
    path = ("spec", "templates", 1, "inputs", "artifacts", 0)
    plugin = {"name": "p", "configuration": "x", "key": "k"}  # new in 4.0
    newer = changed(flow, path, {"name": "data", "path": "/data", "plugin": plugin})
    older = changed(flow, ("spec", "synchronization"), {"mutex": {"name": "a"}})  # gone in 4.0
    assert check(newer) == check(older) == []
    assert [m.path for m in check(newer, {"argo-workflows": "3.7"})] == [(*path, "plugin")]
    assert [m.path for m in check(older, {"argo-workflows": "4.0"})] == [("spec", "synchronization", "mutex")]


def test_a_mistake_in_an_object_of_another_version_is_found_alone():
    flow = changed(
        EXAMPLES["argoproj.io/v1alpha1", "Workflow"], ("spec", "synchronization"), {"mutex": {"name": "a"}}
    )
    for typo in ("entrypont", "templats"):
        assert [m.path for m in check(changed(flow, ("spec", typo), "x"))] == [("spec", typo)]


@pytest.mark.parametrize("minor", sorted({minor for kind in KINDS.values() for minor in kind.roots}))
def test_every_version_takes_the_examples(minor):
    for (api_version, kind), example in EXAMPLES.items():
        entry = KINDS[api_version, kind]
        if minor in entry.roots:
            assert check(example, {entry.project: minor}) == [], kind


@pytest.mark.parametrize(
    ("kind", "path", "value"),
    [
        ("Rollout", (*MAIN, "resources", "limits", "cpu"), 0.5),
        ("Workflow", ("spec", "templates", 1, "container", "image"), "{{inputs.parameters.image}}"),
        ("Workflow", ("spec", "templates", 1, "container", "volumeMounts", 0, "name"), "{{workflow.name}}"),
        ("Workflow", ("spec", "templates", 0, "name"), "main"),
        ("Job", ("metadata",), {"generateName": "seed-"}),
        ("Pod", ("metadata",), {"generateName": "seed-"}),
        ("Pod", ("metadata",), {"generateName": "seed-", "name": "seed-x7k2q"}),  # as a cluster prints it
        (
            "AnalysisTemplate",
            ("spec", "metrics", 2, "provider", "job", "metadata", "labels"),
            {"a": "{{args.b}}"},
        ),
    ],
)
def test_what_an_api_server_takes_is_fine(kind, path, value):
    example = next(doc for (_, name), doc in EXAMPLES.items() if name == kind)
    assert check(changed(example, path, value)) == []


@pytest.mark.parametrize("kind", ["Workflow", "AnalysisTemplate", "ApplicationSet"])
def test_a_placeholder_in_the_name_of_an_object_is_refused(kind):
    example = next(doc for (_, name), doc in EXAMPLES.items() if name == kind)
    assert [m.path for m in check(changed(example, ("metadata", "name"), "{{x}}"))] == [("metadata", "name")]


@pytest.mark.parametrize("value", [2**31, -(2**31) - 1, 2**70])
def test_a_number_must_fit(value):
    assert [m.path for m in check(changed(ROLLOUT, ("spec", "replicas"), value))] == [("spec", "replicas")]
    assert check(changed(ROLLOUT, ("spec", "replicas"), 2**31 - 1)) == []
