"""Rules and their contexts: where problems are, which versions count, and that no document breaks a rule."""

from __future__ import annotations

import copy
import subprocess
import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from generator.lint.objects import Object
from generator.lint.placement import Objects
from generator.lint.verification import run_rules as lint
from tests.unit.lint.rules.cases_syncs import POINTER, WEIGHTS, application, workflow
from tests.unit.lint.rules.samples import GONE, HASH, ROLLOUT, TEMPLATE, edit, metric, rollout, service, tree


def codes(problems):
    return {problem.code.code for problem in problems}


def test_a_problem_is_at_a_value_of_an_object():
    [found] = [
        p for p in lint(tree(service(), rollout(steps=[{"setWeight": 101}]))) if p.code.code == "ROL141"
    ]
    assert (found.object.file.name, found.object.index, str(found.object)) == (
        "all.yaml",
        1,
        "Rollout shop/model",
    )
    assert found.path == ("spec", "strategy", "canary", "steps", 0, "setWeight")
    assert found.severity == "error"


def test_a_kind_of_another_group_is_another_kind():
    knative = {**service(), "apiVersion": "serving.knative.dev/v1"}
    objects = Objects(Object.read(body) for body in (ROLLOUT, TEMPLATE, knative, {"kind": "Rollout"}))
    assert [item.name for item in objects.of_kind("Rollout", "Service", "AnalysisTemplate")] == [
        "model",
        "quality",
    ]
    assert len(objects.all) == 4


def test_a_document_without_a_namespace_belongs_to_its_neighbours():
    objects = tree(edit(service(), {"metadata": {"name": "model-stable"}}))
    assert objects.find("Service", "shop", "model-stable") is not None
    assert tree(service()).find("Service", "other", "model-stable") is None


def test_arguments_are_filled_in_before_a_metric_is_judged():
    argument = {"name": "limit", "value": "9"}
    step = {"analysis": {"templates": [{"templateName": "quality"}], "args": [HASH, argument]}}
    template = edit(metric(failureLimit="{{args.limit}}"), {"spec/args/+": {"name": "limit"}})
    assert "ANA401" not in codes(lint(tree(template)))
    assert "ANA401" in codes(lint(tree(rollout(steps=[{"setWeight": 5}, step]), template)))


def test_the_same_problem_is_said_once():
    step = {"analysis": {"templates": [{"templateName": "quality"}], "args": [HASH]}}
    problems = lint(tree(rollout(steps=[{"setWeight": 5}, step, step]), metric(failureLimit=5)))
    assert [p.code.code for p in problems if p.code.code.startswith("ANA4")] == ["ANA401"]


def test_the_version_decides():
    mirrored = rollout(steps=[{"setMirrorRoute": {"name": "r"}}])
    mirrored["spec"]["strategy"]["canary"]["trafficRouting"]["managedRoutes"] = [{"name": "r"}]
    assert codes(lint(tree(mirrored), controller="1.9")) & {"ROL146", "CAP501"} == {"ROL146"}
    assert codes(lint(tree(mirrored), controller="1.10")) & {"ROL146", "CAP501"} == {"CAP501"}
    assert codes(lint(tree(mirrored))) >= {"ROL146", "CAP501"}


JUNK = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-2, 200)
    | st.text("a{}.5%", max_size=4)
    | st.floats()
    | st.just("{{args.hash}}"),
    lambda inner: (
        st.lists(inner, max_size=2)
        | st.dictionaries(st.sampled_from(["name", "canary", "a", 1, True]), inner)
    ),
    max_leaves=4,
)


def places(value, path=()):
    """Every path of a document, leaves and branches."""
    yield path
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in items:
        yield from places(inner, (*path, key))


APPLICATION = application("ServerSideApply=true", "RespectIgnoreDifferences=true", ignored=[POINTER, WEIGHTS])
BODIES = [ROLLOUT, TEMPLATE, APPLICATION, workflow("-1", hook="Sync"), service()]
PLACES = [(i, path) for i, body in enumerate(BODIES) for path in places(body) if path[:1] == ("spec",)]
PLACES += [(3, path) for path in places(BODIES[3]) if path[:2] == ("metadata", "annotations")]


@settings(deadline=None, max_examples=300)
@given(st.lists(st.tuples(st.sampled_from(PLACES), JUNK), min_size=1, max_size=3))
def test_no_document_makes_it_stumble(changes):
    bodies = copy.deepcopy(BODIES)
    for (document, path), junk in changes:
        at = bodies[document]
        for part in path[:-1]:
            at = (
                at.get(part)
                if isinstance(at, dict)
                else at[part]
                if isinstance(at, list) and part in range(len(at))
                else None
            )
        if isinstance(at, dict) or (isinstance(at, list) and path[-1] in range(len(at))):
            at[path[-1]] = junk
    objects = tree(*bodies, file="shop/model/all.yaml")
    assert lint(objects) == lint(objects)


def test_nothing_heavy_is_imported():
    heavy = ["pydantic", "jinja2", "kubernetes", "scipy", "numpy", "click"]
    script = (
        "import sys; from generator.lint.engine import load; load('generator.lint.rules'); "
        f"print(*(m for m in {heavy} if m in sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.split() == []


LENIENT = "len(result) == 0 || len(result) == 1 && result[0] < 5"
ENOUGH = "len(result) == 1 && result[0] >= 1000"
COUNTS = 'sum(increase(clicks_total{hash="{{args.hash}}"}[1h]))'


def named(name, condition, query=COUNTS):
    body = metric({"provider/prometheus/query": query}, successCondition=condition, failureCondition="false")
    return edit(
        body, {"metadata/name": name, **({"spec/metrics/0/count": GONE} if condition == LENIENT else {})}
    )


def asks(name):
    return {"analysis": {"templates": [{"templateName": name}], "args": [HASH]}}


def watched(*steps, **canary):
    watch = {"analysis": {"templates": [{"templateName": "watch"}], "args": [HASH]}}
    return rollout(steps=list(steps), canary={**watch, **canary})


TEN, FIFTY = {"setWeight": 10}, {"setWeight": 50}


@pytest.mark.parametrize(
    ("reported", "steps"),
    [
        (False, [TEN, asks("enough"), FIFTY, asks("enough")]),
        (False, [{"setWeight": 0}, TEN, {"pause": {"duration": "10m"}}, asks("enough")]),
        (True, [TEN, asks("enough"), FIFTY]),
        (True, [TEN, FIFTY, asks("enough")]),
        (True, [TEN, asks("other"), FIFTY, asks("other")]),
        (True, [TEN, asks("lenient"), FIFTY, asks("lenient")]),
        (True, [TEN, {"pause": {}}]),
        (True, [TEN, {"analysis": {**asks("enough")["analysis"], "dryRun": [{"metricName": "errors"}]}}]),
    ],
)  # fmt: skip
def test_missing_data_may_pass_where_each_step_asks_for_enough_of_it(reported, steps):
    others = (
        named("enough", ENOUGH),
        named("lenient", LENIENT),
        named("other", ENOUGH, "sum(increase(views_total[1h]))"),
    )
    found = lint(tree(service(), watched(*steps), named("watch", LENIENT), *others))
    assert ("watch" in {p.object.name for p in found if p.code.code == "ANA410"}) is reported


def test_missing_data_may_pass_in_a_step_that_another_follows():
    steps = [{"setWeight": 0}, asks("watch"), asks("enough"), TEN]
    templates = named("watch", LENIENT), named("enough", ENOUGH)
    assert "ANA410" not in codes(lint(tree(service(), rollout(steps=steps), *templates)))
    backwards = [{"setWeight": 0}, asks("enough"), asks("watch"), TEN]
    assert "ANA410" in codes(lint(tree(service(), rollout(steps=backwards), *templates)))


def test_what_one_rollout_asks_for_helps_no_other():
    other = edit(rollout(steps=[TEN]), {"metadata/name": "second"})
    other["spec"]["strategy"]["canary"]["analysis"] = watched()["spec"]["strategy"]["canary"]["analysis"]
    templates = named("watch", LENIENT), named("enough", ENOUGH)
    assert "ANA410" not in codes(lint(tree(watched(TEN, asks("enough")), *templates)))
    assert "ANA410" in codes(lint(tree(watched(TEN, asks("enough")), other, *templates)))
