"""Rules on Workflows, and the `depends` expressions of their tasks."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from generator.lint.conditions import depends
from generator.lint.objects import Object
from generator.lint.placement import Objects
from generator.lint.verification import run_rules

GATE = {
    "name": "gate",
    "inputs": {"parameters": [{"name": "metric"}, {"name": "least", "default": "0"}]},
    "outputs": {"parameters": [{"name": "evidence", "valueFrom": {"path": "/e"}}]},
    "container": {
        "image": "gate:1",
        "args": ["{{inputs.parameters.metric}}", "{{workflow.parameters.model}}"],
    },
}
VERDICT = {"name": "verdict", "inputs": {"parameters": [{"name": "e"}]}, "container": {"image": "verdict:1"}}
TAKES = {"parameters": [{"name": "e", "value": "{{tasks.a.outputs.parameters.evidence}}"}]}


def gate(name, **more):
    return {
        "name": name,
        "template": "gate",
        "arguments": {"parameters": [{"name": "metric", "value": "x"}]},
        **more,
    }


def flow(*tasks, templates=(GATE, VERDICT), **spec):
    main = {"name": "main", "dag": {"tasks": list(tasks)}}
    return {
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "Workflow",
        "metadata": {"name": "gates"},
        "spec": {
            "entrypoint": "main",
            "arguments": {"parameters": [{"name": "model"}]},
            "templates": [main, *templates],
            **spec,
        },
    }


def issues(*bodies):
    found = run_rules(Objects(Object.read(body) for body in bodies))
    return [(violation.code.code, violation.problem.message) for violation in found]


def verdict(expression, arguments=TAKES):
    return {"name": "verdict", "template": "verdict", "depends": expression, "arguments": arguments}


def test_good_flow():
    assert issues(flow(gate("a"), verdict("a.Succeeded || a.Failed"))) == []


@pytest.mark.parametrize(
    ("tasks", "spec", "code", "words"),
    [
        ([gate("a", template="gat")], {}, "VER160", "no template `gat`; did you mean `gate`?"),
        ([gate("a")], {"entrypoint": "man"}, "VER160", "no template `man`; did you mean `main`?"),
        ([gate("a")], {"entrypoint": ""}, "VER160", "no entrypoint"),
        ([gate("a")], {"onExit": "bye"}, "VER160", "no template `bye`"),
        ([gate("a", hooks={"exit": {"template": "bye"}})], {}, "VER160", "no template `bye`"),
        ([gate("a"), gate("b", dependencies=["x"])], {}, "VER161", "waits for `x`"),
        ([gate("a"), gate("b", depends="a.Succeded")], {}, "VER161", "`Succeded` is not a result"),
        ([gate("a"), gate("b", depends="a &&")], {}, "VER161", "unexpected end"),
        ([gate("a"), gate("b", depends="(a")], {}, "VER161", "unexpected end"),
        ([gate("a"), gate("b", depends="a ? b")], {}, "VER161", "unexpected end"),
        ([gate("a"), gate("b", depends="a == true")], {}, "VER161", "only tasks, their results"),
        ([gate("a"), gate("b", depends="2nd")], {}, "VER161", "bad number 2n"),
        ([gate("a", depends="b"), gate("b", depends="a")], {}, "VER162", "a needs b needs a"),
        ([gate("a", dependencies=["a"])], {}, "VER162", "a needs a"),
        ([gate("a"), gate("a")], {}, "VER165", "two tasks named `a`"),
        ([gate("a")], {"arguments": {}}, "VER163", "`{{workflow.parameters.model}}` is not declared"),
        ([gate("a", when="{{workflow.parameters.modl}} == 1")], {}, "VER163", "did you mean `model`?"),
        ([gate("a", when="{{inputs.parameters.x}} == 1")], {}, "VER163", "the inputs of the template `main`"),
        ([gate("a", arguments={})], {}, "VER164", "`a` calls `gate` without its parameter `metric`"),
        ([gate("a"), gate("b", when="{{tasks.a.outputs.parameters.x}}")], {}, "VER163", "outputs of"),
        ([gate("a", when="{{tasks.z.outputs.parameters.x}}")], {}, "VER161", "names `z`, which is not a task"),
        ([{"name": "a", "templateRef": {"name": "b", "template": "t"}}], {}, "VER151", "is not in the tree"),
    ],
)  # fmt: skip
def test_each_flaw_is_one_issue(tasks, spec, code, words):
    ((found, message),) = issues(flow(*tasks, **spec))
    assert found == code
    assert words in message


def test_a_template_of_another_object_is_looked_up():
    other = flow(gate("a"))
    other |= {"kind": "WorkflowTemplate", "metadata": {"name": "other"}}
    good = {"name": "a", "templateRef": {"name": "other", "template": "verdict"}}
    bad = {"name": "a", "templateRef": {"name": "other", "template": "judge"}}
    assert issues(flow(good), other) == []
    assert issues(flow(bad), other) == [("VER160", "WorkflowTemplate other has no template `judge`")]


@pytest.mark.parametrize(
    ("expression", "arguments", "swallowed"),
    [
        ("a.Succeeded || a.Failed", TAKES, False),
        ("a.Succeeded || a.Failed", {"parameters": [{"name": "e", "value": "1"}]}, True),
        ("a.Failed", {"parameters": [{"name": "e", "value": "1"}]}, True),
        ("!a.Succeeded", {"parameters": [{"name": "e", "value": "1"}]}, True),
        ("a.Succeeded", {"parameters": [{"name": "e", "value": "1"}]}, False),
        ("a", {"parameters": [{"name": "e", "value": "1"}]}, False),
        ("a.Succeeded || a.Failed", {"parameters": [{"name": "e", "value": "{{tasks.a.status}}"}]}, False),
    ],
)
def test_a_failure_that_nobody_looks_at_is_found(expression, arguments, swallowed):
    found = issues(flow(gate("a"), verdict(expression, arguments)))
    assert [code for code, _ in found] == (["VER166"] if swallowed else [])


def test_one_strict_successor_is_enough():
    ignoring = verdict("a.Succeeded || a.Failed", {"parameters": [{"name": "e", "value": "1"}]})
    assert issues(flow(gate("a"), ignoring, gate("b", depends="a.Succeeded"))) == []


def test_cron_workflows_and_references_are_looked_into():
    inner = flow(gate("a", template="gat"))["spec"]
    cron = {**flow(), "kind": "CronWorkflow", "spec": {"schedules": ["@daily"], "workflowSpec": inner}}
    assert [code for code, _ in issues(cron)] == ["VER160"]
    borrowed = {**flow(), "spec": {"workflowTemplateRef": {"name": "x"}, "entrypoint": "there"}}
    assert [code for code, _ in issues(borrowed)] == ["VER151"]


OUTCOMES = ["Succeeded", "Failed", "Errored", "Skipped", "Omitted", "Daemoned"]
NAMES = ["a", "b-c", "d_1"]
ATOMS = st.sampled_from(NAMES) | st.builds("{}.{}".format, st.sampled_from(NAMES), st.sampled_from(OUTCOMES))
EXPRESSIONS = st.recursive(
    ATOMS,
    lambda inner: (
        st.builds("({} && {})".format, inner, inner)
        | st.builds("({} || {})".format, inner, inner)
        | st.builds("!{}".format, inner)
        | st.builds("{}&&{}".format, inner, ATOMS)
        | st.builds("{} || {}".format, inner, ATOMS)
    ),
    max_leaves=8,
)


def oracle(expression: str, results: dict[str, str]) -> bool:
    """The same by Python's own parser: `not` binds stronger than `and`, `and` stronger than `or`."""

    def value(match: re.Match[str]) -> str:
        task, _, wanted = match[0].partition(".")
        return str(
            results[task] == wanted if wanted else results[task] in ("Succeeded", "Skipped", "Daemoned")
        )

    text = re.sub(r"[A-Za-z0-9_][-\w]*(\.\w+)?", value, expression)
    return bool(eval(text.replace("&&", " and ").replace("||", " or ").replace("!", " not ")))


@given(EXPRESSIONS, st.fixed_dictionaries({name: st.sampled_from(OUTCOMES) for name in NAMES}))
def test_depends_means_what_python_says(expression, results):
    assert depends.runs(expression, results) == oracle(expression, results)


@given(EXPRESSIONS)
def test_tasks_of_an_expression(expression):
    assert set(depends.tasks_of(expression)) == set(
        re.findall(r"a|b-c|d_1", re.sub(r"\.\w+", "", expression))
    )
