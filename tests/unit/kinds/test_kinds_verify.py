"""The engine of `sluice verify`: what it finds in trees of files, where it points, what it did not check."""

from __future__ import annotations

import copy
import importlib.util
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from generator.render.kinds import clients
from generator.render.kinds.codes import CODES, Issue
from generator.render.kinds.objects import Document, object_of
from generator.render.verify import verify

EXAMPLES = {
    doc["kind"]: doc
    for doc in yaml.load_all(
        Path(__file__).with_name("examples.yaml").read_text(encoding="utf-8"), yaml.CSafeLoader
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
spec: {metrics: [{name: ctr, interval: 1m, provider: {prometheus: {query: up}}}]}
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


@pytest.fixture
def tree(tmp_path):
    """Writes files below a folder and verifies it; gives codes, places and messages."""

    def write(files: dict[str, str | bytes]) -> list[tuple[str, str, str]]:
        for name, content in files.items():
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return [(f.code, str(f.place), f.message) for f in verify(tmp_path).findings]

    return write


def edited(name: str, old: str, new: str) -> dict[str, str]:
    assert old in BUNDLE[name]
    return BUNDLE | {name: BUNDLE[name].replace(old, new)}


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
        "VER150",
        "rollout.yaml:9:22",
    ),
    (
        "rollout.yaml",
        "templateName: digits-background",
        "templateName: digits-bg",
        "VER150",
        "rollout.yaml:10:45",
    ),
    ("rollout.yaml", "httpRoute: digits", "httpRoute: digit", "VER150", "rollout.yaml:12:57"),
    ("rollout.yaml", "{name: digits-env}", "{name: digits-env2}", "VER150", "rollout.yaml:20:43"),
    ("rollout.yaml", "memory: 1Gi", "memory: 3Gi", "VER130", "rollout.yaml:21:42"),
    ("service-stable.yaml", "app: digits", "app: digit", "VER152", "service-stable.yaml:4:8"),
    ("service-stable.yaml", "targetPort: http", "targetPort: grpc", "VER153", "service-stable.yaml:4:76"),
    (
        "httproute.yaml",
        "name: digits-canary, port: 80",
        "name: digits-canary, port: 81",
        "VER153",
        "httproute.yaml:9:39",
    ),
    ("httproute.yaml", "name: digits-canary", "name: digits-canry", "VER150", "httproute.yaml:9:18"),
    ("httproute.yaml", "name: public", "name: private", "VER150", "httproute.yaml:5:23"),
    ("configmap.yaml", 'A: "1"', "A: yes", "VER113", "configmap.yaml:4:11"),
    ("gateway.yaml", "spec: {", "spec: {addresses: , ", "VER115", "gateway.yaml:4:8"),
]


@pytest.mark.parametrize(("file", "old", "new", "code", "place"), FLAWS)
def test_each_flaw_is_one_finding_at_its_place(tree, file, old, new, code, place):
    found = tree(edited(file, old, new))
    assert [(c, p) for c, p, _ in found] == [(code, place)]


def test_a_near_name_is_suggested(tree):
    ((_, _, message),) = tree(
        edited("rollout.yaml", "stableService: digits-stable", "stableService: digits-stabel")
    )
    assert message.endswith("did you mean digits-stable?")


def test_what_is_not_in_the_tree_is_only_noted(tree, tmp_path):
    tree({"rollout.yaml": ROLLOUT})
    findings = verify(tmp_path).findings
    assert {f.code for f in findings} == {"VER151"}
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
    assert [code for code, *_ in tree(files | {"external.yaml": external % "other"})] == ["VER150"]


def test_an_object_that_stands_twice(tree):
    ((code, place, message),) = tree(BUNDLE | {"z.yaml": CONFIG})
    assert (code, place) == ("VER140", "z.yaml:3:18")
    assert message == "ConfigMap shop/digits-env stands in configmap.yaml already"


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


@pytest.mark.parametrize(
    ("name", "content", "code", "place"),
    [
        ("a.yaml", b"a: \xff\n", "VER104", "a.yaml"),
        ("a.yaml", "a: [1\nb: 2\n", "VER105", "a.yaml:2:2"),
        ("a.yaml", "kind: A\nkind: B\n", "VER106", "a.yaml:2:1"),
        ("a.json", '{"kind": "A",\n "kind": "B"}', "VER106", "a.json"),
        ("a.json", "{", "VER105", "a.json:1:2"),
        ("a.yaml", "[" * 5000, "VER105", "a.yaml:1:129"),
        ("a.json", "[" * 100_000, "VER105", "a.json"),
        ("a.json", "[" * 200 + "]" * 200, "VER105", "a.json"),
        ("a.yaml", "a: &a [x,x,x,x,x,x,x,x,x]\n" + "".join(
            f"{chr(98 + n)}: &{chr(98 + n)} [{','.join([f'*{chr(97 + n)}'] * 9)}]\n" for n in range(9)
        ), "VER105", "a.yaml"),
        ("a.yaml", "a: *b\n", "VER105", "a.yaml:1:4"),
        ("a.yaml", "a: !!python/object/apply:os.getcwd []\n", "VER105", "a.yaml:1:4"),
    ],
    ids=lambda value: repr(value)[:24],
)  # fmt: skip
def test_a_file_that_cannot_be_read_is_a_finding(tree, name, content, code, place):
    ((found, where, _),) = tree({name: content})
    assert (found, where) == (code, place)


def test_a_large_file_is_not_read(tree):
    ((code, _, message),) = tree({"a.yaml": b"#" * (8 * 1024 * 1024 + 1)})
    assert code == "VER103"
    assert "at most 8388608 are read" in message


def test_links_and_special_files_are_reported_and_not_followed(tree, tmp_path):
    outside = tmp_path / "real"
    outside.mkdir()
    (tmp_path / "folder").symlink_to(outside)
    (tmp_path / "link.yaml").symlink_to("/etc/passwd")
    os.mkfifo(tmp_path / "pipe.yaml")
    assert [(code, place) for code, place, _ in tree({})] == [
        ("VER102", "folder"),
        ("VER102", "link.yaml"),
        ("VER101", "pipe.yaml"),
    ]


def test_a_missing_folder_is_a_finding(tmp_path):
    (finding,) = verify(tmp_path / "nowhere").findings
    assert finding.code == "VER101"


def test_other_yaml_is_ignored_with_a_note(tree, tmp_path):
    assert (
        tree({"values.yaml": "a: 1\n", "list.yaml": "- a\n", "empty.yaml": "", "notes.txt": "kind: x"}) == []
    )
    assert verify(tmp_path).unchecked == (
        "empty.yaml holds no Kubernetes object",
        "list.yaml holds no Kubernetes object",
        "values.yaml holds no Kubernetes object",
    )


def test_an_unknown_kind_is_noted(tree, tmp_path):
    ((code, place, _),) = tree({"a.yaml": "apiVersion: example.com/v1\nkind: Thing\nmetadata: {name: a}\n"})
    assert (code, place) == ("VER110", "a.yaml:2:7")
    assert "example.com/v1 Thing (1 in the tree)" in verify(tmp_path).unchecked[0]


def test_documents_and_lists_are_opened(tree):
    several = CONFIG + "---\n" + CONFIG.replace("digits-env", "b").replace("\ndata:", "\ndat:")
    listed = (
        "apiVersion: v1\nkind: List\nitems:\n- apiVersion: v1\n  kind: Namespace\n  metadata: {name: A}\n"
    )
    found = tree({"a.yaml": several, "b.yaml": listed, "c.json": '{"kind": "Namespace", "apiVersion": "v1"}'})
    assert [(code, place) for code, place, _ in found] == [
        ("VER111", "a.yaml:9:1"),
        ("VER114", "b.yaml:6:20"),
        ("VER112", "c.json:1:1"),
    ]


def test_words_are_read_as_kubernetes_reads_them(tree):
    text = CONFIG.replace('A: "1"', "A: on, B: 012, C: 1_000, D: 2026-11-23, E: 12:30:45, F: yes-or-no")
    found = tree({"a.yaml": text})
    assert [message.partition(":")[0] for _, _, message in found] == ["data.A", "data.B", "data.C"]


def test_merge_keys_are_resolved(tree):
    text = "apiVersion: v1\nkind: ConfigMap\nmetadata: &m {name: a}\ndata: {<<: *m, k: v}\n"
    assert tree({"a.yaml": text}) == []


def test_excerpt_and_hint_come_with_a_finding(tree, tmp_path):
    tree(edited("rollout.yaml", "memory: 1Gi", "memory: 1 Gi"))
    (finding,) = verify(tmp_path).findings
    assert finding.excerpt.strip() == "resources: {requests: {memory: 1 Gi}, limits: {memory: 2Gi}}"
    assert finding.hint == CODES["VER114"].hint
    assert finding.path == "spec.template.spec.containers[0].resources.requests.memory"


def test_rules_of_the_caller_come_in_and_replace_ours(tree, tmp_path):
    tree(edited("rollout.yaml", "stableService: digits-stable", "stableService: digits-stabel"))
    seen = []

    def rule(documents):
        seen.extend(document.file for document in documents)
        (document,) = [d for d in documents if d.body["kind"] == "Rollout"]
        path = ("spec", "strategy", "canary", "stableService")
        yield Issue(document, path, "ROL201", "error", "no such Service", "add it")

    found = verify(tmp_path, [rule]).findings
    assert [(f.code, str(f.place)) for f in found] == [("ROL201", "rollout.yaml:9:22")]
    assert sorted(seen) == sorted(BUNDLE)


def test_all_examples_are_fine_to_the_clients(tmp_path):
    for kind, document in EXAMPLES.items():
        (tmp_path / f"{kind}.yaml").write_text(yaml.safe_dump(document))
    assert [f for f in verify(tmp_path).findings if f.code in ("VER120", "VER121")] == []


@pytest.mark.parametrize(
    ("kind", "path", "value", "code"),
    [
        ("Service", ("spec", "evilField"), 1, "VER120"),
        ("Service", ("spec", "ports", 0, "port"), "80", "VER120"),
        (
            "Rollout",
            ("spec", "template", "spec", "containers", 0, "livenessProbe", "httpGet"),
            {"port": []},
            "VER120",
        ),
        ("Workflow", ("spec", "entrypoint"), 3, "VER121"),
        ("Workflow", ("spec", "evilField"), 3, "VER121"),
        ("Workflow", ("spec", "templates", 1, "container", "evilField"), "x", "VER121"),
        ("Workflow", ("spec", "templates"), {}, "VER121"),
        ("Workflow", ("metadata",), ..., "VER121"),
    ],
)
def test_the_clients_are_really_asked(kind, path, value, code):
    body = copy.deepcopy(EXAMPLES[kind])
    holder = body
    for step in path[:-1]:
        holder = holder[step]
    if value is ...:
        del holder[path[-1]]
    else:
        holder[path[-1]] = value
    item = object_of(Document("a.yaml", 0, body))
    ask = clients.kubernetes_flaws if code == "VER120" else clients.workflow_flaws
    flaws = list(ask(item))
    assert flaws
    assert all(found[: len(path)] == path[: len(found)] for found, _ in flaws)


def test_a_missing_extra_is_said(tree, tmp_path, monkeypatch):
    real = importlib.util.find_spec
    monkeypatch.setattr(
        clients, "find_spec", lambda name: None if name in ("kubernetes", "argo_workflows") else real(name)
    )
    flow = yaml.safe_dump(EXAMPLES["CronWorkflow"])
    assert [
        code for code, *_ in tree({"service.yaml": SERVICE % "a", "flow.yaml": flow}) if code == "VER120"
    ] == []
    assert verify(tmp_path).unchecked == (
        "1 object was not checked with the models of the kubernetes package: install sluicegate[kubernetes]",
        (
            "1 object was not checked with the models of the argo_workflows package: "
            "install sluicegate[workflows]"
        ),
    )


def test_the_clients_are_imported_only_when_asked(tmp_path):
    (tmp_path / "a.yaml").write_text(TEMPLATE)
    code = (
        "import sys, pathlib; from generator.render.verify import verify; "
        f"verify(pathlib.Path({str(tmp_path)!r})); print(*(m for m in sys.modules if '.' not in m))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert {"kubernetes", "argo_workflows", "pydantic"}.isdisjoint(done.stdout.split())


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


def example(kind: str, path: tuple[str | int, ...], value: object) -> dict[str, str]:
    """The file of an example of which one value is another."""
    body = copy.deepcopy(EXAMPLES[kind])
    holder = body
    for step in path[:-1]:
        holder = holder[step]
    holder[path[-1]] = value
    return {f"{kind.lower()}.yaml": yaml.safe_dump(body)}


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
        "digits-mirror.shop.svc.cluster.local",
        "digits-mirror",
    ),
    ("TraefikService", ("spec", "weighted", "services", 1, "name"), "digits-cana", "Service digits-cana"),
    ("HorizontalPodAutoscaler", ("spec", "scaleTargetRef", "name"), "digit", "Rollout digit"),
    ("ScaledObject", ("spec", "scaleTargetRef", "name"), "digit", "Rollout digit"),
    (
        "HTTPRoute",
        ("spec", "rules", 0, "filters", 0, "requestMirror", "backendRef", "name"),
        "x",
        "Service x",
    ),
    (
        "Job",
        ("spec", "template", "spec", "volumes"),
        [{"name": "a", "configMap": {"name": "x"}}],
        "ConfigMap x",
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
            "scrapes port metrics",
        ),
        ("ServiceMonitor", ("spec", "endpoints", 0, "port"), "metrics", "VER152", "selects no Service"),
        ("Deployment", ("spec", "selector", "matchLabels", "app"), "x", "VER152", "of its own template"),
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
