"""What a plan computes: gate key, image tag, bento digest, names, namespaces, hosts."""

from __future__ import annotations

import hashlib
import re
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from generator.plan.names import Names, labels
from generator.plan.serving import requirements
from generator.plan.values import Identity, Plan
from generator.render.bento import Bentos
from generator.render.environment import Templates
from generator.source.shipped import builtin_folder
from generator.spec.environment import OwnArgoCd
from generator.spec.guards.base import attribute_metric
from generator.spec.guards.outcome import OutcomeGuard
from generator.spec.service import Service
from tests.system.repositories import DIGEST, LOCK, MODEL, PLATFORM, resolve_one, small

GATES = '  gates: [{name: acc, metric: accuracy, atLeast: 0.9}, {name: drift, drift: {reference: "dvc:a", current: "dvc:a", features: [x]}}]\n'
DATA = f"data:\n  dvc:a: {{digest: {DIGEST}, resolved: 'dvc:a@{'c' * 40}#md5={'d' * 32}'}}\n"


# An alias: the lock decides which version it means.
ALIAS = MODEL.replace("mlflow:ranker/3", "mlflow:ranker@champion")
LOCKED = LOCK.replace('ref: "mlflow:ranker/3"', 'ref: "mlflow:ranker@champion"')


def plan(tmp_path, model: str = ALIAS + GATES, platform: str = PLATFORM, lock: str = LOCKED + DATA) -> Plan:
    folder = tmp_path / hashlib.sha256(f"{model}\0{platform}\0{lock}".encode()).hexdigest()
    found = resolve_one(small(folder, model, platform, lock))
    assert found.findings == []
    return found.plans[0].plan


CHANGES_KEY = {
    "model digest": ("lock", DIGEST + "\n  at", "sha256:" + "b2" * 32 + "\n  at"),
    "data digest": ("lock", f"digest: {DIGEST}, res", f"digest: sha256:{'b2' * 32}, res"),
    "bound of a gate": ("model", "atLeast: 0.9", "atLeast: 0.91"),
    "name of a gate": ("model", "name: acc", "name: accu"),
    "columns of a gate": ("model", "features: [x]", "features: [x, y]"),
    "order of columns": ("model", "features: [x]", "features: [z, x]"),
    "one gate less": ("model", "{name: acc, metric: accuracy, atLeast: 0.9}, ", ""),
    "gate image": (
        "platform",
        "  prometheus:",
        "  images: {gates: registry.example.com/other}\n  prometheus:",
    ),
    "registry": ("platform", "registry.example.com/models", "registry.example.com/else"),
}
KEEPS_KEY = {
    "rollout": ("model", "weight: 5%", "weight: 6%"),
    "owner": ("model", "owner: shop@example.com", "owner: other"),
    "replicas": ("model", "  rollout:", "  replicas: 9\n  rollout:"),
    "comment": ("model", "  rollout:", "  # new\n  rollout:"),
    "a default written out": ("model", "features: [x]}}", "features: [x]}, tool: ks}"),
    "spelling of a number": ("model", "atLeast: 0.9}", "atLeast: 0.90}"),
    "version label": ("lock", '/3"\n  version: "3"', '/4"\n  version: "4"'),
    "resolved by": ("lock", "by: test", "by: other"),
    "waiver": ("platform", "  teams:", f"  waivers: [{{model: shop/ranker, gate: acc, kind: metric, digest: {DIGEST}, reason: r, approvedBy: boss, until: 2099-01-01}}]\n  teams:"),
    "other tier": ("platform", "  teams:", "    other: {}\n  teams:"),
    "prometheus": ("platform", "prometheus.monitoring", "elsewhere.monitoring"),
}  # fmt: skip


def edited(change: tuple[str, str, str]) -> dict[str, str]:
    which, old, new = change
    text = {"model": ALIAS + GATES, "platform": PLATFORM, "lock": LOCKED + DATA}[which]
    assert text.count(old) == 1
    return {which: text.replace(old, new)}


@pytest.mark.parametrize("what", CHANGES_KEY)
def test_the_gate_key_changes(what, tmp_path):
    assert plan(tmp_path).gate_key != plan(tmp_path, **edited(CHANGES_KEY[what])).gate_key


@pytest.mark.parametrize("what", KEEPS_KEY)
def test_the_gate_key_stays(what, tmp_path):
    assert plan(tmp_path).gate_key == plan(tmp_path, **edited(KEEPS_KEY[what])).gate_key


def test_a_suite_is_part_of_the_gate_key(tmp_path):
    """Next to the spec, else at the root; a file that is in neither place is named by evidence alone."""
    gates = GATES.replace(
        "[{name: acc", '[{name: inputs, data: {current: "dvc:a", suite: suites/inputs.json}}, {name: acc'
    )
    keys = []
    for path, text in ((None, ""), ("suites", "{}"), ("suites", "[]"), ("specs/shop/suites", "{}")):
        if path:
            (tmp_path / path).mkdir(parents=True, exist_ok=True)
            (tmp_path / path / "inputs.json").write_text(text)
        found = resolve_one(small(tmp_path, ALIAS + gates, lock=LOCKED + DATA))
        keys.append(found.plans[0].plan.gate_key)
    assert len(set(keys)) == 3
    assert keys[1] == keys[3]


def test_the_gate_key_is_the_same_in_every_environment(tmp_path):
    two = PLATFORM.replace("  tiers:", '    test: {server: "https://x", router: {kind: none}}\n  tiers:')
    found = resolve_one(small(tmp_path, ALIAS + GATES, two, LOCKED + DATA))
    assert len({p.plan.gate_key for p in found.plans}) == 1
    assert len(found.plans) == 2
    assert len({p.plan.image.reference for p in found.plans}) == 1


NEW_IMAGE = {
    "model digest": CHANGES_KEY["model digest"],
    "version": KEEPS_KEY["version label"],
    "framework": ("model", "framework: sklearn", "framework: xgboost"),
    "input": ("model", "  rollout:", "  service: {inputs: {a: {type: number}}}\n  rollout:"),
    "outcome": ("model", "  rollout:", "  outcomes: {ctr: {kind: ratio, event: click, baseline: 4%}}\n  rollout:"),
    "latency bound": ("model", "    strategy: canary", "    strategy: canary\n    guards: [{metric: slow-rate, slowerThan: 123ms, limit: 2%}]"),
    "base image": ("platform", "  prometheus:", "  images: {base: docker.io/library/python:3.12}\n  prometheus:"),
    "scrape interval": ("platform", '9090"}', '9090", scrapeInterval: 30s}'),
}  # fmt: skip
OLD_IMAGE = {
    **{what: KEEPS_KEY[what] for what in ("rollout", "owner", "replicas", "comment", "waiver")},
    "gates": CHANGES_KEY["bound of a gate"],
    "a plain variable": ("model", "  rollout:", "  service: {env: [{name: A, value: b}]}\n  rollout:"),
}


@pytest.mark.parametrize("what", NEW_IMAGE)
def test_a_new_image(what, tmp_path):
    assert plan(tmp_path).image.tag != plan(tmp_path, **edited(NEW_IMAGE[what])).image.tag


@pytest.mark.parametrize("what", OLD_IMAGE)
def test_the_same_image(what, tmp_path):
    assert plan(tmp_path).image == plan(tmp_path, **edited(OLD_IMAGE[what])).image


def test_the_image_tag_and_the_pushed_digest(tmp_path):
    first = plan(tmp_path)
    short = Bentos(Templates(None)).digest(first.bento)[:12]
    assert first.image.tag == f"3-{short}"
    assert first.image.reference == f"registry.example.com/models/shop/ranker:3-{short}"
    assert re.fullmatch(r"[0-9a-f]{12}", short)
    pushed = f'image: {{digest: {DIGEST}, bento: "{short}"}}\n'
    assert (
        plan(tmp_path, lock=LOCKED + DATA + pushed).image.reference
        == f"registry.example.com/models/shop/ranker@{DIGEST}"
    )
    other = f'image: {{digest: {DIGEST}, bento: "{"0" * 12}"}}\n'
    assert plan(tmp_path, lock=LOCKED + DATA + other).image.digest is None


def override(folder, name, text):
    path = folder / "templates" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return Bentos(Templates(folder / "templates"))


def test_the_digest_of_a_bento_is_that_of_its_files(tmp_path):
    bento, ours = plan(tmp_path).bento, Bentos(Templates())
    framework = (builtin_folder() / "bento/frameworks/sklearn.py.j2").read_text()
    assert ours.digest(bento) == Bentos(Templates()).digest(plan(tmp_path, ALIAS).bento)
    comment = override(tmp_path / "a", "bento/frameworks/sklearn.py.j2", f"{{# a comment #}}{framework}")
    assert comment.digest(bento) == ours.digest(bento)
    another = override(
        tmp_path / "b", "bento/frameworks/xgboost.py.j2", f"{framework}# used by no model here\n"
    )
    assert another.digest(bento) == ours.digest(bento)
    changed = override(tmp_path / "c", "bento/frameworks/sklearn.py.j2", f"{framework}# other text\n")
    assert changed.digest(bento) != ours.digest(bento)


def test_a_remembered_digest_is_the_computed_one(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    bento, right = plan(tmp_path).bento, Bentos(Templates()).digest(plan(tmp_path).bento)
    assert Bentos(Templates(), remembered=True).digest(bento) == right
    (file,) = (tmp_path / "cache/sluice/bentos").iterdir()
    file.write_text("0" * 64)
    assert Bentos(Templates(), remembered=True).digest(bento) == "0" * 64  # read, not rendered
    assert Bentos(Templates()).digest(bento) == right
    assert Bentos(Templates(), remembered=True).digest(replace(bento, framework="xgboost")) not in {
        "0" * 64,
        right,
    }
    file.write_text("damaged")
    assert Bentos(Templates(), remembered=True).digest(bento) == right
    changed = tmp_path / "templates/bento/frameworks/sklearn.py.j2"
    changed.parent.mkdir(parents=True)
    changed.write_text((builtin_folder() / "bento/frameworks/sklearn.py.j2").read_text() + "# other text\n")
    assert Bentos(Templates(tmp_path / "templates"), remembered=True).digest(bento) != right


def test_templates_of_services_include_only_each_other():
    """Their remembered digest covers the folder `bento/`, and nothing else decides what they render."""
    texts = [file.read_text() for file in (builtin_folder() / "bento").rglob("*.j2")]
    named = {
        name
        for text in texts
        for name in re.findall(r"""(?:include|extends|import|from)\s+["']([^"']+)""", text)
        if name.endswith(".j2")
    }
    assert named
    assert all(name.startswith("bento/") for name in named)


def test_equal_values_of_different_types_are_different_bentos(tmp_path):
    bentos = Bentos(Templates())
    bento = replace(plan(tmp_path).bento, groups=(("gender", ("a", "b")),))
    one, true = replace(bento, positive=(1,)), replace(bento, positive=(True,))
    assert one == true
    assert bentos.digest(one) != bentos.digest(true)


LONGEST = "a" + "-" * 38 + "b"
DNS = re.compile(r"[a-z0-9]([a-z0-9.-]*[a-z0-9])?")


@pytest.mark.parametrize("model", ["a", LONGEST])
def test_names_fit(model):
    names = Names(model)
    found = [
        names.stable, names.canary, names.active, names.preview, names.shadow, names.guards, names.watch,
        names.evidence(29), names.gates("0" * 64), f"{model}-shadow-evidence", f"{model}-config-01234567",
    ]  # fmt: skip
    assert len(set(found)) == len(found)
    assert all(DNS.fullmatch(name) and len(name) <= 63 for name in found)
    identity = Identity(LONGEST, model, LONGEST, LONGEST, "", "", "")
    assert len(OwnArgoCd().application(LONGEST, LONGEST, model)) <= 253
    assert all(len(value) <= 63 for value in labels(identity).values())


NAME = st.from_regex(r"[a-z]([a-z0-9-]{0,5}[a-z0-9])?", fullmatch=True)


@given(st.tuples(NAME, NAME), st.tuples(NAME, NAME))
def test_two_models_never_share_an_application(one, other):
    first, second = (OwnArgoCd().application("live", team, model) for team, model in (one, other))
    assert (first == second) == (one == other)


@given(st.from_regex(r"[A-Za-z_][A-Za-z0-9_]{0,62}", fullmatch=True))
def test_a_guard_has_a_name_that_a_metric_may_have(outcome):
    name = OutcomeGuard.model_validate({"outcome": outcome, "limit": "1%"}).metric_name
    assert re.fullmatch(r"[a-z0-9]([a-z0-9-]{0,21}[a-z0-9])?", name)


@given(NAME, st.from_regex(r"[A-Za-z_][A-Za-z0-9_]{0,62}", fullmatch=True))
def test_a_fairness_guard_has_a_name_for_each_attribute(guard, attribute):
    assert re.fullmatch(r"[a-z0-9]([a-z0-9-]{0,21}[a-z0-9])?", attribute_metric(guard, attribute))


def test_the_teams_own_pins_win():
    lines = requirements("sklearn", Service(requirements=["Scikit_Learn==1.0", "zlib-ng==1"]))
    assert [line for line in lines if "learn" in line.lower()] == ["Scikit_Learn==1.0"]
    assert list(lines) == sorted(lines, key=lambda line: line.replace("_", "-").lower())


def test_namespace_and_hosts(tmp_path):
    first = plan(tmp_path)
    assert first.identity.namespace == "shop-live"
    assert first.routing.hosts == ("ranker.shop.models.example.com",)
    other = plan(
        tmp_path,
        platform=PLATFORM.replace(
            "      domain:", '      namespace: "ml-{environment}-{team}"\n      domain:'
        ),
    )
    assert other.identity.namespace == "ml-live-shop"
    hosts = plan(tmp_path, ALIAS + "  traffic: {hosts: [a.example.com, b.example.com]}\n").routing.hosts
    assert hosts == ("a.example.com", "b.example.com")
