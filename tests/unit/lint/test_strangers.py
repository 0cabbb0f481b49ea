"""Trees as other people write them: what is right and must stay silent, and what is wrong and must be found."""

from __future__ import annotations

import pytest

from generator.lint.verification import verify

POD = """\
    metadata: {labels: {app: APP}}
    spec:
      terminationGracePeriodSeconds: 60
      containers:
        - name: web
          image: registry.example/web:4
          ports: [{name: http, containerPort: 8080}]
          resources: {requests: {cpu: 100m, memory: 64Mi}}
          lifecycle: {preStop: {sleep: {seconds: 5}}}
"""
META = "metadata: {name: NAME, namespace: store}"


def rollout(strategy, name="till", namespace="store", app="", replicas=4):
    return (
        f"apiVersion: argoproj.io/v1alpha1\nkind: Rollout\nmetadata: {{name: {name}, namespace: {namespace}}}\n"
        f"spec:\n  replicas: {replicas}\n  progressDeadlineAbort: true\n"
        f"  selector: {{matchLabels: {{app: {app or name}}}}}\n  template:\n{POD.replace('APP', app or name)}"
        f"  strategy:\n    {strategy}\n---\n"
    )


def thing(kind, name, body, api="v1", namespace="store", **more):
    extra = "".join(f", {key}: {value}" for key, value in more.items())
    where = f", namespace: {namespace}" if namespace else ""
    return f"apiVersion: {api}\nkind: {kind}\nmetadata: {{name: {name}{where}{extra}}}\n{body}\n---\n"


def service(name, app="till", port="http", namespace="store"):
    spec = f"spec: {{selector: {{app: {app}}}, ports: [{{name: http, port: 80, targetPort: {port}}}]}}"
    return thing("Service", name, spec, namespace=namespace)


def workload(kind, name="queue", extra=""):
    return (
        f"apiVersion: apps/v1\nkind: {kind}\nmetadata: {{name: {name}, namespace: store}}\nspec:\n"
        f"  selector: {{matchLabels: {{app: {name}}}}}\n{extra}  template:\n{POD.replace('APP', name)}---\n"
    )


STEPS = "canary: {steps: [{setWeight: 50}, {pause: {}}]}"
TILL = rollout(STEPS) + service("till")
BUDGET = thing(
    "PodDisruptionBudget",
    "queue",
    "spec: {maxUnavailable: 1, selector: {matchLabels: {app: queue}}}",
    "policy/v1",
)


def application(name, path, server, namespace="store"):
    return thing(
        "Application",
        name,
        "spec:\n  project: default\n"
        f'  source: {{repoURL: "https://git.example/all.git", targetRevision: main, path: {path}}}\n'
        f'  destination: {{server: "{server}", namespace: {namespace}}}',
        "argoproj.io/v1alpha1",
        "argocd",
    )


SILENT = {
    "a StatefulSet's pods": {
        "a.yaml": TILL
        + workload("StatefulSet", extra="  serviceName: queue\n")
        + service("queue", "queue")
        + BUDGET
    },
    "a DaemonSet's pods": {"a.yaml": TILL + workload("DaemonSet") + service("queue", "queue")},
    "a ReplicaSet's pods": {"a.yaml": TILL + workload("ReplicaSet") + service("queue", "queue")},
    "pods of an operator": {
        "a.yaml": TILL
        + thing("Kafka", "log", "spec: {kafka: {replicas: 3}}", "kafka.strimzi.io/v1beta2")
        + service("log", "log", "9092")
    },
    "a list of Secrets": {
        "a.yaml": TILL.replace(
            "          lifecycle", "          envFrom: [{secretRef: {name: keys}}]\n          lifecycle"
        ),
        "b.yaml": "apiVersion: v1\nkind: SecretList\nitems:\n"
        "  - {metadata: {name: keyz, namespace: store}, stringData: {a: b}}\n"
        "  - {metadata: {name: keys, namespace: store}, stringData: {a: b}}\n",
    },
    "an empty list": {"a.yaml": TILL, "b.yaml": "apiVersion: v1\nkind: ServiceList\nitems: null\n"},
    "a Secret that cert-manager makes": {
        "a.yaml": TILL.replace(
            "          lifecycle", "          envFrom: [{secretRef: {name: till-tls}}]\n          lifecycle"
        ),
        "b.yaml": thing("Certificate", "web", "spec: {secretName: till-tls}", "cert-manager.io/v1")
        + thing("Secret", "till-tlz", "stringData: {a: b}"),
    },
    "a ConfigMap that a kustomization makes": {
        "a.yaml": TILL.replace(
            "          lifecycle",
            "          envFrom: [{configMapRef: {name: till-env}}]\n          lifecycle",
        ),
        "b.yaml": thing("ConfigMap", "till-envs", "data: {a: b}"),
        "kustomization.yaml": "resources: [a.yaml, b.yaml]\nconfigMapGenerator: [{name: till-env, literals: [a=b]}]\n",
    },
    "a Secret of another name that is elsewhere": {
        "a.yaml": TILL.replace(
            "          lifecycle", "          envFrom: [{secretRef: {name: bank}}]\n          lifecycle"
        )
        + thing("Secret", "till", "stringData: {a: b}")
    },
    "two variants of one name": {
        "a.yaml": TILL.replace(
            "          lifecycle", "          envFrom: [{secretRef: {name: till-db-1}}]\n          lifecycle"
        )
        + thing("Secret", "till-db-2", "stringData: {a: b}")
    },
    "one Namespace in two files": {
        "a.yaml": thing("Namespace", "store", "", namespace="") + TILL,
        "b.yaml": thing("Namespace", "store", "", namespace=""),
    },
    "a Deployment of the same labels in another folder": {
        "new/a.yaml": TILL,
        "old/a.yaml": workload("Deployment", "till"),
    },
    "kinds without a namespace": {
        "a.yaml": TILL
        + thing("PriorityClass", "high", "value: 5", "scheduling.k8s.io/v1", "")
        + thing("ClusterSecretStore", "vault", "spec: {}", "external-secrets.io/v1", "")
        + thing("Widget", "w", "spec: {}", "example.com/v1", "")
    },
    "two clusters by name": {
        "apps/a.yaml": application("one", "one/till", "https://one.example"),
        "apps/b.yaml": application("two", "two/till", "https://two.example"),
        "one/till/a.yaml": TILL,
        "two/till/a.yaml": TILL,
    },
    "folders that nothing brings together": {"blue/a.yaml": TILL, "green/a.yaml": TILL},
    "a port of an injected container": {
        "a.yaml": TILL.replace(
            "labels: {app: till}}\n    spec",
            "labels: {app: till}, annotations: {linkerd.io/inject: enabled}}\n    spec",
        )
        + thing(
            "PodMonitor",
            "till",
            "spec: {selector: {matchLabels: {app: till}}, podMetricsEndpoints: [{port: linkerd-admin}]}",
            "monitoring.coreos.com/v1",
        ),
    },
    "a port in a namespace with injection": {
        "a.yaml": TILL
        + thing("Namespace", "store", "", namespace="", labels="{istio-injection: enabled}")
        + thing(
            "PodMonitor",
            "till",
            "spec: {selector: {matchLabels: {app: till}}, podMetricsEndpoints: [{port: http-envoy-prom}]}",
            "monitoring.coreos.com/v1",
        ),
    },
    "a chart below a folder": {
        "charts/till/Chart.yaml": "apiVersion: v2\nname: till\nversion: 1.0.0\n",
        "charts/till/values.yaml": "kind: x\n",
        "charts/till/templates/a.yaml": "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: {{ .Values.name }}\n",
        "a.yaml": TILL,
    },
    "a template outside a chart": {
        "a.yaml": TILL,
        "b.yaml": "kind: ConfigMap\n{{- if .Values.x }}\na: b\n{{- end }}\n",
    },
    "a patch and a variant": {
        "base/kustomization.yaml": "kind: Kustomization\nresources: [a.yaml]\n",
        "base/a.yaml": TILL,
        "over/kustomization.yaml": "resources: [../base]\npatchesStrategicMerge: [p/size.yaml]\n",
        "over/p/size.yaml": "apiVersion: argoproj.io/v1alpha1\nkind: Rollout\nmetadata: {name: till}\nspec: {replicas: 9}\n",
        "over/old.yaml": TILL,
    },
    "what a patch sets": {
        "kustomization.yml": "resources: [a.yaml]\npatches:\n  - target: {kind: Rollout}\n"
        "    patch: '[{op: add, path: /spec/progressDeadlineAbort, value: true}]'\n",
        "a.yaml": TILL.replace("  progressDeadlineAbort: true\n", ""),
    },
    "placeholders": {
        "a.yaml": TILL.replace("replicas: 4", "replicas: ${COUNT}").replace("web:4", "web:${TAG}")
        + thing("ConfigMap", "'${NAME}-env'", "data: {a: b}", namespace="'${SPACE}'"),
    },
    "placeholders without quotes": {"a.yaml": TILL, "b.yaml": thing("ConfigMap", "${NAME}", "data: {a: b}")},
    "a Service that a route of the mesh splits": {
        "a.yaml": TILL
        + service("till-root", "none")
        + thing(
            "GRPCRoute",
            "till",
            "spec: {parentRefs: [{kind: Service, group: '', name: till-root}], rules: [{backendRefs: [{name: till, port: 80}]}]}",
            "gateway.networking.k8s.io/v1",
        ),
    },
}


@pytest.mark.parametrize("name", SILENT)
def test_what_others_write_rightly_has_no_finding(name, tmp_path):
    assert [
        (f.code, f.message) for f in verified(tmp_path, SILENT[name]).findings if f.severity != "info"
    ] == []


def verified(folder, files):
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return verify(folder)


BUILT = {
    "a chart below a folder": "charts/till is a Helm chart: verify what `helm template` prints",
    "a template outside a chart": "templates, which are YAML only once they are filled in: b.yaml",
    "a patch and a variant": "what the kustomizations in base, over change",
    "placeholders without quotes": "templates, which are YAML only once they are filled in: b.yaml",
    "placeholders": "values that are filled in before they are applied: spec.replicas of Rollout store/till: ${COUNT}",
}


@pytest.mark.parametrize("name", BUILT)
def test_what_must_be_built_first_is_one_sentence(name, tmp_path):
    (sentence,) = [one for one in verified(tmp_path, SILENT[name]).unchecked if one.startswith(BUILT[name])]
    assert sentence


FOUND = {
    "VER150 a slip in a Secret": {
        "a.yaml": TILL.replace(
            "          lifecycle", "          envFrom: [{secretRef: {name: till-key}}]\n          lifecycle"
        )
        + thing("Secret", "till-keys", "stringData: {a: b}")
    },
    "VER140 two Applications with one destination": {
        "apps/a.yaml": application("one", "one/till", "https://one.example"),
        "apps/b.yaml": application("two", "two/till", "https://one.example"),
        "one/till/a.yaml": service("till"),
        "two/till/a.yaml": service("till"),
    },
    "VER140 two files that a kustomization lists": {
        "kustomization.yaml": "resources: [a/a.yaml, b/b.yaml]\n",
        "a/a.yaml": service("till"),
        "b/b.yaml": service("till"),
    },
    "VER152 a selector in a tree of known kinds": {
        "a.yaml": TILL + workload("StatefulSet") + service("queue", "que")
    },
    "VER153 a port that nothing injects": {"a.yaml": TILL + service("other", "till", "grpc")},
    "ROL111 an object inside a list": {
        "a.yaml": "apiVersion: argoproj.io/v1alpha1\nkind: RolloutList\nitems:\n"
        "  - {metadata: {name: a, namespace: store}, spec: {selector: {matchLabels: {a: b}}, strategy: {},"
        " template: {metadata: {labels: {a: b}}, spec: {containers: [{name: a, image: 'a:1'}]}}}}\n"
    },
    "VER105 a mapping as a key": {"a.yaml": "a: 1\nb:\n  {c: d}: e\n"},
    "VER111 a field of an Experiment": {
        "a.yaml": thing(
            "Experiment", "x", "spec: {duraton: 5m, templates: [{name: a}]}", "argoproj.io/v1alpha1"
        )
    },
    "VER111 a field of a StatefulSet": {"a.yaml": workload("StatefulSet", extra="  serviceNam: queue\n")},
    "VER111 a field of an old HTTPRoute": {
        "a.yaml": thing(
            "HTTPRoute", "x", "spec: {hostname: [a.example]}", "gateway.networking.k8s.io/v1beta1"
        )
    },
    "ROL201 a slip in a Service": {
        "a.yaml": rollout(
            "blueGreen: {activeService: till, previewService: till-preveiw, autoPromotionEnabled: false}"
        )
        + service("till")
        + service("till-preview")
    },
    "ROL201 a route in another namespace": {
        "a.yaml": rollout(
            "canary: {canaryService: till-canary, stableService: till, trafficRouting: {plugins: "
            "{argoproj-labs/gatewayAPI: {httpRoute: till, namespace: web}}}, steps: [{setWeight: 5}, {pause: {}}]}"
        )
        + service("till")
        + service("till-canary")
        + thing(
            "HTTPRoute",
            "till",
            "spec: {rules: [{backendRefs: [{name: till, port: 80}, {name: till-canary, port: 80}]}]}",
            "gateway.networking.k8s.io/v1",
        )
    },
    "VER150 a template of an Experiment": {
        "a.yaml": thing(
            "Experiment",
            "x",
            "spec: {templates: [], analyses: [{name: a, templateName: speeed}]}",
            "argoproj.io/v1alpha1",
        )
        + thing("AnalysisTemplate", "speed", "spec: {metrics: []}", "argoproj.io/v1alpha1")
    },
    "VER152 a selector of an Experiment": {
        "a.yaml": thing(
            "Experiment",
            "x",
            "spec: {templates: [{name: a, selector: {matchLabels: {app: b}}, template: "
            "{metadata: {labels: {app: a}}, spec: {containers: [{name: a, image: 'a:1'}]}}}]}",
            "argoproj.io/v1alpha1",
        )
    },
    "VER150 a target in another group": {
        "a.yaml": TILL.replace("  replicas: 4\n", "")
        + thing(
            "HorizontalPodAutoscaler",
            "till",
            "spec: {maxReplicas: 5, scaleTargetRef: {apiVersion: apps/v1, kind: Rollout, name: till}}",
            "autoscaling/v2",
        )
    },
}


@pytest.mark.parametrize("name", FOUND)
def test_what_is_wrong_is_found(name, tmp_path):
    assert name.split()[0] in [
        f.code for f in verified(tmp_path, FOUND[name]).findings if f.severity != "info"
    ]


NOISY = thing("ConfigMap", "a", "data: {a: 1}").replace("data: {a: 1}", "data: {a: 1}MARK")


@pytest.mark.parametrize(
    ("mark", "codes"),
    [
        ("", ["VER113"]),
        ("  # sluice: ignore[VER113] an old reader wants a number", []),
        ("  # sluice: ignore[VER111, VER113] both", []),
        ("  # sluice: ignore[VER113]", ["VER113", "VER118"]),  # no reason
        ("  # sluice: ignore[VER111] another", ["VER113", "VER118"]),
    ],
)
def test_a_comment_accepts_a_finding_with_a_reason(tmp_path, mark, codes):
    found = verified(tmp_path, {"a.yaml": NOISY.replace("MARK", mark)}).findings
    assert sorted(f.code for f in found) == codes


def test_a_comment_on_the_line_above_accepts(tmp_path):
    text = NOISY.replace("MARK", "").replace("\ndata:", "\n# sluice: ignore[VER113] old\ndata:")
    assert verified(tmp_path, {"a.yaml": text}).findings == ()


def test_a_finding_names_its_object_and_the_part(tmp_path):
    text = rollout("canary: {steps: [{setWeight: 50}, {pause: {duration: 1d}}]}")
    (finding,) = [f for f in verified(tmp_path, {"a.yaml": text}).findings if f.code == "ROL142"]
    assert (finding.object, finding.part) == ("Rollout store/till", "step 2")


@pytest.mark.parametrize(
    ("passed", "codes", "message"),
    [
        ("hsah", ["ROL210"], "the argument `hash` gets no value, and `hsah` is passed"),
        ("service", ["ANA434", "ROL210"], "the argument `hash` gets no value"),
        ("hash", [], ""),
    ],
)
def test_an_argument_that_is_misspelt_is_one_finding(tmp_path, passed, codes, message):
    analysis = f"{{templates: [{{templateName: errors}}], args: [{{name: {passed}, value: x}}]}}"
    query = 'sum(rate(errors{hash="{{args.hash}}"}[5m]))'
    template = thing(
        "AnalysisTemplate",
        "errors",
        "spec:\n  args: [{name: hash}]\n  metrics:\n    - name: errors\n"
        "      successCondition: len(result) == 1 && result[0] < 5\n"
        f"      provider: {{prometheus: {{address: 'http://prometheus:9090', query: '{query}'}}}}",
        "argoproj.io/v1alpha1",
    )
    steps = f"[{{setWeight: 50}}, {{pause: {{}}}}, {{analysis: {analysis}}}]"
    findings = verified(tmp_path, {"a.yaml": rollout(f"canary: {{steps: {steps}}}") + template}).findings
    found = [one for one in findings if one.code in ("ROL210", "ANA434")]
    assert sorted(one.code for one in found) == codes
    assert [one.message for one in found if one.code == "ROL210"] == ([message] if message else [])


def test_the_version_of_the_controller_is_that_of_the_tree(tmp_path):
    files = {
        "kustomization.yaml": "resources: [https://github.com/argoproj/argo-rollouts/manifests/cluster-install?ref=v1.8.3]\n"
    }
    files["app/a.yaml"] = rollout("canary: {}").replace(
        "  strategy", "  rollbackWindow: {revision: 1}\n  strategy"
    )
    verified(tmp_path, files)
    assert any("of argo-rollouts 1.8" in f.message for f in verify(tmp_path, "auto").findings)
    assert not any("of argo-rollouts 1.8" in f.message for f in verify(tmp_path, "1.10").findings)


KUSTOMIZE = """\
#!/bin/sh
test -f "$2/kustomization.yaml" || exit 1
grep -q broken "$2/kustomization.yaml" && { echo "no such file" >&2; exit 1; }
cat "$2/../base/a.yaml" | sed "s/replicas: 4/replicas: -1/"
"""


def test_a_build_verifies_what_is_applied(tmp_path, monkeypatch):
    tools, tree = tmp_path / "bin", tmp_path / "tree"
    tools.mkdir()
    (tools / "kustomize").write_text(KUSTOMIZE)
    (tools / "kustomize").chmod(0o755)
    verified(tree, SILENT["a patch and a variant"])
    assert verify(tree).findings == ()
    monkeypatch.setenv("PATH", f"{tools}:/usr/bin:/bin")
    found = [f for f in verify(tree, build=True).findings if f.code == "ROL101"]
    assert [(f.place.file, f.object) for f in found] == [("over/kustomize output", "Rollout store/till")]
    (tree / "over" / "kustomization.yaml").write_text(
        "resources: [../base, broken]\npatches: [{path: p/size.yaml}]\n"
    )
    (finding,) = verify(tree, build=True).findings
    assert (finding.code, finding.message) == ("VER119", "`kustomize build` fails: no such file")
    monkeypatch.setenv("PATH", "")
    assert "over: kustomize is not on the path" in verify(tree, build=True).unchecked
