"""The schemas agree with the loader, on what people write and on what they write wrongly."""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from generator.plan.repository import Repository
from generator.plan.resolve import no_digest, resolve
from generator.report.schemas import SCHEMAS, schema_text
from generator.source.reader import read
from tests.unit.cli.conftest import CHECKOUT
from tests.unit.cli.rich_spec import CONTAINER, RICH

SPECS = CHECKOUT / "specs"
MODELS = ("shop/recommender", "risk/fraud", "support/ticket-classifier")
Path_ = tuple[str | int, ...]


def validator(name: str) -> jsonschema.Draft202012Validator:
    return jsonschema.Draft202012Validator(json.loads(schema_text(name)))


MODEL, PLATFORM = validator("model"), validator("platform")


@pytest.mark.parametrize("name", sorted(SCHEMAS))
def test_the_committed_schemas_are_current(name):
    file = CHECKOUT / "docs" / "schema" / f"{name}.json"
    assert file.read_text() == schema_text(name), "run: sluice schema --write docs/schema"


@pytest.mark.parametrize("name", sorted(SCHEMAS))
def test_schemas_are_schemas_with_an_identity(name):
    schema = json.loads(schema_text(name))
    jsonschema.Draft202012Validator.check_schema(schema)
    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert schema["$id"].endswith(f"/{name}.json")
    assert schema["title"]


def test_schema_prints_the_model_by_default_and_writes_all(tmp_path: Path, sluice):
    assert sluice("schema").stdout == sluice("schema", "model").stdout == schema_text("model")
    assert sluice("schema", "--write", tmp_path / "deep" / "schema").exit_code == 0
    assert sorted(file.name for file in (tmp_path / "deep" / "schema").iterdir()) == sorted(
        f"{n}.json" for n in SCHEMAS
    )
    assert sluice("schema", "modle").exit_code == 2


def properties(node: Any) -> list[dict[str, Any]]:
    if isinstance(node, list):
        return [found for inner in node for found in properties(inner)]
    if not isinstance(node, dict):
        return []
    own = list(node["properties"].values()) if isinstance(node.get("properties"), dict) else []
    return own + [found for inner in node.values() for found in properties(inner)]


@pytest.mark.parametrize("name", ["model", "platform", "lock"])
def test_every_key_has_a_title_a_description_and_examples_and_defaults_that_fit(name):
    schema = json.loads(schema_text(name))
    checked = 0
    for entry in properties(schema):
        if entry == {"not": {"type": "null"}}:
            continue
        assert entry.get("title"), entry
        assert entry["description"], entry
        whole = jsonschema.Draft202012Validator({**entry, "$defs": schema["$defs"]})
        for value in [*entry.get("examples", []), *([entry["default"]] if "default" in entry else [])]:
            checked += 1
            whole.validate(value)
    assert checked > 5


def test_units_are_explained():
    hold = json.loads(schema_text("model"))["$defs"]["WeightStep"]["properties"]["hold"]
    assert "ms, s, m, h or d" in hold["description"]


@pytest.mark.parametrize("file", sorted(SPECS.glob("*/*.yaml")), ids=lambda file: file.name)
def test_the_example_files_fit(file: Path):
    kind = "lock" if file.name.endswith(".lock.yaml") else "model"
    validator(kind).validate(read(file).data)
    assert f"docs/schema/{kind}.json" in file.read_text() or kind == "lock"


def test_the_example_platform_fits():
    PLATFORM.validate(read(SPECS / "platform.yaml").data)


def test_a_specs_own_form_asks_for_what_no_tier_can_give():
    minimal = {
        "apiVersion": "sluice.dev/v1alpha1",
        "kind": "Model",
        "metadata": {"name": "a", "team": "b", "owner": "c"},
        "spec": {"tier": "t", "model": {"ref": "mlflow:a/1", "framework": "sklearn"}},
    }
    MODEL.validate(minimal)
    paths = [
        ("apiVersion",),
        ("kind",),
        ("metadata", "owner"),
        ("spec",),
        ("spec", "tier"),
        ("spec", "model"),
    ]
    for path in [*paths, ("spec", "model", "ref"), ("spec", "model", "framework")]:
        assert not MODEL.is_valid(dropped(minimal, path)), path


# The loader and the schema on one mutation of a spec that is right.

STRUCTURAL = ("SPEC", "SRC", "REF211")
JUNK: list[Any] = [None, True, 7, -1, 0.5, "x", "5", "5%", "60m", "no unit", "", [], ["x"], {}, {"zz": 1}]


def walk(value: Any, path: Path_ = ()) -> list[Path_]:
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path, *(found for key, child in inner for found in walk(child, (*path, key)))]


def at(value: Any, path: Path_) -> Any:
    for part in path:
        value = value[part]
    return value


def replaced(data: Any, path: Path_, value: Any) -> Any:
    out = copy.deepcopy(data)
    at(out, path[:-1])[path[-1]] = value
    return out


def dropped(data: Any, path: Path_) -> Any:
    out = copy.deepcopy(data)
    del at(out, path[:-1])[path[-1]]
    return out


def _swapped(data: Any, path: Path_, value: Any) -> Any:
    """A value of another type; an empty mapping would be valid where a tier may fill it."""
    empty = (
        value == {} and isinstance(at(data, path), dict) and not any(isinstance(part, int) for part in path)
    )
    return data if empty else replaced(data, path, value)


def mutations(data: Any) -> st.SearchStrategy[Any]:
    paths = walk(data)
    unknown = [path for path in paths if isinstance(at(data, path), dict)]
    in_lists = [
        path
        for path in paths
        if isinstance(path[-1:] and path[-1], str) and any(isinstance(p, int) for p in path)
    ]
    wrong = st.builds(
        lambda path, value: _swapped(data, path, value), st.sampled_from(paths[1:]), st.sampled_from(JUNK)
    )
    added = st.builds(
        lambda path, key: replaced(data, (*path, key), 1),
        st.sampled_from(unknown),
        st.sampled_from(["zzz", "min_rps", "a b"]),
    )
    missing = st.builds(lambda path: dropped(data, path), st.sampled_from(in_lists))
    return wrong | added | missing if in_lists else wrong | added


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    import shutil

    root = tmp_path_factory.mktemp("schema")
    shutil.copytree(SPECS, root / "specs")
    for spec in (RICH, CONTAINER):
        (root / "specs" / "shop" / f"{spec['metadata']['name']}.yaml").write_text(json.dumps(spec))
    return root


def accepts(root: Path, model: str) -> list[str]:
    repository = Repository(root)
    (entry,) = [entry for entry in repository.entries if entry.name == model]
    assert repository.platform is not None, repository.findings
    found = resolve(repository, entry, no_digest).findings
    return structural(f"{f.code} {f.message}" for f in found if f.code.startswith(STRUCTURAL))


def structural(messages: Iterable[str]) -> list[str]:
    """Without those about well-formed values that no pattern can refuse: a time out of its bounds, two bounds in disorder."""
    well_formed = re.compile(
        r"invalid value `[0-9.]+(ms|s|m|h|d)`: a time has a unit: .*; (here|at most) |no number is allowed: `minimum` is "
    )
    return [message for message in messages if not well_formed.search(message)]


def original(model: str) -> Any:
    written = {"shop/rich": RICH, "shop/container": CONTAINER}
    return written[model] if model in written else read(SPECS / f"{model}.yaml").data


@pytest.mark.parametrize("model", [*MODELS, "shop/rich", "shop/container"])
def test_the_originals_are_accepted_by_both(tree: Path, model: str):
    MODEL.validate(original(model))
    assert accepts(tree, model) == []


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@pytest.mark.parametrize("model", [*MODELS, "shop/rich", "shop/container"])
@given(data=st.data())
def test_schema_and_loader_agree_on_a_mutated_spec(tree: Path, model: str, data: st.DataObject):
    mutated = data.draw(mutations(original(model)))
    file = tree / "specs" / f"{model}.yaml"
    kept = file.read_text()
    file.write_text(json.dumps(mutated))
    try:
        loader = accepts(tree, model)
    finally:
        file.write_text(kept)
    schema = [error.message for error in MODEL.iter_errors(mutated)]
    assert bool(loader) is bool(schema), (loader, schema, mutated)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_schema_and_loader_agree_on_a_mutated_platform(tree: Path, data: st.DataObject):
    platform = copy.deepcopy(read(SPECS / "platform.yaml").data)
    for tier in platform["spec"]["tiers"].values():
        # What a tier gives by default is judged where a model uses it.
        tier.pop("defaults")
    mutated = data.draw(mutations(platform))
    root = tree / "platform"
    (root / "specs").mkdir(parents=True, exist_ok=True)
    (root / "specs" / "platform.yaml").write_text(json.dumps(mutated))
    repository = Repository(root)
    loader = [] if repository.platform else structural(f.message for f in repository.findings)
    schema = [error.message for error in PLATFORM.iter_errors(mutated)]
    assert bool(loader) is bool(schema), (loader, schema, mutated)


@pytest.mark.parametrize(
    ("definition", "key", "bounds"),
    [
        ("WeightStep", "hold", "1s to 30d"),
        ("ServicePart", "timeout", "10ms to 1h"),
        ("OutcomePart", "delay", "at most 30d"),
    ],
)
def test_each_time_says_its_own_bounds(definition, key, bounds):
    """Units that share a pattern keep their explanations apart."""
    described = json.loads(schema_text("model"))["$defs"][definition]["properties"][key]["description"]
    assert bounds in described
