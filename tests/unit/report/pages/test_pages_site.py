"""The folder of pages: written whole, pruned of models that are gone, and never over an index that Sluice did not write."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner

from generator.cli.main import cli
from tests.unit.cli.edits import change, git

CHECKOUT = Path(__file__).resolve().parents[4]


@pytest.fixture
def pages(tmp_path, monkeypatch):
    """Write the pages of a copy of the examples, not in a git repository."""
    root, folder = tmp_path / "repository", tmp_path / "pages"
    shutil.copytree(CHECKOUT / "specs", root / "specs")
    monkeypatch.chdir(root)
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1795392000")

    def write(*arguments: str):
        done = CliRunner().invoke(cli, ["plan", *arguments, "--format", "html", "--output", str(folder)])
        assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
        return done

    return root, folder, write


def names(folder: Path) -> set[str]:
    return {str(file.relative_to(folder)) for file in folder.rglob("*.html")}


def test_the_index_leads_to_every_page_and_a_second_run_changes_nothing(pages):
    root, folder, write = pages
    assert write("--all").exit_code == 0
    found = names(folder)
    models = ("risk/fraud", "shop/recommender", "support/ticket-classifier")
    assert found == {"index.html", *(f"{model}/index.html" for model in models)}
    index = (folder / "index.html").read_text()
    for model in models:
        assert f'href="{model}/index.html"' in index
        assert 'href="../../index.html"' in (folder / model / "index.html").read_text()
    assert "69</span>" in index, "days left of the waiver"
    assert "206 EUR of 1,200 EUR a month (17%)" in index
    before = {name: (folder / name).stat().st_mtime_ns for name in found - {"index.html"}}
    assert write("--all").exit_code == 0
    assert before == {name: (folder / name).stat().st_mtime_ns for name in before}
    assert index == (folder / "index.html").read_text()
    assert "not in a git repository" in (folder / "shop/recommender/index.html").read_text()
    assert "changed against" not in index
    for arguments in (["init", "-q"], ["add", "--all"], ["commit", "-qm", "all"]):
        git(root, *arguments)
    change(root, "shop/recommender.yaml", "hold: 60m", "hold: 40m")
    change(root, "platform.yaml", "until: 2027-01-31", "until: 2026-01-31")
    write("--all")
    index = (folder / "index.html").read_text()
    assert index.count('<span class="badge waived">changed</span>') == 2, (
        "recommender, and fraud by its waiver"
    )
    assert '<span class="badge fail">expired</span>' in index
    assert "<dt>open waivers</dt><dd>0</dd>" in index
    assert "<dt>expired waivers</dt><dd>1</dd>" in index


def test_pages_of_models_that_are_gone_go_unless_they_were_edited(pages):
    root, folder, write = pages
    write("--all")
    for team, model in (("risk", "fraud"), ("support", "ticket-classifier")):
        for file in (root / "specs" / team).glob(f"{model}.*"):
            file.unlink()
    (folder / "risk/fraud/index.html").write_text("mine now\n")
    assert write("--all").exit_code == 0
    assert names(folder) == {"index.html", "shop/recommender/index.html", "risk/fraud/index.html"}


def test_an_index_of_somebody_else_stays(pages):
    _, folder, write = pages
    folder.mkdir()
    (folder / "index.html").write_text("<title>my site</title>\n")
    done = write("--all")
    assert (done.exit_code, "is not a page of Sluice" in done.output) == (2, True)
    assert names(folder) == {"index.html"}
    assert (folder / "index.html").read_text() == "<title>my site</title>\n"


def test_a_model_that_can_not_be_planned_is_on_the_index_with_its_reason(pages):
    root, folder, write = pages
    spec = root / "specs/shop/recommender.yaml"
    spec.write_text(spec.read_text().replace("minRps: 200", "minRps: many"))
    done = write("--all")
    assert (done.exit_code, "1 model can't be planned" in done.output) == (1, True)
    assert "specs/shop/recommender.yaml:" in (folder / "index.html").read_text()
    assert "shop/recommender/index.html" not in names(folder)


def test_usage(pages):
    root, _, _ = pages

    def run(*arguments: str):
        return CliRunner().invoke(cli, ["plan", *arguments])

    assert "name a SPEC, or --all" in run().output
    assert "not both" in run("shop/recommender", "--all").output
    assert "choose it with --output" in run("--all", "--format", "html").output
    assert "--output needs --format html" in run("--all", "--output", str(root)).output
    assert "did you mean `production`" in run("--all", "--env", "productoin").output
    one = run("shop/recommender", "--env", "staging", "--format", "html").output
    assert one.startswith("<!doctype html>")
    assert 'badge env">staging<' in one
