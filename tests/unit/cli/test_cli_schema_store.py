"""`sluice schema --store`: what the JSON Schema Store takes, compared with its own rules and with our schemas."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from click.testing import CliRunner

from generator.cli.main import cli
from generator.report.schemas import SCHEMAS
from generator.source.reader import read
from tests.unit.cli.conftest import CHECKOUT
from tests.unit.cli.rich_spec import CONTAINER, RICH
from tests.unit.cli.test_cli_schema import JUNK, dropped, replaced, walk
from tests.unit.report.formats.test_formats_sarif_schema import official_schema

MODELS = ("shop/recommender", "risk/fraud", "support/ticket-classifier")


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("store")
    done = CliRunner().invoke(cli, ["schema", "--store", str(folder)])
    assert done.exit_code == 0, done.output
    return folder


def test_the_entries_fit_the_catalog_and_name_the_files(store: Path):
    catalog = json.loads((store / "catalog.json").read_text())
    mark = '"id": "https://json.schemastore.org/schema-catalog.json"'
    jsonschema.Draft4Validator(official_schema(mark)).validate(catalog)
    schemas = sorted(path.name for path in store.glob("sluice-*.json"))
    assert sorted(entry["url"].rpartition("/")[2] for entry in catalog["schemas"]) == schemas
    for entry in catalog["schemas"]:
        # What its checks refuse: the word in a name, patterns from the root, patterns that match files of others.
        assert "schema" not in f"{entry['name']} {entry['description']}".lower()
        assert all(match.startswith("**/specs/") for match in entry.get("fileMatch", ["**/specs/"]))
        document = json.loads((store / entry["url"].rpartition("/")[2]).read_text())
        assert document["$id"] == entry["url"]
        jsonschema.Draft7Validator.check_schema(document)
        text = json.dumps(document)
        assert not any(
            f'"{word}"' in text
            for word in ("$defs", "dependentRequired", "prefixItems", "unevaluatedProperties")
        )


def nodes(value: Any) -> list[dict[str, Any]]:
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    own = [value] if isinstance(value, dict) else []
    return [*own, *(node for item in inner for node in nodes(item))]


@pytest.mark.parametrize("name", ["model", "platform"])
def test_draft_07_accepts_and_refuses_the_same(store: Path, name: str):
    old = jsonschema.Draft7Validator(json.loads((store / f"sluice-{name}.json").read_text()))
    new = jsonschema.Draft202012Validator(SCHEMAS[name]())
    files = [read(CHECKOUT / f"specs/{model}.yaml").data for model in MODELS]
    documents = (
        [*files, RICH, CONTAINER] if name == "model" else [read(CHECKOUT / "specs/platform.yaml").data]
    )
    assert not [node for node in nodes(old.schema) if isinstance(node.get("$ref"), str) and len(node) > 1]
    refused = 0
    for document in documents:
        assert old.is_valid(document)
        for number, path in enumerate(walk(document)[1::3]):
            changed = (
                replaced(document, path, JUNK[number % len(JUNK)])
                if number % 2
                else dropped(copy.deepcopy(document), path)
            )
            assert old.is_valid(changed) == new.is_valid(changed), path
            refused += not new.is_valid(changed)
    assert refused > 30
