"""No value of a spec escapes its place in a rendered file."""

from __future__ import annotations

import ast
import json
import re
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
import ryaml
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from generator.plan.locks import immutable_form
from tests.system.mutations import TEXTS, load
from tests.system.pipeline import Outcome, run_files

SLOT = "HARMLESS"
DIGEST = "sha256:" + "a1" * 32
PLATFORM = """
apiVersion: sluice.dev/v1alpha1
kind: Platform
metadata: {name: acme}
spec:
  git: {repo: "https://git.example.com/acme/models.git"}
  registry: registry.example.com/models
  prometheus: {address: "http://prometheus.monitoring:9090"}
  environments:
    live:
      server: "https://kubernetes.default.svc"
      router: {kind: gateway-api, gateway: public, namespace: gateways, implementation: envoy-gateway}
      domain: models.example.com
  attributes: {region: [north, south]}
  tiers: {basic: {description: d, evidence: [cluster]}}
  teams: {shop: {owners: [shop@example.com, other], tiers: [basic]}}
  waivers: [{model: shop/ranker, gate: program, kind: custom, digest: "sha256:a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1", reason: because, approvedBy: boss, until: 2099-01-31}]
"""
GATES = f"""
- {{name: program, custom: "image@{DIGEST}", args: [one, two]}}
- {{name: score, metric: score, atLeast: 0.5, source: metrics.json}}
- {{name: moved, drift: {{reference: "dvc:a", current: "dvc:b", features: [x]}}}}
- {{name: parity, fairness: demographic-parity-difference, sensitive: [colour], atMost: 0.1, data: rows.csv}}
"""
GUARDS = "- {fairness: demographic-parity-difference, sensitive: [colour], atMost: 0.1}\n- {metric: error-rate, limit: 5%}\n"
STEPS = "[{cohort: {header: x-cohort, exact: inner}, hold: 10m}, {weight: 5%, hold: 10m}]"


def repository(strategy: str) -> dict[str, Any]:
    """One model that uses all free text of the language; blue-green has a smoke test, a canary a cohort."""
    service = {
        "inputs": {"text": {"type": "string", "values": ["a", "b"]}},
        "attributes": {"colour": ["red", "green"]},
        "positive": ["yes"],
        "env": [{"name": "PLAIN", "value": "value"}],
    }
    rollout: dict[str, Any] = {
        "strategy": "canary",
        "steps": yaml.safe_load(STEPS),
        "guards": yaml.safe_load(GUARDS),
    }
    if strategy == "blue-green":
        rollout = {"strategy": "blue-green", "approve": "manual"}
    spec = {
        "tier": "basic", "model": {"ref": "mlflow:ranker/3", "framework": "sklearn"}, "service": service,
        "gates": yaml.safe_load(GATES), "rollout": rollout,
        "accept": [{"code": "CAN210", "reason": "known", "until": "2099-01-31"}],
    }  # fmt: skip
    metadata = {"name": "ranker", "team": "shop", "owner": "owner", "description": "text"}
    model = {"apiVersion": "sluice.dev/v1alpha1", "kind": "Model", "metadata": metadata, "spec": spec}
    locked = {
        "ref": "mlflow:ranker/3",
        "resolved": "mlflow:ranker/3",
        "version": "3",
        "digest": DIGEST,
        "at": "now",
        "by": "test",
    }
    data = {ref: locked_data(ref) for ref in ("dvc:a", "dvc:b", "rows.csv")}
    lock = {"schema": "sluice/lock/v1", "model": locked, "data": data}
    return {
        "specs/platform.yaml": load(PLATFORM),
        "specs/shop/ranker.yaml": model,
        "specs/shop/ranker.lock.yaml": lock,
    }


def locked_data(ref: str) -> dict[str, str]:
    """Return what a lock has about a data set: a digest, and an immutable form of its reference."""
    hexadecimal = sha256(ref.encode()).hexdigest()
    return {"digest": f"sha256:{hexadecimal}", "resolved": immutable_form(ref, hexadecimal).example}


def put(*path: str | int, file: str = "shop/ranker.yaml") -> Callable[[dict[str, Any], str], None]:
    """Put a text at a path of one file."""

    def change(files: dict[str, Any], text: str) -> None:
        node = files[f"specs/{file}"]
        for part in path[:-1]:
            node = node[part]
        node[path[-1]] = text

    return change


def data_ref(key: str) -> Callable[[dict[str, Any], str], None]:
    """A data set's reference is in the gate and in the lock."""

    def change(files: dict[str, Any], text: str) -> None:
        files["specs/shop/ranker.yaml"]["spec"]["gates"][2]["drift"][key] = text
        files["specs/shop/ranker.lock.yaml"]["data"][text] = locked_data(text)

    return change


def locked_rows(files: dict[str, Any], text: str) -> None:
    """The rows of a fairness gate are locked as other data are."""
    put("spec", "gates", 3, "data")(files, text)
    files["specs/shop/ranker.lock.yaml"]["data"][text] = locked_data(text)


def image_named(files: dict[str, Any], text: str) -> None:
    """In the cluster a custom gate is an image with its digest."""
    put("spec", "gates", 0, "custom")(files, f"{text}@{DIGEST}")


LOCK_FILE, PLATFORM_FILE = "shop/ranker.lock.yaml", "platform.yaml"
# Fields of one printable line; the others take any text at all.
LINES = {
    "owner": put("metadata", "owner"),
    "description": put("metadata", "description"),
    "variable": put("spec", "service", "env", 0, "value"),
    "custom gate": image_named,
    "argument of a gate": put("spec", "gates", 0, "args", 1),
    "source of a metric": put("spec", "gates", 1, "source"),
    "rows of a gate": locked_rows,
    "reference data": data_ref("reference"),
    "current data": data_ref("current"),
    "reason": put("spec", "accept", 0, "reason"),
    "pinned by": put("model", "by", file=LOCK_FILE),
    "tier's description": put("spec", "tiers", "basic", "description", file=PLATFORM_FILE),
    "team's owner": put("spec", "teams", "shop", "owners", 1, file=PLATFORM_FILE),
    "waiver's reason": put("spec", "waivers", 0, "reason", file=PLATFORM_FILE),
}
COHORTS = {"cohort": put("spec", "rollout", "steps", 0, "cohort", "exact")}
ANY = {
    "allowed value": put("spec", "service", "inputs", "text", "values", 0),
    "last allowed value": put("spec", "service", "inputs", "text", "values", 1),
    "group": put("spec", "service", "attributes", "colour", 0),
    "selected": put("spec", "service", "positive", 0),
    "platform's group": put("spec", "attributes", "region", 0, file=PLATFORM_FILE),
}
FIELDS = {
    **{("canary", name): change for name, change in (LINES | ANY | COHORTS).items()},
    **{("blue-green", name): (LINES | ANY)[name] for name in ("owner", "variable", "allowed value")},
}
LINE = re.compile(r"[^\x00-\x1f\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff]{1,500}")


def outcome(folder: Path, key: tuple[str, str], text: str) -> Outcome:
    files = repository(key[0])
    FIELDS[key](files, text)
    return run_files(folder, {name: json.dumps(tree).encode() for name, tree in files.items()})


# Their controllers look for {{…}} in every string of the object, and refuse what they do not know.
_EXPANDED = {"AnalysisTemplate", "Workflow"}


@cache
def plain(key: tuple[str, str]) -> Counter[Any]:
    """The shape with a harmless text."""
    with tempfile.TemporaryDirectory() as folder:
        found = outcome(Path(folder), key, SLOT)
        assert found.errors == []
        return shape(found)


def shape(found: Outcome) -> Counter[Any]:
    """Every (file, path, type) of all objects, the structure of every Python file, and what other programs expand."""
    pairs: Counter[Any] = Counter()
    for name, text in found.files.items():
        if name.endswith(".yaml"):
            both = ryaml.loads(text)
            pairs.update((name, *pair) for pair in _pairs(both))
            if both.get("kind") in _EXPANDED:
                tokens = (token for value in _strings(both) for token in re.findall(r"\{\{.*?\}\}", value))
                pairs.update(("expanded", name, token) for token in tokens)
        elif name.endswith(".py"):
            tree = ast.parse(text)
            pairs.update((name, type(node).__name__) for node in ast.walk(tree))
        else:
            pairs[name, len(text.splitlines())] += 1
    return pairs


def _pairs(tree: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[tuple[Any, ...], str]]:
    yield path, type(tree).__name__
    if isinstance(tree, dict):
        for key, value in tree.items():
            # The lock's data sets stand under their references, in the JSON that gate pods get.
            named = "a data set" if path[-2:] == ("lock", "data") else key
            yield from _pairs(value, (*path, named))
    elif isinstance(tree, list):
        for index, value in enumerate(tree):
            yield from _pairs(value, (*path, index))
    elif isinstance(tree, str):
        yield from ((("inside", *path, *inner), kind) for inner, kind in _inside(tree))


def _inside(text: str) -> Iterator[tuple[tuple[Any, ...], str]]:
    """Text in another language inside a scalar: JSON, and PromQL without its strings."""
    if text.startswith('{"'):
        with suppress(ValueError):  # what is JSON no more has lost its pairs, and that is seen
            yield from _pairs(json.loads(text))
    elif "rollouts_pod_template_hash" in text or "sluice_" in text:
        yield (re.sub(r'"(?:[^"\\]|\\.)*"', "S", re.sub(r"\{\{args[^}]*\}\}", "A", text)),), "query"


def _strings(tree: Any) -> Iterator[str]:
    if isinstance(tree, str):
        yield tree
    for item in tree.values() if isinstance(tree, dict) else tree if isinstance(tree, list) else ():
        yield from _strings(item)


def judged(folder: Path, key: tuple[str, str], text: str) -> None:
    found = outcome(folder, key, text)
    if found.errors:
        assert not any("/shop/ranker/" in name for name in found.files)
        return
    before, after = plain(key), shape(found)
    assert after - before == Counter()
    assert before - after == Counter()


NASTY = [text for text in TEXTS if len(text) <= 500] + [
    "'; import os; os.system('touch pwned'); '", '"""\nimport os\n"""', "\\", "\\\\", "\\'", 'a"b', "{{args.x}}", "{{ args.x }}",
    "a{{b", "{{{{args.x}}}}", "$(SLUICE_SERVED_BY)", "$$(x)", "- x\n- y", "x: {y: z}", "[x, y]", "?", ": ", " #", "a #b: c",
    "0", "-1", "1.5", "True", "None", "=", "<<", "*", "2026-11-23", "```\nx\n```", "<script>", "\x1b[2J", "\u202e", "a  b",
]  # fmt: skip


@pytest.mark.parametrize("key", FIELDS, ids=" ".join)
def test_no_text_escapes_its_place(key: tuple[str, str], tmp_path: Path):
    plain(key)  # the spec itself is valid, so that what is refused is the text
    texts = NASTY if key[1] in ANY else [text for text in NASTY if LINE.fullmatch(text)]
    assert len(texts) > 40
    if (
        key[0] == "blue-green"
    ):  # most of its files are those of a canary: each field gets a third of the texts
        texts = texts[sorted(FIELDS).index(key) % 3 :: 3]
    escaped = {}
    for text in texts:
        try:
            judged(tmp_path, key, text)
        except Exception as error:  # noqa: BLE001 - every text is reported, not only the first
            escaped[text] = f"{type(error).__name__}: {str(error)[:300]}"
    assert escaped == {}


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.sampled_from(sorted(FIELDS)), st.text(min_size=1, max_size=20))
def test_no_generated_text_escapes_its_place(key: tuple[str, str], text: str):
    if key[1] not in ANY and not LINE.fullmatch(text):
        return
    with tempfile.TemporaryDirectory() as folder:
        judged(Path(folder), key, text)


@pytest.mark.parametrize("place", [("model", "resolved"), ("data", "dvc:a", "resolved")], ids=".".join)
def test_what_a_reference_resolved_to_takes_no_free_text(place: tuple[str, ...], tmp_path: Path):
    plain(("canary", "owner"))
    taken = []
    for text in NASTY:
        files = repository("canary")
        put(*place, file=LOCK_FILE)(files, text)
        found = run_files(tmp_path, {name: json.dumps(tree).encode() for name, tree in files.items()})
        if not found.errors or any("/shop/ranker/" in name for name in found.files):
            taken.append(text)
    assert taken == []


@pytest.mark.parametrize("key", FIELDS, ids=" ".join)
def test_a_text_is_rendered_as_a_whole(key: tuple[str, str], tmp_path: Path):
    """Where a text stands it is a whole scalar, or a whole string of the JSON or the query in that scalar."""
    marker = 'm"a\\r: #{k}'
    found = outcome(tmp_path, key, marker)
    assert found.errors == []
    for name, item in found.objects.items():
        for value in _strings(item):
            if "m" not in value or "{k}" not in value:
                continue
            inside = (
                [*_strings(json.loads(value))]
                if value.startswith('{"')
                else re.findall(r'"((?:[^"\\]|\\.)*)"', value)
            )
            unquoted = [text.replace('\\"', '"').replace("\\\\", "\\") for text in inside]
            whole = {value, *inside, *unquoted}
            prose = any(marker in part and part.replace(marker, "") in _PROSE for part in whole)
            assert marker in whole or prose, (name, value)


_PROSE = {f"@{DIGEST}", " (boss, until 2099-01-31)", "Models of shop in live (shop@example.com, )", " (3)"}
