"""`sluice verify`: what it says of our own tree, of others', and how it ends."""

from __future__ import annotations

import json

import pytest

from generator.report.formats import FORMATS
from tests.unit.cli.conftest import CHECKOUT

SERVICE = """\
apiVersion: v1
kind: Service
metadata: {name: shelf}
spec: {prots: [{port: 80}], selector: {app: shelf}}
"""


def test_our_own_tree_is_fine(sluice):
    done = sluice("verify", str(CHECKOUT / "rendered"), "--strict")
    assert done.exit_code == 0, done.stdout
    assert done.stdout.endswith(" files: nothing found, 1 thing not checked\n")
    assert "files have no Kubernetes object: bentos/" in done.stderr


@pytest.mark.parametrize("fmt", FORMATS)
def test_somebody_elses_tree_is_judged_in_every_form(tmp_path, sluice, fmt):
    (tmp_path / "service.yaml").write_text(SERVICE)
    done = sluice("verify", str(tmp_path), "--format", fmt)
    assert done.exit_code == 1
    assert "VER111" in done.stdout
    assert "did you mean `ports`?" in done.stdout
    if fmt in {"json", "gitlab", "sarif"}:
        json.loads(done.stdout)


def test_a_tree_without_objects_is_wrong_usage(tmp_path, sluice):
    done = sluice("verify", str(tmp_path))
    assert done.exit_code == 2
    assert "has no objects to check" in done.stderr
    assert not done.stdout


def test_a_tree_that_is_not_there_is_wrong_usage(tmp_path, sluice):
    done = sluice("verify", str(tmp_path / "nowhere"))
    assert done.exit_code == 2
    assert "nowhere does not exist" in done.stderr


def trees(tmp_path, count=2):
    for number in range(count):
        folder = tmp_path / ("old" if number % 2 else "new")
        folder.mkdir(exist_ok=True)
        (folder / f"{number}.yaml").write_text(SERVICE.replace("shelf", f"shelf{number}"))
    return tmp_path


@pytest.mark.parametrize(
    ("options", "shown"),
    [
        ([], True),
        (["--select", "VER11"], True),
        (["--select", "ROL,ANA"], False),
        (["--ignore", "VER111"], False),
        (["--ignore", "VER111:old"], True),
        (["--ignore", "VER111:old,VER111:new/*"], False),
        (["--exclude", "old", "--exclude", "new/*.yaml"], False),
    ],
)
def test_codes_and_paths_are_chosen(tmp_path, sluice, options, shown):
    done = sluice("verify", str(trees(tmp_path)), *options)
    assert ("VER111" in done.stdout) is shown
    assert done.exit_code == shown


def test_an_unknown_code_is_wrong_usage(tmp_path, sluice):
    done = sluice("verify", str(trees(tmp_path)), "--ignore", "VER999")
    assert done.exit_code == 2
    assert "no code that begins with `VER999`" in done.stderr


@pytest.mark.parametrize(
    ("name", "text"),
    [("sluice.toml", 'ignore = ["VER111"]'), ("pyproject.toml", '[tool.sluice]\nignore = ["VER111"]')],
)
def test_settings_above_the_tree_count(tmp_path, sluice, name, text):
    (tmp_path / name).write_text(text)
    folder = tmp_path / "deploy"
    folder.mkdir()
    assert sluice("verify", str(trees(folder))).exit_code == 0


def test_a_wrong_key_of_the_settings_is_wrong_usage(tmp_path, sluice):
    (tmp_path / "sluice.toml").write_text('ignor = ["VER111"]')
    done = sluice("verify", str(trees(tmp_path)))
    assert done.exit_code == 2
    assert "did you mean `ignore`?" in done.stderr


DEEP = "a = " + "[" * 50_000 + "]" * 50_000


@pytest.mark.parametrize(
    ("name", "text", "code", "said"),
    [
        ("pyproject.toml", "tool = 1", 1, ""),
        ("pyproject.toml", "[tool]\nother = 1", 1, ""),
        ("pyproject.toml", "[tool]\nsluice = 1", 2, "is not a table"),
        ("pyproject.toml", DEEP, 2, "cannot be read"),
        ("sluice.toml", DEEP, 2, "cannot be read"),
        ("sluice.toml", "# " + "x" * (1 << 20), 2, "too large"),
        ("sluice.toml", "select = 1", 2, "is not a list of texts"),
    ],
    ids=["tool", "no settings", "sluice", "deep project", "deep settings", "large", "select"],
)
def test_settings_of_any_form_are_used_or_refused(tmp_path, sluice, name, text, code, said):
    (tmp_path / name).write_text(text)
    done = sluice("verify", str(trees(tmp_path)))
    assert (done.exit_code, said in done.stderr) == (code, True), done.stderr


def test_a_baseline_lets_only_new_findings_fail(tmp_path, sluice):
    tree, file = tmp_path / "tree", tmp_path / "baseline.json"
    tree.mkdir()
    assert sluice("verify", str(trees(tree)), "--write-baseline", str(file)).exit_code == 0
    assert sluice("verify", str(tree), "--baseline", str(file)).exit_code == 0
    (tree / "old" / "1.yaml").write_text("# moved\n\n" + SERVICE.replace("shelf", "shelf1"))
    assert sluice("verify", str(tree), "--baseline", str(file)).exit_code == 0
    (tree / "2.yaml").write_text(SERVICE)
    done = sluice("verify", str(tree), "--baseline", str(file))
    assert done.exit_code == 1
    assert "2.yaml" in done.stdout
    assert "1.yaml" not in done.stdout
    (tree / "old" / "1.yaml").unlink()
    (tree / "2.yaml").unlink()
    assert "no longer occur" in sluice("verify", str(tree), "--baseline", str(file)).stderr


def test_one_mistake_of_many_objects_is_shown_once_and_counted(tmp_path, sluice):
    done = sluice("verify", str(trees(tmp_path, 12)))
    assert done.stdout.count("error[VER111]") == 1
    assert "also | 11: Service shelf10, " in done.stdout
    assert "     12  VER111   error" in done.stdout
    statistics = sluice("verify", str(tmp_path), "--statistics")
    assert "     12  VER111   error    new/0.yaml:4:8" in statistics.stdout
    assert "error[" not in statistics.stdout


def test_a_chart_is_one_sentence_and_no_error(tmp_path, sluice):
    (tmp_path / "Chart.yaml").write_text("apiVersion: v2\nname: shelf\nversion: 1.0.0\n")
    done = sluice("verify", str(tmp_path))
    assert done.exit_code == 0
    assert "is a Helm chart" in done.stderr
    assert "fine" not in done.stdout


def test_slips_are_repaired_or_shown_as_a_diff(tmp_path, sluice):
    file = tmp_path / "a.yaml"
    file.write_text(SERVICE + "---\napiVersion: v1\nkind: 'Sercet'\nmetadata: {name: a}\n")
    shown = sluice("verify", str(tmp_path), "--diff")
    assert "-spec: {prots: [{port: 80}]" in shown.stdout
    assert "+kind: 'Secret'" in shown.stdout
    assert shown.exit_code == 1
    assert "prots" in file.read_text()
    done = sluice("verify", str(tmp_path), "--fix")
    assert done.exit_code == 0
    assert "repaired 2 of 2 findings" in done.stderr
    assert file.read_text() == SERVICE.replace("prots", "ports") + (
        "---\napiVersion: v1\nkind: 'Secret'\nmetadata: {name: a}\n"
    )
