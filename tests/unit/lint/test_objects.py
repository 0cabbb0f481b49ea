"""Objects: label selectors, the index of a tree, and places in files."""

from __future__ import annotations

import pytest

from generator.lint.objects import File, Object, selects
from generator.lint.placement import Objects

LABELS = {"app": "model"}


def term(operator, *values, key="app"):
    return {"matchExpressions": [{"key": key, "operator": operator, "values": list(values)}]}


@pytest.mark.parametrize(
    ("selector", "matches"),
    [
        ({}, True),
        ({"matchLabels": {"app": "model"}}, True),
        ({"matchLabels": {"app": "other"}}, False),
        ({"matchLabels": {"tier": "web"}}, False),
        (term("In", "model", "b"), True),
        (term("In", "b"), False),
        (term("In", "web", key="tier"), False),
        (term("NotIn", "model"), False),
        (term("NotIn", "b"), True),
        (term("NotIn", "web", key="tier"), True),  # an object without the label matches
        (term("Exists"), True),
        (term("Exists", key="tier"), False),
        (term("DoesNotExist"), False),
        (term("DoesNotExist", key="tier"), True),
        ({"matchLabels": {"app": "model"}, **term("NotIn", "model")}, False),
    ],
)
def test_a_selector_matches_as_kubernetes_says(selector, matches):
    assert selects(selector, LABELS) is matches


def named(name, namespace="", kind="Service", api_version="v1"):
    metadata = {"name": name, **({"namespace": namespace} if namespace else {})}
    return Object.read({"apiVersion": api_version, "kind": kind, "metadata": metadata})


def test_an_exact_namespace_comes_before_one_that_is_not_written():
    loose, exact = named("a"), named("a", "shop")
    objects = Objects([loose, exact])
    assert objects.get("", "Service", "shop", "a") is exact
    assert objects.get("", "Service", "other", "a") is loose
    assert Objects([exact]).get("", "Service", "other", "a") is None
    assert Objects([exact]).get("", "Service", "", "a") is exact


def test_a_kind_is_found_in_every_group_it_belongs_to():
    old = named("a", "shop", "TraefikService", "traefik.containo.us/v1alpha1")
    knative = named("b", "shop", "Service", "serving.knative.dev/v1")
    objects = Objects([old, knative])
    assert objects.find("TraefikService", "shop", "a") is old
    assert objects.find("Service", "shop", "b") is None
    assert objects.get("traefik.io", "TraefikService", "shop", "a") is None


def test_the_place_of_a_value_is_that_of_its_nearest_parent():
    file = File("a.yaml", "kind: List\nitems:\n- kind: Pod\n  spec: {a: 1}\n")
    item = Object.read({"kind": "Pod", "spec": {"a": 1}}, file, 0, ("items", 0))
    assert str(item.place(("spec", "a"))) == "a.yaml:4:13"
    assert str(item.place(("spec", "a"), key=True)) == "a.yaml:4:10"
    assert str(item.place(("spec", "b", "c"))) == "a.yaml:4:3"
    assert item.excerpt(4) == "  spec: {a: 1}"
    assert str(Object.read({"kind": "Pod"}).place(("spec",))) == ""


def test_an_object_shows_the_beginning_of_a_generated_name():
    body = {"kind": "Workflow", "metadata": {"generateName": "gates-", "namespace": "shop"}}
    assert (Object.read(body).name, str(Object.read(body))) == ("", "Workflow shop/gates-")
