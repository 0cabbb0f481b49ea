"""Verification of a whole bundle: what is found, where it points, what was not checked."""

from __future__ import annotations

import copy
import json
import tempfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from generator.lint import values
from generator.lint.engine import CODES, Problem
from generator.lint.verification import Violation, verify
from tests.unit.lint.bundle import BUNDLE, CONFIG, EXAMPLES, ROLLOUT, ROUTE, SERVICE, edited


def test_good_bundle_has_no_finding(tree, tmp_path):
    assert tree(BUNDLE) == []
    assert verify(tmp_path).unchecked == ()
    assert (verify(tmp_path).files, verify(tmp_path).objects) == (7, 7)


def test_one_file_can_be_verified(tmp_path):
    path = tmp_path / "service.yaml"
    path.write_text((SERVICE % "a").replace("port: 80", "prot: 80"))
    codes = {(f.code, f.place.file, f.path) for f in verify(path).findings if f.severity == "error"}
    assert codes == {
        ("VER111", "service.yaml", "spec.ports[0].prot"),
        ("VER112", "service.yaml", "spec.ports[0].port"),
    }


FLAWS = [
    ("service-canary.yaml", "port: 80", "port: http80", "VER113", "service-canary.yaml:4:60"),
    (
        "rollout.yaml",
        "stableService: digits-stable",
        "stableService: digits-stabel",
        "ROL201 ROL216",
        "rollout.yaml:9:22",
    ),
    (
        "rollout.yaml",
        "templateName: digits-background",
        "templateName: digits-backgroud",
        "ROL209",
        "rollout.yaml:10:45",
    ),
    ("rollout.yaml", "httpRoute: digits", "httpRoute: digit", "ROL201", "rollout.yaml:12:57"),
    ("rollout.yaml", "{name: digits-env}", "{name: digits-env2}", "VER150", "rollout.yaml:20:43"),
    ("rollout.yaml", "memory: 1Gi", "memory: 3Gi", "VER130", "rollout.yaml:21:42"),
    ("service-stable.yaml", "app: digits", "app: digit", "ROL202", "rollout.yaml:9:22"),
    ("service-stable.yaml", "targetPort: http", "targetPort: grpc", "VER153", "service-stable.yaml:4:76"),
    (
        "httproute.yaml",
        "name: digits-canary, port: 80",
        "name: digits-canary, port: 81",
        "VER153",
        "httproute.yaml:9:39",
    ),
    ("httproute.yaml", "name: digits-canary", "name: digits-canry", "VER150 ROL216", "httproute.yaml:9:18"),
    ("httproute.yaml", "name: public", "name: pubic", "VER150", "httproute.yaml:5:23"),
    ("configmap.yaml", 'A: "1"', "A: yes", "VER113", "configmap.yaml:4:11"),
    ("gateway.yaml", "spec: {", "spec: {addresses: , ", "VER115", "gateway.yaml:4:8"),
]


@pytest.mark.parametrize(("file", "old", "new", "codes", "place"), FLAWS)
def test_each_flaw_is_found_at_its_place(tree, file, old, new, codes, place):
    found = tree(edited(file, old, new))
    assert sorted(code for code, *_ in found) == sorted(codes.split())
    assert place in [where for code, where, _ in found if code == codes.split()[0]]


def test_a_near_name_is_suggested(tree):
    found = tree(edited("rollout.yaml", "stableService: digits-stable", "stableService: digits-stabel"))
    (message,) = [message for code, _, message in found if code == "ROL201"]
    assert message.endswith("did you mean digits-stable?")


def test_what_is_not_in_the_tree_is_only_noted(tree, tmp_path):
    tree({"rollout.yaml": ROLLOUT})
    findings = verify(tmp_path).findings
    assert {f.code for f in findings} == {"VER151", "ROL220", "ROL221"}
    assert {f.severity for f in findings} == {"info"}
    assert len(findings) == 5


def test_an_external_secret_promises_its_secret(tree):
    secret = "apiVersion: v1\nkind: Secret\nmetadata: {name: other, namespace: shop}\n"
    external = (
        "apiVersion: external-secrets.io/v1\nkind: ExternalSecret\nmetadata: {name: x, namespace: shop}\n"
        "spec: {secretStoreRef: {name: vault}, target: {name: %s}}\n"
    )
    rollout = ROLLOUT.replace("configMapRef: {name: digits-env}", "secretRef: {name: token}")
    files = BUNDLE | {"rollout.yaml": rollout, "secret.yaml": secret}
    assert [code for code, *_ in tree(files | {"external.yaml": external % "token"})] == []
    assert [code for code, *_ in tree(files | {"external.yaml": external % "other"})] == ["VER151"]


def test_an_object_that_stands_twice(tree):
    ((code, place, message),) = tree(BUNDLE | {"z.yaml": CONFIG})
    assert (code, place) == ("VER140", "z.yaml:3:18")
    assert message == "ConfigMap shop/digits-env is already defined in configmap.yaml"


def test_namespaces_are_written_in_all_or_in_none(tree):
    bare = {name: text.replace(", namespace: shop}\n", "}\n") for name, text in BUNDLE.items()}
    assert tree(bare) == []
    ((code, _, _),) = tree(bare | {"configmap.yaml": CONFIG})
    assert code == "VER142"


def test_a_cluster_wide_object_needs_no_namespace(tree):
    ((code, place, _),) = tree(
        {"a.yaml": "apiVersion: v1\nkind: Namespace\nmetadata: {name: a, namespace: b}\n"}
    )
    assert (code, place) == ("VER141", "a.yaml:3:21")


def test_a_route_into_another_namespace_needs_a_grant(tree):
    route = ROUTE.replace("{name: digits-stable, ", "{name: digits-stable, namespace: other, ")
    other = (SERVICE % "stable").replace("namespace: shop", "namespace: other")
    grant = (
        "apiVersion: gateway.networking.k8s.io/v1beta1\nkind: ReferenceGrant\n"
        "metadata: {name: g, namespace: other}\n"
        "spec: {from: [{group: gateway.networking.k8s.io, kind: HTTPRoute, namespace: shop}], "
        'to: [{group: "", kind: Service}]}\n'
    )
    files = BUNDLE | {"httproute.yaml": route, "other/service.yaml": other}
    assert "VER154" in [code for code, *_ in tree(files)]
    assert "VER154" not in [code for code, *_ in tree(files | {"other/grant.yaml": grant})]


def test_excerpt_and_hint_come_with_a_finding(tree, tmp_path):
    tree(edited("rollout.yaml", "memory: 1Gi", "memory: 1 Gi"))
    (finding,) = verify(tmp_path).findings
    assert finding.excerpt.strip() == "resources: {requests: {memory: 1 Gi}, limits: {memory: 2Gi}}"
    assert (finding.code, finding.hint) == ("ROL114", CODES["ROL114"].remedy)
    assert finding.path == "spec.template.spec.containers[0].resources.requests.memory"


def test_a_check_from_outside_sees_every_object_and_adds_findings(tree, tmp_path):
    tree(BUNDLE)
    seen = []

    def check(objects):
        seen.extend(item.file.name for item in objects)
        (rollout,) = [item for item in objects if item.kind == "Rollout"]
        yield Violation(rollout, CODES["ROL201"], Problem(("spec", "strategy"), "no such Service", "add it"))

    (finding,) = verify(tmp_path, checks=[check]).findings
    assert (finding.code, str(finding.place), finding.hint) == ("ROL201", "rollout.yaml:6:3", "add it")
    assert sorted(seen) == sorted(BUNDLE)


@pytest.mark.parametrize(
    ("old", "new", "codes"),
    [
        ("interval: 1m", "interval: 1d", ["ANA304"]),  # a rule explains it, so the schema does not repeat it
        ("interval: 1m", "interval: 5", ["VER113"]),  # a rule would read a wrong type as absent
        ("interval: 1m", "interval: ", ["ANA424", "VER115"]),  # on two values: the metric, and the key
        ("interval: 1m", "intervall: 1m", ["ANA424", "VER111"]),
    ],
)
def test_one_mistake_is_one_finding(tree, old, new, codes):
    assert sorted(code for code, *_ in tree(edited("analysistemplate.yaml", old, new))) == codes


def test_a_type_error_is_reported_instead_of_what_a_rule_makes_of_it(tree):
    found = tree(edited("rollout.yaml", "progressDeadlineAbort: true", 'progressDeadlineAbort: "yes"'))
    assert [code for code, *_ in found] == ["VER113"]


def test_what_a_client_repeats_is_left_out(tree):
    found = tree(edited("service-canary.yaml", "port: 80", "port: http80"))
    assert [code for code, *_ in found] == ["VER113"]


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-5, 5)
    | st.text(max_size=4)
    | st.sampled_from(["main", "{{x}}", "a && b"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=6,
)


def paths(value, path=()):
    yield path
    for key, below in (
        value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    ):
        yield from paths(below, (*path, key))


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
def test_no_input_breaks_the_engine(data):
    """One or two values anywhere in a tree of all kinds are replaced by anything."""
    bodies = copy.deepcopy(EXAMPLES)
    for _ in range(data.draw(st.integers(1, 2))):
        kind = data.draw(st.sampled_from(sorted(bodies)))
        path = data.draw(st.sampled_from([path for path in paths(bodies[kind]) if path]))
        holder = bodies[kind]
        for step in path[:-1]:
            holder = holder[step]
        holder[path[-1]] = data.draw(JSON)
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "all.json").write_text(json.dumps({"kind": "List", "items": list(bodies.values())}))
        result = verify(Path(folder))
    assert all(finding.code in CODES and finding.message for finding in result.findings)


ODD_VALUES = (
    *(
        "²",
        "9" * 5000,
        "9" * 400 + "s",
        "9" * 5000 + "Gi",
        "0x_",
        "(" * 5000,
        "1 + " * 5000 + "1",
        "result[1e999] > 0",
    ),
    *(f"rate(up[{'9' * 5000}s]) > 1", r'up{a="\U00110000"} > 1', "(a+)+$", "result[0] > " + "9" * 5000),
)


def test_no_text_or_number_breaks_the_engine(tmp_path):
    """Every value of every kind of object in turn, three of each kind at a time."""
    leaves = {kind: [path for path in paths(body) if _is_leaf(body, path)] for kind, body in EXAMPLES.items()}
    for turn in range(0, max(map(len, leaves.values())), 3):
        bodies = copy.deepcopy(EXAMPLES)
        for number, (kind, found) in enumerate(leaves.items()):
            for place in range(turn, turn + 3):
                *parents, last = found[place % len(found)]
                holder = bodies[kind]
                for step in parents:
                    holder = holder[step]
                holder[last] = ODD_VALUES[(place + number) % len(ODD_VALUES)]
        (tmp_path / "all.json").write_text(json.dumps({"kind": "List", "items": list(bodies.values())}))
        assert verify(tmp_path).findings


def test_a_number_that_python_does_not_write_is_a_finding(tmp_path):
    config = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a, namespace: b}\n"
    (tmp_path / "config.yaml").write_text(f"{config}data: {{a: 0x{'f' * 5000}}}\n")
    assert [(found.code, found.path) for found in verify(tmp_path).findings] == [("VER113", "data.a")]


def test_the_yaml_parser_gets_no_text_that_takes_the_square_of_its_length(tmp_path, monkeypatch):
    parse, sizes = values.ryaml.load_all, []
    monkeypatch.setattr(
        values.ryaml, "load_all", lambda text: sizes.append(len(text.getvalue())) or parse(text)
    )
    (tmp_path / "deep.yaml").write_text("a: " + "[" * 100_000)
    assert [found.code for found in verify(tmp_path).findings] == ["VER105"]
    assert max(sizes) < 2000


def _is_leaf(body, path):
    for step in path:
        body = body[step]
    return not isinstance(body, (dict, list))


@pytest.mark.parametrize(("controller", "found"), [("any", 0), ("1.10", 0), ("1.9", 1)])
def test_fields_are_those_of_the_controller_that_must_accept_the_tree(tmp_path, controller, found):
    template = copy.deepcopy(EXAMPLES["AnalysisRun"])
    template["spec"]["metrics"][0]["provider"]["datadog"]["requestTimeout"] = "5s"  # new in 1.10
    (tmp_path / "run.json").write_text(json.dumps(template))
    findings = [finding for finding in verify(tmp_path, controller).findings if finding.code == "VER111"]
    assert len(findings) == found
    assert all("requestTimeout: is not a field of argo-rollouts 1.9;" in f.message for f in findings)
