"""`make test-world`: a scenario is one file, a run is one part of the report, and CI shows what has changed since."""

from __future__ import annotations

import datetime
import os
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from tests.bench.__main__ import _at_least, _bar
from tests.cluster import report as cluster_report
from tests.cluster import sabotage
from tests.world import report
from tests.world.__main__ import main
from tests.world.report import Run
from tests.world.scenario import ROOT, SCENARIOS, load, names, table_rows
from tests.world.scenarios import speed

PASSING = """
from tests.world.scenario import Result, Scenario

def run(folder):
    (folder / "seen.txt").write_text("x")
    return Result({"requests": 31383, "share": "5%"}, {"Envoy": "1.40.0"})

SCENARIO = Scenario("A good canary", ("tests/world", "Makefile"), run)
"""
FAILING = PASSING.replace("return Result", "assert 1 + 1 == 3, 'the `sum`\\n is wrong'; Result")
TODAY = datetime.date(2026, 11, 29)


@pytest.fixture
def docs(tmp_path: Path) -> Path:
    (tmp_path / "docs").mkdir()
    return tmp_path / "docs"


@pytest.fixture
def scenarios(tmp_path: Path) -> Path:
    folder = tmp_path / "scenarios"
    folder.mkdir()
    (folder / "good.py").write_text(PASSING)
    (folder / "bad.py").write_text(FAILING)
    return folder


def test_a_scenario_is_one_file_and_leaves_a_report(
    scenarios: Path, docs: Path, capsys: pytest.CaptureFixture[str]
):
    (scenarios / "bad.py").unlink()
    assert main(["run"], scenarios, docs) == 0
    run = report.read(docs)["good"]
    assert (run.outcome, run.error, run.figures) == ("passed", "", {"requests": 31383, "share": "5%"})
    assert run.commit == report.git(ROOT, "rev-parse", "HEAD").strip()
    assert run.versions["Envoy"] == "1.40.0"
    assert run.versions["Python"]
    assert {"Makefile", "tests/world/test_world.py"} <= set(run.files)
    page = (docs / "world-report.md").read_text()
    assert "| requests | 31,383 |\n| share | 5% |" in page
    assert "**Passed**" in page
    assert (docs.parent / "build/world/good/seen.txt").read_text() == "x"
    assert main(["status"], scenarios, docs) == 0
    assert "good: passed today" in capsys.readouterr().out


def test_a_failure_is_kept_with_its_reason_and_fails_the_set(scenarios: Path, docs: Path):
    assert main(["run"], scenarios, docs) == 1
    runs = report.read(docs)
    assert {name: run.outcome for name, run in runs.items()} == {"bad": "failed", "good": "passed"}
    assert runs["bad"].error == "AssertionError: the 'sum' is wrong"
    assert "Error: `AssertionError: the 'sum' is wrong`" in (docs / "world-report.md").read_text()


def test_one_scenario_replaces_its_own_part_only(scenarios: Path, docs: Path):
    main(["run"], scenarios, docs)
    first = report.read(docs)
    (scenarios / "good.py").write_text(PASSING.replace("31383", "2"))
    assert main(["run", "good"], scenarios, docs) == 0
    second = report.read(docs)
    assert second["good"].figures["requests"] == 2
    assert second["bad"] == first["bad"]


def test_an_unknown_scenario_is_answered_with_the_known_ones(
    scenarios: Path, docs: Path, capsys: pytest.CaptureFixture[str]
):
    assert main(["run", "good", "else"], scenarios, docs) == 2
    assert "there is no scenario else; choose one of: bad, good" in capsys.readouterr().err
    assert not report.read(docs)
    assert main([], scenarios, docs) == 2


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    root = tmp_path / "checkout"
    for name in ("a/one", "a/two", "a/deep/three", "b/other"):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(name)
    report.git(tmp_path, "init", "-q", str(root))
    report.git(root, "add", ".")
    report.git(root, "-c", "user.name=x", "-c", "user.email=x@x", "commit", "-q", "-m", "x")
    return root


def a_run(root: Path, *covers: str) -> Run:
    files = report.covered_files(covers, root)
    return Run("T", "passed", "", "2026-11-24", "c" * 40, [], 61, "Linux", {"Python": "3.11"}, {}, files)


def test_what_has_changed_since_is_named(checkout: Path):
    run = a_run(checkout, "a")
    assert sorted(run.files) == ["a/deep/three", "a/one", "a/two"]
    covers = {"wide": ["a"], "new": ["b"]}
    runs = {"wide": run, "left": run}
    assert report.status(covers, runs, TODAY, checkout).splitlines() == [
        "make test-world: 2 scenarios, last runs in docs/world-report.md",
        "  new: never run",
        f"  wide: passed 5 days ago (2026-11-24, commit {'c' * 12}); no covered file has changed since",
        "  left: in the report, but no longer a scenario",
    ]
    (checkout / "b/other").write_text("not covered")
    assert not run.changed(["a"], checkout)
    (checkout / "a/one").write_text("edited")
    (checkout / "a/two").unlink()
    (checkout / "a/deep/four").write_text("new")
    told = report.status({"wide": ["a"]}, {"wide": run}, datetime.date(2026, 11, 25), checkout)
    assert told.splitlines()[1:] == [
        f"  wide: passed 1 day ago (2026-11-24, commit {'c' * 12}); 3 covered files have changed since:",
        "    a/deep: four",
        "    a: one, two",
    ]
    assert run.changed(["a/one"], checkout) == [
        "a/deep/three",
        "a/one",
        "a/two",
    ]  # what it covers has changed, too
    assert report.uncommitted(["a"], checkout) == ["a/deep/four", "a/one", "a/two"]


def test_a_committed_edit_counts_like_any_other(checkout: Path):
    run = a_run(checkout, "a")
    (checkout / "a/one").write_text("edited")
    report.git(checkout, "-c", "user.name=x", "-c", "user.email=x@x", "commit", "-q", "-a", "-m", "y")
    assert run.changed(["a"], checkout) == ["a/one"]
    (checkout / "a/one").write_text("a/one")
    assert not run.changed(["a"], checkout)


def test_a_path_that_covers_nothing_is_an_error(checkout: Path):
    with pytest.raises(ValueError, match="no file is covered by c"):
        report.covered_files(["a", "c"], checkout)


def test_a_report_of_another_format_is_refused(docs: Path):
    (docs / "world-report.json").write_text('{"schema": "sluice/world-report/v9"}')
    with pytest.raises(ValueError, match=r"world-report\.json is not a sluice/world-report/v1"):
        report.read(docs)


def test_the_page_shows_uncommitted_files(checkout: Path):
    run = replace(a_run(checkout, "a"), uncommitted=["a/one"])
    assert f"after 61 s: commit {'c' * 12} with 1 uncommitted file, Linux." in report.markdown({"x": run})
    assert "It covers 3 files." in report.markdown({"x": run})


# The scenarios and the report of this repository.


@pytest.mark.parametrize("name", names())
def test_a_scenario_covers_files_and_its_programs_have_recipes(name: str):
    scenario = load(name)
    assert scenario.title
    assert report.covered_files(scenario.covers)
    recipes = [(ROOT / "tests/cluster/build.sh").read_text()]
    recipes += [file.read_text() for file in (ROOT / "tests/world/programs").glob("*.sh")]
    for program in scenario.programs:
        assert any(f"[{program}]=" in text and f"\n{program}() {{" in text for text in recipes), program


def test_the_committed_page_shows_the_committed_runs():
    runs = report.read()
    assert (ROOT / "docs/world-report.md").read_text() == report.markdown(runs)
    assert set(runs) <= set(names()), "a scenario is gone: take its run out of docs/world-report.json"


def test_ci_prints_the_state_of_every_scenario(capsys: pytest.CaptureFixture[str]):
    assert "\n.venv/bin/python -m tests.world status" in (ROOT / ".ci/run").read_text()
    assert main(["status"]) == 0
    printed = capsys.readouterr().out
    assert all(f"  {name}: " in printed for name in names())


def test_make_runs_one_scenario():
    plan = subprocess.run(
        ["make", "--no-print-directory", "-n", "test-world", "S=speed"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    assert plan.stdout.splitlines()[-1].endswith("/python -m tests.world run speed")
    assert (SCENARIOS / "speed.py").exists()


def test_a_program_of_a_world_scenario_is_one_file_and_built_once(tmp_path: Path):
    (tmp_path / "tests/cluster").mkdir(parents=True)
    (tmp_path / "tests/world/programs").mkdir(parents=True)
    build = Path(shutil.copy(ROOT / "tests/cluster/build.sh", tmp_path / "tests/cluster/build.sh"))
    recipe = 'version[hello]=v1.2-rc1\nhello() { echo "$PWD" > "$out/hello"; }\n'
    (tmp_path / "tests/world/programs/hello.sh").write_text(recipe)
    environment = os.environ | {"XDG_CACHE_HOME": str(tmp_path / "cache")}
    printed, content = set(), set()
    for _ in range(2):
        done = subprocess.run(
            [str(build), "hello"], env=environment, capture_output=True, text=True, check=True
        )
        printed.add(done.stdout)
        content.add(Path(done.stdout.split()[1], "hello").stat().st_mtime_ns)
    assert len(printed) == len(content) == 1
    assert "/sluice/cluster/hello-v1.2-rc1-" in printed.pop()


def test_figures_of_the_cluster_are_those_of_its_table(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("SLUICE_REPORT", str(tmp_path))
    cluster_report.figures("2 good canary", {"requests": 11054, "failed": 0})
    cluster_report.figures("4 | no clicks", {"seconds": 29})
    assert table_rows((tmp_path / "report.md").read_text())["2 good canary"] == "requests 11054; failed 0"


def test_bars_of_the_benchmark_are_figures(capsys: pytest.CaptureFixture[str]):
    _bar("--help / python -c pass", 3.5, 4)
    _bar("one model, plan: CPU s", 0.31, 0.25)
    _at_least("jsonnet / sluice, per line", 1.4, 2)
    print("cold                            1.000    2.000     90.1")
    assert speed.bars(capsys.readouterr().out) == {
        "--help / python -c pass": "3.50 (bar 4)",
        "one model, plan: CPU s": "0.31 (bar 0.25 MISSED)",
        "jsonnet / sluice, per line": "1.40 (bar 2 MISSED)",
    }


@pytest.mark.parametrize("way", sabotage.WAYS, ids=lambda way: way.name)
def test_every_way_to_break_the_generator_finds_its_place(way: sabotage.Sabotage):
    for name, old, _ in way.edits:
        assert (ROOT / name).read_text().count(old) == 1, f"{name}: {old}"
    assert (ROOT / "tests/cluster/scenarios" / way.scenario).exists()
