"""Services and routes that keep a name: every reference follows, for every router and both strategies."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from generator.lint import verify
from generator.pipeline.render import plan_render
from generator.pipeline.session import Session
from generator.pipeline.stale import RenderRequest
from generator.plan.describe import describe
from generator.plan.release_key import release_key
from tests import golden
from tests.unit.render.test_render_linted import INTENDED

CASES = [case for case in golden.cases() if case.startswith(("canary-", "bluegreen-"))]
NAMES = {"service": "recs", "newService": "recs-next", "route": "recs-web"}
ROUTES = {"HTTPRoute", "VirtualService", "IngressRoute", "Ingress"}
OURS = r"(ranker|recs)(-[a-z]+)*"
ALONE = {"ranker-feedback", "ranker-shadow"}
"""Objects that keep the name of the model: nothing outside of the bundle knows it."""


def kept(case: str) -> dict[str, str]:
    """The names that a case can keep: without a router a canary has one Service, and nothing has a route."""
    if case == "canary-none":
        return {"service": "recs"}
    return {key: name for key, name in NAMES.items() if key != "route" or not case.endswith("-none")}


def texts(value: Any) -> Iterator[str]:
    """Every text in a value."""
    if isinstance(value, str):
        yield value
    for inner in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from texts(inner)


def session(case: str, root: Path) -> Session:
    """The repository of a case with kept names."""
    text = ", ".join(f"{key}: {name}" for key, name in kept(case).items())
    for file in (golden.CASES / case / "specs").rglob("*.yaml"):
        content = file.read_text()
        if file.name == "ranker.yaml":
            content, found = re.subn(r"(traffic: \{)", rf"\1names: {{{text}}}, ", content)
            if not found:
                content += f"  traffic: {{names: {{{text}}}}}\n"
        path = root / file.relative_to(golden.CASES / case)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)
    return Session(root, golden.TODAY)


def written(session: Session, output: Path) -> list[dict[str, Any]]:
    """The objects that a repository renders to, which are written to a folder."""
    plan = plan_render(session, RenderRequest(output))
    assert {f.code for f in plan.findings if f.severity == "error"} <= {"PLAT919"}
    for bundle in plan.bundles():
        for name, text in bundle.files.items():
            path = output / bundle.path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
    found = (yaml.safe_load(path.read_text()) for path in output.rglob("*.yaml"))
    return [item for item in found if isinstance(item, dict) and "kind" in item]


@pytest.mark.parametrize("case", CASES)
def test_every_reference_to_a_kept_name_is_right(case: str, tmp_path: Path):
    objects = written(session(case, tmp_path / "repository"), tmp_path / "rendered")
    named = {(item["kind"], item["metadata"]["name"]) for item in objects}
    names = kept(case)
    services = {name for kind, name in named if kind == "Service"} - ALONE
    assert services == {names[key] for key in ("service", "newService") if key in names}
    routes = {name for kind, name in named if kind in ROUTES} - ALONE
    assert routes == ({names["route"]} if "route" in names else set())
    (rollout,) = [item for item in objects if item["kind"] == "Rollout"]
    assert rollout["metadata"]["name"] == "ranker"
    strategy = set(texts(rollout["spec"]["strategy"]))
    assert services <= strategy or case == "canary-none"
    assert routes <= strategy or case.startswith("bluegreen-")
    own = {
        item["metadata"]["name"] for item in objects if item["kind"] in {*ROUTES, "Service", "TraefikService"}
    }
    for item in objects:
        if item["kind"] in ROUTES | {"TraefikService"}:
            assert {text for text in texts(item["spec"]) if re.fullmatch(OURS, text)} <= own
    bundle = "".join(
        path.read_text() for path in (tmp_path / "rendered").rglob("*.yaml") if path.parent.name == "ranker"
    )
    assert not re.search(r"ranker-(stable|canary|active)\b", bundle)
    assert not re.search(r"//ranker-preview\b", bundle)
    found = verify(tmp_path / "rendered")
    told = [f for f in found.findings if f.severity != "info" and f.code not in INTENDED]
    assert [f"{f.place}: {f.code} {f.message}" for f in told] == []


def test_kept_names_are_values_of_the_plan_and_start_no_release(tmp_path: Path):
    own = Session(golden.CASES / "canary-istio", golden.TODAY)
    ours = session("canary-istio", tmp_path)
    (before,), (after,) = ([*s.resolve(s.entries[0]).plans] for s in (own, ours))
    assert release_key(before.plan) == release_key(after.plan)
    lines = {value.label: value.text for value in describe(after)}
    changed = {
        label: text for label, text in lines.items() if label.startswith("route") and text.startswith("recs")
    }
    assert changed == {"route service": "recs", "route new service": "recs-next", "route name": "recs-web"}
    assert not any(value.text.startswith("recs") for value in describe(before))
