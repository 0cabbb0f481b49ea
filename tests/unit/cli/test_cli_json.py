"""JSON of commands that report: each document fits the schema that it names, and says what the text says."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import jsonschema
import pytest
from click.testing import CliRunner

from generator.cli.main import cli
from generator.report.schemas import schema_text
from tests.unit.cli.edits import git
from tests.unit.cli.test_cli_postmortem import ABORT, Repository

CHECKOUT = Path(__file__).resolve().parents[3]
CLOCK = {"SOURCE_DATE_EPOCH": "1795392000"}
PRINTED = {
    "validate": "findings",
    "render --check": "check",
    "codeowners --check": "check",
    "ci github --check": "check",
    "ci gitlab --check": "check",
    "explain REF": "codes",
    "templates": "templates",
    "gates check": "findings",
    "verify rendered/production/shop": "findings",
    "doctor": "doctor",
}
"""Commands on the example repository, and the schema of their JSON."""
ELSEWHERE = {
    "audit", "calibrate", "design", "diff", "gates run", "gates verify-signature", "import", "odds", "pin", "plan", "postmortem", "promote", "replay",
    "status", "track-record", "try",
}  # fmt: skip
"""Commands whose own tests compare the JSON with its schema, or that print findings as `validate` does."""
WITHOUT = {"ci images"}
"""A list for the job matrix of a host of CI, which decides its form."""


def document(text: str, name: str) -> dict[str, Any]:
    found = json.loads(text)
    jsonschema.validate(found, json.loads(schema_text(name)))
    assert found["schema"].startswith(f"sluice/{name}/")
    return found


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The example repository with all that Sluice writes."""
    root = tmp_path_factory.mktemp("made") / "repository"
    shutil.copytree(CHECKOUT / "specs", root / "specs")
    git(root, "init", "-q", "-b", "main")
    for words in ("render",), ("codeowners",), ("ci", "github"):
        done = CliRunner(env=CLOCK).invoke(cli, [*words, "--root", str(root)])
        assert done.exit_code == 0, done.output
    git(root, "add", "-A")
    git(root, "commit", "-qm", "one")
    return root


@pytest.fixture
def whole(made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of it, which is also the current folder."""
    root = tmp_path / "repository"
    shutil.copytree(made, root)
    monkeypatch.chdir(root)
    monkeypatch.setenv("SOURCE_DATE_EPOCH", CLOCK["SOURCE_DATE_EPOCH"])
    return root


def test_the_json_fits_its_schema(whole: Path, sluice):
    for line, name in PRINTED.items():
        done = sluice(*line.split(), "--format", "json")
        assert done.exit_code in {0, 1}, done.output
        document(done.stdout, name)


def leaves(group: click.Group, before: str = "") -> Iterator[tuple[str, click.Command]]:
    for name in group.list_commands(click.Context(group)):
        command = group.get_command(click.Context(group), name)
        assert command is not None
        if isinstance(command, click.Group):
            yield from leaves(command, f"{before}{name} ")
        else:
            yield f"{before}{name}", command


def test_every_command_with_json_is_compared_with_a_schema():
    found = {
        name
        for name, command in leaves(cli)
        for one in command.params
        if "--format" in one.opts and "json" in getattr(one.type, "choices", ())
    }
    tried = {name for name in found if any(f"{line} ".startswith(f"{name} ") for line in PRINTED)}
    assert found == tried | ELSEWHERE | WITHOUT


def states(done) -> dict[str, str]:
    found = document(done.stdout, "check")
    assert found["ok"] is (done.exit_code == 0)
    return {one["path"]: one["state"] for one in found["files"]}


def test_a_check_of_rendered_files_names_each_that_differs_and_how(whole: Path, sluice):
    check = ("render", "--check", "--format", "json")
    fine = sluice(*check)
    assert states(fine) == {}
    assert json.loads(fine.stdout)["compared"] > 100
    model = whole / "rendered/production/shop/recommender"
    (model / "rollout-main.yaml").write_text("kind: Rollout\n")
    (model / "service-stable.yaml").unlink()
    (model / "notes.md").write_text("mine\n")
    (whole / "rendered/production/argocd/ghost.yaml").write_text("kind: Application\n")
    found = states(sluice(*check))
    below = "rendered/production/shop/recommender"
    assert found == {
        f"{below}/rollout-main.yaml": "edited",
        f"{below}/service-stable.yaml": "missing",
        f"{below}/notes.md": "note",
        "rendered/production/argocd/ghost.yaml": "foreign",
    }


def test_a_check_compares_nothing_of_a_model_with_errors_and_has_its_findings(whole: Path, sluice):
    spec = whole / "specs/shop/recommender.yaml"
    spec.write_text(spec.read_text().replace("weight: 5%", "weight: 99%"))
    done = sluice("render", "--check", "--format", "json")
    assert states(done)["rendered/production/shop/recommender"] == "not-compared"
    found = json.loads(done.stdout)["findings"]
    assert {one["place"]["file"] for one in found if one["severity"] == "error"} == {
        "specs/shop/recommender.yaml"
    }


def test_a_check_of_files_around_the_bundles_knows_stale_from_edited(whole: Path, sluice):
    platform = whole / "specs/platform.yaml"
    platform.write_text(platform.read_text().replace("shop-ml@example.com", "shop-two@example.com"))
    workflow = ".github/workflows/sluice.yml"
    (whole / workflow).write_text("on: push\n")
    images = ".github/workflows/sluice-images.yml"
    (whole / images).unlink()
    assert states(sluice("codeowners", "--check", "--format", "json")) == {"CODEOWNERS": "stale"}
    found = states(sluice("ci", "github", "--check", "--format", "json"))
    assert (found[workflow], found[images]) == ("edited", "missing")
    assert states(sluice("render", "--check", "--format", "json"))["CODEOWNERS"] == "stale"


def test_a_row_that_takes_what_is_the_platforms_is_a_problem(whole: Path, sluice):
    file = whole / "CODEOWNERS"
    file.write_text(file.read_text() + "/specs/ @everybody\n")
    done = sluice("codeowners", "--check", "--format", "json")
    assert states(done) == {}
    assert "/specs/" in json.loads(done.stdout)["problems"][0]


WRITES = (
    "render",
    "render --diff",
    "codeowners",
    "ci github",
    "ci gitlab",
    "explain --write pages",
    "templates --copy kubernetes/service.yaml.j2",
)


def test_json_of_what_writes_is_refused_and_nothing_is_written(whole: Path, sluice):
    for line in WRITES:
        done = sluice(*line.split(), "--format", "json")
        assert done.exit_code == 2, done.output
    assert git(whole, "status", "--porcelain") == ""


def test_explain_has_the_codes_that_are_meant(sluice):
    def codes(*words: str) -> list[str]:
        return [
            one["code"] for one in json.loads(sluice("explain", *words, "--format", "json").stdout)["codes"]
        ]

    assert codes("ref202") == ["REF202"]
    assert len(codes("REF")) > 1
    assert {code.rstrip("0123456789") for code in codes("REF")} == {"REF"}
    assert set(codes()) > set(codes("REF"))
    assert sluice("explain", "NONSENSE", "--format", "json").exit_code == 2


def test_templates_have_the_state_of_each(whole: Path, sluice):
    assert sluice("templates", "--copy", "kubernetes/_pod.yaml.j2").exit_code == 0
    (whole / "templates/kubernetes/servce.yaml.j2").write_text("kind: Service\n")
    found = json.loads(sluice("templates", "--format", "json").stdout)["templates"]
    by_name = {one["name"]: (one["state"], one["near"]) for one in found}
    assert by_name["kubernetes/_pod.yaml.j2"] == ("overridden", "")
    assert by_name["kubernetes/servce.yaml.j2"] == ("added", "kubernetes/service.yaml.j2")
    assert by_name["kubernetes/service.yaml.j2"] == ("built-in", "")


def test_a_postmortem_has_its_facts_as_values(tmp_path: Path, sluice):
    made = Repository(tmp_path / "repository")
    made.record(2, ABORT)
    root = ("--root", str(made.root))
    done = sluice("postmortem", "shop/recommender", "--harm", "ctr:drop=50%", *root, "--format", "json")
    found = document(done.stdout, "postmortem")
    assert (found["model"], found["environment"], found["taken_back"]) == (
        "shop/recommender", "production", "",
    )  # fmt: skip
    assert found["harms"] == {"ctr": 0.5}
    assert found["variants"][0]["name"] == "as it was released"
    assert 0 < found["variants"][0]["stops"]["ctr"] <= 1
    assert found["variants"][0]["replay"] is None
    page = sluice("postmortem", "shop/recommender", "--harm", "ctr:drop=50%", *root).stdout
    assert [line[3:] for line in page.splitlines() if line.startswith("## ")] == [
        one["title"] for one in found["sections"]
    ]
