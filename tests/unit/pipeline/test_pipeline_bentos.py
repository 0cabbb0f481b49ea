"""A model whose tier wants its image by digest: what the image is built from comes first, its bundles wait."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from generator.gates.document import own_digest
from generator.source.canonical import canonical_document

MODEL = "risk/fraud"
BENTO = "rendered/bentos/risk/fraud"
BUNDLES = ("rendered/staging/risk/fraud", "rendered/production/risk/fraud")


@pytest.fixture
def first(repository: Path) -> Path:
    """The example repository before the image of its regulated model was ever built."""
    lock = repository / "specs/risk/fraud.lock.yaml"
    lock.write_text(lock.read_text().partition("# A stand-in")[0])
    return repository


def files(root: Path, folder: str) -> list[str]:
    return sorted(path.name for path in (root / folder).glob("*"))


def test_bundles_wait_and_the_bento_is_written(first, sluice):
    done = sluice("render")
    assert done.exit_code == 1
    assert "error[TIER313]" in done.output
    assert {"IMAGE", "bentofile.yaml", "service.py"} <= set(files(first, BENTO))
    assert [files(first, folder) for folder in BUNDLES] == [[], []]
    assert files(first, "rendered/production/shop/recommender"), "other models are rendered"
    listed = sluice("ci", "images", "--format", "json").output
    assert f'"model": "{MODEL}"' in listed
    assert (first / BENTO / "IMAGE").read_text().strip() in listed


def test_a_pipeline_that_wants_the_bento_alone_is_green(first, sluice):
    done = sluice("render", MODEL, "--bentos")
    assert (done.exit_code, "error" in done.output) == (0, False), done.output
    assert "IMAGE" in files(first, BENTO)
    assert sorted(path.name for path in (first / "rendered").iterdir() if path.is_dir()) == ["bentos"]
    assert sluice("render", MODEL, "--bentos", "--check").exit_code == 0
    assert sluice("render", MODEL, "--check").exit_code == 1


def test_what_else_is_wrong_is_not_forgiven(first, sluice):
    spec = first / "specs/risk/fraud.yaml"
    spec.write_text(spec.read_text().replace("{weight: 1%, hold: 2h}", "{weight: 2%, hold: 2h}"))
    for arguments in ((), ("--bentos",)):
        done = sluice("render", MODEL, *arguments)
        assert done.exit_code == 1
        assert "error[TIER301]" in done.output
        assert files(first, BENTO) == []


def next_version(root: Path) -> None:
    """Release version 13 of the model: pinned, its gates run, its image not built yet."""
    spec, lock, evidence = (
        root / f"specs/risk/fraud{end}" for end in (".yaml", ".lock.yaml", ".evidence.json")
    )
    texts = {path: path.read_text().replace("mlflow:fraud/12", "mlflow:fraud/13") for path in (spec, lock)}
    spec.write_text(texts[spec])
    lock.write_text(texts[lock].partition("# A stand-in")[0].replace('version: "12"', 'version: "13"'))
    data = json.loads(evidence.read_text().replace("mlflow:fraud/12", "mlflow:fraud/13"))
    for record in (*data["predicate"]["gates"], data):
        record["digest"] = own_digest(record)
    evidence.write_text(canonical_document(data))


def test_the_bundles_of_the_last_version_stay_while_the_next_one_waits(repository, sluice):
    assert sluice("render").exit_code == 0
    before = (repository / BUNDLES[1] / "rollout-main.yaml").read_bytes()
    bento = (repository / BENTO / "IMAGE").read_text()
    next_version(repository)
    done = sluice("render")
    assert done.exit_code == 1
    assert "error[TIER313]" in done.output
    assert done.output.count("error[") == 1, done.output
    assert (repository / BUNDLES[1] / "rollout-main.yaml").read_bytes() == before
    assert (repository / BENTO / "IMAGE").read_text() != bento


def test_bentos_of_models_that_are_whole_are_the_same_ones(repository, sluice):
    assert sluice("render", "--bentos").exit_code == 0
    assert sorted(path.name for path in (repository / "rendered").iterdir() if path.is_dir()) == ["bentos"]
    found = {
        path: path.read_bytes() for path in (repository / "rendered/bentos").rglob("*") if path.is_file()
    }
    assert sluice("render").exit_code == 0
    assert {path: path.read_bytes() for path in found} == found
    assert sluice("render", "--bentos").exit_code == 0
    assert (repository / BUNDLES[1] / "rollout-main.yaml").exists(), "nothing is pruned"
