"""Random specs, drawn from the whole language: the same seed gives the same specs."""

from __future__ import annotations

import datetime
import json
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml
from hypothesis import HealthCheck, Phase, assume, given, seed, settings
from hypothesis import strategies as st

from generator.plan.locks import immutable_form
from generator.plan.repository import Repository
from generator.plan.resolve import resolve
from generator.render.bento import Bentos
from generator.rules.evaluate import run_rules
from tests.cluster import variants
from tests.cluster.repository import templates

Model = tuple[str, dict[str, Any]]
"""A router and a spec."""

_DATA = ("dvc:data/a.parquet", "dvc:data/b.parquet", "s3://bucket/c d", "https://data.example.com/e?f=g&h")
_TODAY = datetime.date(2026, 11, 23)
_DIGEST = "sha256:" + "5e" * 32
# Free text as people paste it: quotes, braces of templates, colons, other scripts, what YAML reads as something else.
_ALPHABET = "aZ09 _-.:/@#%&*!?|>'\"`{}[]()$\\,;=~^+<äß漢é"
_WORDS = st.text(_ALPHABET, min_size=1, max_size=40) | st.sampled_from(
    [
        "yes",
        "null",
        "0x1F",
        "1e3",
        "- a",
        "{{inputs.parameters.gate}}",
        "${HOME}",
        "a: b # c",
        "~",
        "2026-11-23",
    ]
)
_NAMES = st.from_regex(r"[a-z](?:[a-z0-9-]{0,20}[a-z0-9])?", fullmatch=True)
_KEYS = st.from_regex(r"[A-Za-z_][A-Za-z0-9_]{0,12}", fullmatch=True)
_SHARES = st.sampled_from(["0.5%", "1%", "5%", "12.5%", "40%"])
_HOLDS = st.sampled_from(["1s", "90s", "2m", "1h30m", "24h", "7d"])
# Below the domain of the team, or the rules refuse them.
_HOSTS = st.from_regex(
    r"[a-z0-9]([a-z0-9-]{0,10}[a-z0-9])?(\.[a-z0-9]([a-z0-9-]{0,10}[a-z0-9])?){0,3}\.drawn\.models\.example\.com",
    fullmatch=True,
)


def _some(**parts: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    """Any of these keys."""
    return st.fixed_dictionaries({}, optional=parts)


def _detect() -> st.SearchStrategy[dict[str, Any]]:
    changes = st.sampled_from(["10%", "25%", "50%"])
    return st.fixed_dictionaries({"rise": changes})


def _guards() -> st.SearchStrategy[list[dict[str, Any]]]:
    limits = st.fixed_dictionaries({"limit": _SHARES})
    judged = st.fixed_dictionaries({"detect": _detect(), "baseline": _SHARES}) | limits
    errors = judged.map(lambda how: {"metric": "error-rate", **how})
    slow = judged.map(lambda how: {"metric": "slow-rate", "slowerThan": "250ms", **how})
    clicks = st.sampled_from([{"detect": {"drop": "10%"}}, {"limit": "1%"}]).map(
        lambda how: {"outcome": "ctr", **how}
    )
    fair = st.just({"fairness": "demographic-parity-difference", "sensitive": ["group"], "atMost": 0.1})
    return st.lists(
        st.one_of(errors, slow, clicks, fair), max_size=4, unique_by=lambda guard: str(guard)[:20]
    )


def _gates() -> st.SearchStrategy[list[dict[str, Any]]]:
    data = st.sampled_from(_DATA)
    windows = st.fixed_dictionaries({"reference": data, "current": data})
    kinds = st.one_of(
        st.just({"junit": "reports/junit.xml"}),
        st.fixed_dictionaries({"metric": _KEYS, "atLeast": st.floats(-1e6, 1e6)}),
        st.just({"metric": "accuracy", "against": "champion", "noWorseBy": "1pp", "paired": True}),
        st.sampled_from(["fairlearn", "aequitas"]).map(
            lambda tool: {
                "fairness": "demographic-parity-ratio",
                "sensitive": ["group"],
                "atLeast": 0.8,
                "tool": tool,
            }
        ),
        st.tuples(windows, st.sampled_from(["ks", "chi2", "psi", "alibi-detect"])).map(
            lambda pair: {"drift": {**pair[0], "features": ["amount"]}, "tool": pair[1]}
        ),
        data.map(lambda ref: {"data": {"current": ref, "suite": "expectations/fraud-inputs.json"}}),
        windows.map(lambda pair: {"explain": pair, "atMost": 0.2}),
        _WORDS.map(lambda text: {"custom": f"registry.example.com/own@sha256:{'7' * 64}", "args": [text]}),
    )
    named = st.tuples(_NAMES, kinds).map(lambda pair: {"name": pair[0], **pair[1]})
    return st.lists(named, max_size=4, unique_by=lambda gate: gate["name"])


def _canary(router: str) -> st.SearchStrategy[dict[str, Any]]:
    weights = st.lists(st.integers(1, 100), min_size=1, max_size=5, unique=True).map(sorted)
    steps = st.tuples(weights, _HOLDS).map(
        lambda pair: [{"weight": f"{w}%", "hold": pair[1]} for w in pair[0]]
    )
    before: list[st.SearchStrategy[list[dict[str, Any]]]] = [st.just([]), st.just([{"approve": "risk"}])]
    if router in {"gateway-api", "istio"}:
        header = _some(exact=_WORDS) | _some(prefix=_WORDS) | _some(regex=st.just("^[a-f0-9]+$"))
        before.append(
            header.filter(bool).map(lambda how: [{"cohort": {"header": "x-cohort", **how}, "hold": "5m"}])
        )
    optional = {"guards": _guards(), "noData": st.sampled_from(["fail", "pause"])}
    if router != "none":
        shadow = {"percent": _SHARES, "hold": _HOLDS}
        optional["shadow"] = st.fixed_dictionaries(shadow, optional={"guards": _guards()})
    every = st.tuples(st.one_of(before), steps).map(lambda pair: [*pair[0], *pair[1]])
    return st.fixed_dictionaries({"strategy": st.just("canary"), "steps": every}, optional=optional)


def _blue_green() -> st.SearchStrategy[dict[str, Any]]:
    limits = st.lists(_SHARES.map(lambda share: {"metric": "error-rate", "limit": share}), max_size=1)
    return st.fixed_dictionaries(
        {"strategy": st.just("blue-green")},
        optional={
            "approve": st.sampled_from(["automatic", "manual", "risk"]),
            "guards": limits,
            "watch": _HOLDS,
        },
    )


def _service() -> st.SearchStrategy[dict[str, Any]]:
    variable = st.from_regex(r"[A-Z_][A-Z0-9_]{0,10}", fullmatch=True)
    secret = st.tuples(variable, _NAMES).map(
        lambda pair: {"name": pair[0], "secret": {"name": pair[1], "key": "a.b_c"}}
    )
    plain = st.tuples(variable, _WORDS).map(lambda pair: {"name": pair[0], "value": pair[1]})
    column = st.one_of(
        st.just({"type": "number", "minimum": -1e300}),
        st.lists(_WORDS, min_size=1, max_size=4, unique=True).map(
            lambda values: {"type": "string", "values": values}
        ),
        st.just({"type": "boolean", "nullable": True}),
    )
    return st.fixed_dictionaries(
        {"attributes": st.just({"group": ["a", "b"]}), "positive": st.just([1])},
        optional={
            "env": st.lists(st.one_of(secret, plain), max_size=4, unique_by=lambda env: env["name"]),
            "inputs": st.dictionaries(_KEYS, column, max_size=4),
            "timeout": st.sampled_from(["10ms", "2s", "1h"]),
            "maxRows": st.integers(1, 100_000),
            "workers": st.integers(1, 64),
        },
    )


@st.composite
def models(draw: st.DrawFn) -> Model:
    """A router and a spec that it can serve."""
    router = draw(st.sampled_from(sorted(variants.ROUTERS)))
    spec = {
        "tier": "anything",
        "model": {"ref": f"mlflow:{draw(_NAMES)}/3", "framework": draw(st.sampled_from(["sklearn", "xgboost", "onnx"]))},
        "service": draw(_service()),
        "outcomes": {"ctr": {"kind": "ratio", "event": "click", "baseline": "4%"}},
        "gates": draw(_gates()),
        "rollout": draw(st.one_of(_canary(router), _blue_green())),
        **draw(
            _some(
                traffic=_some(minRps=st.floats(0.1, 1e6), hosts=st.lists(_HOSTS, min_size=1, max_size=3, unique=True)),
                replicas=st.integers(1, 1000),
                autoscaling=st.sampled_from(
                    [{"min": 1, "max": 9, "cpu": "65%"}, {"kind": "keda", "min": 2, "max": 6, "rpsPerPod": 0.5}]
                ),
                resources=_some(
                    cpu=st.sampled_from(["50m", "0.5", "16"]), memory=st.sampled_from(["64Mi", "1G", "3Ti"]),
                    gpu=st.integers(0, 16),
                ),
            )
        ),
    }  # fmt: skip
    metadata = {"name": draw(_NAMES), "team": "drawn", "owner": draw(_WORDS)}
    model = {"apiVersion": "sluice.dev/v1alpha1", "kind": "Model", "metadata": metadata, "spec": spec}
    return router, model


def drawn(examples: Path, count: int, number: int) -> list[Model]:
    """Specs that Sluice would render: they can be planned, and no rule refuses them.

    Args:
        examples: folder of the example specs; its platform is the platform.
        count: how many.
        number: the seed.
    """
    found: list[Model] = []
    quiet = [HealthCheck.too_slow, HealthCheck.filter_too_much, HealthCheck.data_too_large]

    @seed(number)
    @settings(
        max_examples=count, database=None, phases=[Phase.generate], deadline=None, suppress_health_check=quiet
    )
    @given(models())
    def draw(model: Model) -> None:
        with tempfile.TemporaryDirectory() as folder:
            repository = write(Path(folder), examples, model[0], [model[1]])
            resolved = resolve(repository, repository.entries[0], Bentos(templates()).digest)
            judged = run_rules(resolved, _TODAY) if resolved.plans else []
        assume(not any(finding.severity == "error" for finding in (*resolved.findings, *judged)))
        found.append(model)

    draw()
    return found


def write(root: Path, examples: Path, router: str, specs: list[dict[str, Any]]) -> Repository:
    """A repository of drawn specs, one environment, this router; models are numbered, so that no two have one name."""
    shutil.rmtree(root / "specs", ignore_errors=True)
    folder = root / "specs" / "drawn"
    folder.mkdir(parents=True)
    platform = yaml.safe_load((examples / "platform.yaml").read_text())
    spec = platform["spec"]
    spec["environments"] = {
        "live": {**spec["environments"]["production"], "router": variants.ROUTERS[router], "requires": []}
    }
    spec["tiers"] = {"anything": {"evidence": ["git", "cluster"]}}
    spec["teams"] = {"drawn": {"owners": ["drawn@example.com"], "tiers": ["anything"]}}
    spec["waivers"] = []
    (root / "specs" / "platform.yaml").write_text(json.dumps(platform, default=str))
    for number, given_spec in enumerate(specs):
        name = f"{given_spec['metadata']['name'][:20].rstrip('-')}-{number}"
        metadata = {**given_spec["metadata"], "name": name}
        (folder / f"{name}.yaml").write_text(json.dumps({**given_spec, "metadata": metadata}))
        (folder / f"{name}.lock.yaml").write_text(json.dumps(_lock(given_spec["spec"]["model"]["ref"])))
    return Repository(root)


def by_router(found: list[Model]) -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """The specs of each router."""
    for router in variants.ROUTERS:
        specs = [model for for_router, model in found if for_router == router]
        if specs:
            yield router, specs


def _resolved(ref: str) -> str:
    """The immutable form of a reference to data: of dvc a commit, of the others the digest."""
    if ref.startswith("dvc:"):
        return immutable_form(ref).example
    return f"{ref}#sha256={_DIGEST.removeprefix('sha256:')}"


def _lock(ref: str) -> dict[str, Any]:
    model = {
        "ref": ref,
        "resolved": ref,
        "version": "3",
        "digest": _DIGEST,
        "at": "2026-11-23T00:00:00Z",
        "by": "test",
    }
    return {
        "schema": "sluice/lock/v1",
        "model": model,
        "data": {one: {"resolved": _resolved(one), "digest": _DIGEST} for one in _DATA},
    }
