"""Who may send requests to a model: the router's proxies wherever they run, Prometheus, and the namespace itself."""

from __future__ import annotations

import ipaddress

import pytest
import yaml

from generator.plan.repository import Repository
from generator.render.environment import Templates
from generator.render.platform import render_team
from tests.system.repositories import PLATFORM, small

ANYONE = [{"namespaceSelector": {}}]


def sources(tmp_path, router: str) -> list[object]:
    """Return what the policy admits apart from the namespace itself: names of namespaces, or selectors."""
    (old,) = [line for line in PLATFORM.splitlines() if " router: " in line]
    small(tmp_path, platform=PLATFORM.replace(old, f"      router: {router}"))
    repository = Repository(tmp_path)
    assert repository.platform is not None, repository.findings
    files = render_team(repository.platform, "live", "shop", Templates(None))
    rule, _ = yaml.safe_load(files["networkpolicy-models.yaml"])["spec"]["ingress"]
    own, *others = rule["from"]
    assert own == {"podSelector": {}}
    label = "kubernetes.io/metadata.name"
    return [other["namespaceSelector"].get("matchLabels", {}).get(label, other) for other in others]


@pytest.mark.parametrize(
    ("router", "expected"),
    [
        ("{kind: gateway-api, gateway: g, namespace: gw, implementation: envoy-gateway}", ["envoy-gateway-system", "gw", "monitoring"]),
        ("{kind: gateway-api, gateway: g, namespace: gw, implementation: contour}", ["gw", "monitoring"]),
        ("{kind: gateway-api, gateway: g, namespace: gw}", ["gw", "monitoring"]),
        ("{kind: gateway-api, gateway: g, namespace: gw, implementation: envoy-gateway, proxyNamespace: edge}", ["edge", "monitoring"]),
        ("{kind: istio, gateway: g, namespace: istio-system, proxyNamespace: istio-ingress}", ["istio-ingress", "monitoring"]),
        ("{kind: traefik, namespace: traefik}", ["monitoring", "traefik"]),
        ("{kind: nginx, namespace: ingress-nginx}", ["ingress-nginx", "monitoring"]),
        ("{kind: none}", ANYONE),
    ],
)  # fmt: skip
def test_the_proxies_of_the_router_are_let_in(tmp_path, router, expected):
    assert sources(tmp_path, router) == expected


def test_a_load_balancer_is_let_in_by_its_addresses_and_nobody_else(tmp_path):
    (old,) = [line for line in PLATFORM.splitlines() if " router: " in line]
    router = "{kind: alb, group: models, proxyRanges: [10.0.0.0/20]}"
    small(tmp_path, platform=PLATFORM.replace(old, f"      router: {router}"))
    platform = Repository(tmp_path).platform
    assert platform is not None
    files = render_team(platform, "live", "shop", Templates(None))
    predictions, feedback = yaml.safe_load(files["networkpolicy-models.yaml"])["spec"]["ingress"]
    prometheus = {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "monitoring"}}}
    block = {"ipBlock": {"cidr": "10.0.0.0/20"}}
    assert predictions["from"] == [{"podSelector": {}}, prometheus, block]
    assert feedback["from"] == [{"podSelector": {}}, block]
    assert [port["port"] for port in predictions["ports"]] == [3000, "http", "probes"]


def test_a_quota_of_an_environment_replaces_that_of_the_team(tmp_path):
    """A quota of one environment is also one where the team has none."""
    quota = "teams: {shop: {quota: {cpu: '8', memory: 16Gi}}}"
    for team in ("", "quota: {cpu: '80', memory: 160Gi}"):
        hard = yaml.safe_load(rendered(tmp_path, team, environment=quota)["resourcequota-main.yaml"])["spec"]
        assert hard["hard"]["requests.cpu"] == "8"
        assert hard["hard"]["requests.memory"] == "16Gi"


@pytest.mark.parametrize(
    ("mesh", "space", "ports", "labels", "annotations"),
    [
        ("{kind: istio}", "istio-system", [15012], {"istio-injection": "enabled"}, {}),
        ("{kind: istio, revision: 1-28, namespace: mesh}", "mesh", [15012], {"istio.io/rev": "1-28"}, {}),
        ("{kind: linkerd}", "linkerd", [8080, 8086, 8090], {}, {"linkerd.io/inject": "enabled"}),
    ],
)
def test_sidecars_reach_their_mesh(tmp_path, mesh, space, ports, labels, annotations):
    files = rendered(tmp_path, environment=f"mesh: {mesh}")
    metadata = yaml.safe_load(files["namespace-main.yaml"])["metadata"]
    assert metadata["labels"].items() >= labels.items()
    assert metadata["annotations"].items() >= annotations.items()
    spec = yaml.safe_load(files["networkpolicy-mesh.yaml"])["spec"]
    (rule,) = spec["egress"]
    assert rule["to"] == [{"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": space}}}]
    assert [port["port"] for port in rule["ports"]] == ports
    assert (spec["podSelector"], spec["policyTypes"]) == ({}, ["Egress"])


def policy(tmp_path, name: str, team: str = "") -> dict[str, object]:
    """Return the specification of a policy of a team, which has more settings."""
    return yaml.safe_load(rendered(tmp_path, team)[f"networkpolicy-{name}.yaml"])["spec"]


def rendered(tmp_path, team: str = "", platform: str = "", environment: str = "") -> dict[str, str]:
    """Return the files of a team, with more settings of the team, the platform and the environment."""
    text = PLATFORM
    (shop,) = [line for line in PLATFORM.splitlines() if line.strip().startswith("shop: {")]
    (live,) = [line for line in PLATFORM.splitlines() if line == "    live:"]
    if team:
        text = text.replace(shop, shop.replace("{", "{" + team + ", ", 1))
    if environment:
        text = text.replace(live, f"{live}\n      {environment}")
    small(tmp_path, platform=text + (f"  {platform}\n" if platform else ""))
    repository = Repository(tmp_path)
    assert repository.platform is not None, repository.findings
    return render_team(repository.platform.at("live"), "live", "shop", Templates(None))


def test_feedback_comes_from_the_listed_callers(tmp_path):
    """From the team's own pods and the router's proxies in any case; Prometheus has no business there."""
    _, feedback = policy(tmp_path, "models", "feedbackFrom: [storefront]")["ingress"]
    assert feedback["ports"] == [{"protocol": "TCP", "port": 3001}]
    own, *others = feedback["from"]
    assert own == {"podSelector": {}}
    named = [other["namespaceSelector"]["matchLabels"]["kubernetes.io/metadata.name"] for other in others]
    assert "storefront" in named
    assert "monitoring" not in named


def test_feedback_is_not_open_to_all_where_the_proxies_are_unknown(tmp_path):
    """Predictions are: without a router, callers connect to the Service."""
    (old,) = [line for line in PLATFORM.splitlines() if " router: " in line]
    small(tmp_path, platform=PLATFORM.replace(old, "      router: {kind: none}"))
    platform = Repository(tmp_path).platform
    assert platform is not None
    files = render_team(platform, "live", "shop", Templates(None))
    predictions, feedback = yaml.safe_load(files["networkpolicy-models.yaml"])["spec"]["ingress"]
    assert {"namespaceSelector": {}} in predictions["from"]
    assert feedback["from"] == [{"podSelector": {}}]


def test_models_reach_each_other_only_to_forward_feedback(tmp_path):
    (rule,) = policy(tmp_path, "models")["egress"]
    assert rule["ports"] == [{"protocol": "TCP", "port": 3001}]
    (to,) = rule["to"]
    assert to == {"podSelector": {"matchExpressions": [{"key": "sluice.dev/model", "operator": "Exists"}]}}


def opened(tmp_path, gates: str) -> list[tuple[str, int]]:
    """What gate pods reach, beyond the API server that the environment lists: addresses and namespaces, with ports."""
    environment = "apiServer: [{cidr: 10.96.0.1/32, ports: [443]}]"
    files = rendered(tmp_path, platform=f"gates: {gates}", environment=environment)
    policy = yaml.safe_load(files["networkpolicy-gates.yaml"])["spec"]
    assert policy["policyTypes"] == ["Egress"]
    found = []
    for rule in policy["egress"]:
        assert rule["to"], "a rule without addresses opens all of them"
        assert rule["ports"]
        for to in rule["to"]:
            space = to.get("namespaceSelector", {}).get("matchLabels", {}).get("kubernetes.io/metadata.name")
            where = space or to["ipBlock"]["cidr"]
            found += [(where, port["port"]) for port in rule["ports"]]
    assert found[0] == ("10.96.0.1/32", 443)
    return found[1:]


@pytest.mark.parametrize(
    ("gates", "expected"),
    [
        ("{inputs: {claim: gate-inputs}}", []),
        ("{inputs: {url: 'https://store.example.com/{digest}.tgz'}}", []),
        ("{inputs: {url: 'http://10.1.2.3:9000/{digest}.tgz'}}", [("10.1.2.3/32", 9000)]),
        ("{inputs: {url: 'https://10.1.2.3/{digest}.tgz'}}", [("10.1.2.3/32", 443)]),
        ("{inputs: {url: 'http://store.minio/{digest}.tgz'}}", [("minio", 80)]),
        ("{inputs: {url: 'http://store.minio.svc:9000/{digest}.tgz'}}", [("minio", 9000)]),
        ("{inputs: {url: 'http://store.minio.svc.cluster.local/{digest}.tgz'}}", [("minio", 80)]),
        ("{inputs: {url: 'http://store.minio.example/{digest}.tgz'}}", []),
        ("{inputs: {s3: '{digest}.tgz'}, egress: [{namespace: minio, ports: [9000]}]}", [("minio", 9000)]),
        (
            "{egress: [{cidr: 203.0.113.0/24, ports: [443, 8443]}]}",
            [("203.0.113.0/24", 443), ("203.0.113.0/24", 8443)],
        ),
    ],
)
def test_gates_reach_the_api_server_their_inputs_and_nothing_else(tmp_path, gates, expected):
    assert opened(tmp_path, gates) == expected


def test_an_unlisted_api_server_is_one_of_the_private_addresses(tmp_path):
    (rule,) = yaml.safe_load(rendered(tmp_path)["networkpolicy-gates.yaml"])["spec"]["egress"]
    ranges = [ipaddress.ip_network(to["ipBlock"]["cidr"]) for to in rule["to"]]
    assert all(network.is_private or str(network) == "100.64.0.0/10" for network in ranges)
    assert [port["port"] for port in rule["ports"]] == [443, 6443]
    metadata = ipaddress.ip_address("169.254.169.254")  # of the clouds, with credentials
    assert not any(metadata in network for network in ranges if network.version == 4)


def test_models_reach_what_the_platform_lists_for_them(tmp_path):
    both = "{namespace: features, ports: [6379]}, {cidr: 203.0.113.7/32, ports: [443], models: [ranker]}"
    files = rendered(tmp_path, f"egress: [{both}]")
    everyone = yaml.safe_load(files["networkpolicy-egress-all.yaml"])["spec"]
    assert everyone["podSelector"] == {
        "matchExpressions": [{"key": "sluice.dev/model", "operator": "Exists"}]
    }
    assert everyone["egress"] == [
        {
            "to": [{"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "features"}}}],
            "ports": [{"protocol": "TCP", "port": 6379}],
        }
    ]
    one = yaml.safe_load(files["networkpolicy-egress-ranker.yaml"])["spec"]
    assert one["podSelector"]["matchExpressions"][0]["values"] == ["ranker"]
    assert one["egress"][0]["to"] == [{"ipBlock": {"cidr": "203.0.113.7/32"}}]


def test_models_without_a_list_reach_nothing(tmp_path):
    assert not [name for name in rendered(tmp_path) if "egress" in name]


@pytest.mark.parametrize("cidr", ["203.0.113.7/24", "300.0.0.0/8", "10.0.0.0/40", "0.0.0.0"])
def test_a_range_that_is_none_is_rejected(tmp_path, cidr):
    with pytest.raises(AssertionError, match=r"invalid (range|value) `"):
        rendered(tmp_path, f"egress: [{{cidr: {cidr}, ports: [443]}}]")


def test_the_account_of_gates_mounts_no_token(tmp_path):
    """The executor gets the token of a Secret by name, gate containers none."""
    account = yaml.safe_load(rendered(tmp_path)["serviceaccount-gates.yaml"])
    assert account["automountServiceAccountToken"] is False


def test_a_team_has_a_number_of_objects_and_no_service_past_the_router(tmp_path):
    files = rendered(tmp_path, 'quota: {cpu: "4", memory: 8Gi, objects: 40, storage: 20Gi}')
    hard = yaml.safe_load(files["resourcequota-main.yaml"])["spec"]["hard"]
    assert {hard[kind] for kind in ("pods", "secrets", "configmaps", "count/jobs.batch", "services")} == {
        "40"
    }
    assert hard["requests.ephemeral-storage"] == hard["limits.ephemeral-storage"] == "20Gi"
    assert hard["services.loadbalancers"] == hard["services.nodeports"] == "0"
