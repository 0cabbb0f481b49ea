"""The repository, the date, and what PATH arguments select."""

from __future__ import annotations

import datetime as dt
import ntpath
import os
import shutil
from pathlib import PureWindowsPath
from types import SimpleNamespace

import pytest

from generator.output.platform_support import cores
from generator.pipeline.parallel import ENOUGH
from generator.pipeline.selection import select, select_one
from generator.pipeline.session import Session, open_session, today
from generator.plan.model_files import ModelFiles
from generator.source.errors import CliError


def names(session: Session, *paths: str) -> list[str]:
    return [entry.name for entry in select(session, paths).entries]


ALL = ["risk/fraud", "shop/recommender", "support/ticket-classifier"]


def test_the_root_is_found_from_a_folder_below(repository, monkeypatch):
    monkeypatch.chdir(repository / "specs" / "shop")
    assert open_session(None).root == repository


def test_a_named_root_is_not_searched_above(repository):
    with pytest.raises(CliError, match=r"no specs/platform\.yaml in specs/shop"):
        open_session(repository.relative_to(repository) / "specs" / "shop")


def test_without_a_repository_init_is_the_hint(tmp_path, monkeypatch, sluice):
    monkeypatch.chdir(tmp_path)
    done = sluice("validate")
    assert done.exit_code == 2
    assert "sluice init" in done.stderr


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("specs", ALL),
        (".", ALL),
        ("specs/platform.yaml", ALL),
        ("specs/shop", ["shop/recommender"]),
        ("specs/shop/", ["shop/recommender"]),
        ("shop", ["shop/recommender"]),
        ("shop/recommender", ["shop/recommender"]),
        ("./specs/shop/recommender.yaml", ["shop/recommender"]),
        ("specs/shop/recommender.lock.yaml", ["shop/recommender"]),
        ("specs/shop/recommender.evidence.json", ["shop/recommender"]),
        ("specs/risk/../shop", ["shop/recommender"]),
    ],
)
def test_a_path_selects(repository, path, expected):
    assert names(open_session(None), path) == expected


def test_paths_are_relative_to_the_current_folder(repository, monkeypatch):
    monkeypatch.chdir(repository / "specs" / "shop")
    assert names(open_session(None), "recommender.yaml") == ["shop/recommender"]
    assert names(open_session(None), "../risk") == ["risk/fraud"]


def test_a_repository_reached_through_a_link(repository, tmp_path):
    (tmp_path / "link").symlink_to(repository)
    session = open_session(tmp_path / "link")
    assert names(session, str(repository / "specs" / "shop")) == ["shop/recommender"]
    assert names(open_session(None), str(tmp_path / "link" / "specs" / "risk" / "fraud.yaml")) == [
        "risk/fraud"
    ]


def test_several_paths_select_each_model_once(repository):
    assert names(open_session(None), "shop", "specs", "risk/fraud") == ALL


def test_nothing_named_means_everything(repository):
    selection = select(open_session(None), ())
    assert selection.everything
    assert [entry.name for entry in selection.entries] == ALL


@pytest.mark.parametrize("path", ["specs", "specs/", ".", "specs/platform.yaml", "../repository"])
def test_what_all_models_share_means_everything(repository, path):
    assert select(open_session(None), [path]).everything
    assert select(open_session(None), ["risk/fraud", path]).everything
    assert not select(open_session(None), ["specs/shop"]).everything


def test_a_repository_without_models_can_be_named(repository, sluice):
    for team in ("risk", "shop", "support"):
        shutil.rmtree(repository / "specs" / team)
    assert select(open_session(None), ["specs/platform.yaml"]).entries == ()


@pytest.mark.parametrize(
    "path", ["specs/shop/recomender.yaml", "shop/recomender", "specs/shop/recommender.yml"]
)
def test_a_path_that_selects_nothing_names_the_nearest(repository, sluice, path):
    done = sluice("validate", path)
    assert done.exit_code == 2
    assert f"no spec matches {path}; did you mean" in done.stderr
    assert "shop/recommender" in done.stderr


def test_one_model_is_demanded_where_one_is_needed(repository):
    with pytest.raises(CliError, match="names 3 models"):
        select_one(open_session(None), "specs")


def test_the_date_comes_from_source_date_epoch(monkeypatch):
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "86399")
    assert today() == dt.date(1970, 1, 1)


@pytest.mark.parametrize("value", ["soon", "1" * 40, "1.5"])
def test_a_bad_date_is_refused(monkeypatch, value):
    monkeypatch.setenv("SOURCE_DATE_EPOCH", value)
    with pytest.raises(CliError, match="SOURCE_DATE_EPOCH"):
        today()


def test_the_date_comes_from_the_clock(monkeypatch):
    monkeypatch.delenv("SOURCE_DATE_EPOCH", raising=False)
    before = dt.datetime.now(tz=dt.UTC).date()
    assert before <= today() <= dt.datetime.now(tz=dt.UTC).date()


def test_templates_that_are_no_text_are_refused(repository, sluice):
    (repository / "templates" / "bento").mkdir(parents=True)
    (repository / "templates" / "bento" / "service.py.j2").write_bytes(b"\xff\xfe\x00")
    done = sluice("validate")
    assert done.exit_code == 2
    assert "not UTF-8" in done.stderr


def test_a_template_that_replaces_nothing_is_told(repository, sluice):
    (repository / "templates" / "kubernetes").mkdir(parents=True)
    for name in ("servise.yaml.j2", "_labels-of-ours.yaml.j2"):
        (repository / "templates" / "kubernetes" / name).write_text("# ours\n")
    lines = [line for line in sluice("templates").stdout.splitlines() if not line.startswith("built-in")]
    assert lines == [
        "added       kubernetes/_labels-of-ours.yaml.j2  (replaces nothing)",
        "added       kubernetes/servise.yaml.j2  (replaces nothing; did you mean kubernetes/service.yaml.j2?)",
    ]


def test_templates_are_regular_files_of_the_tree(repository, sluice, tmp_path):
    folder = repository / "templates" / "kubernetes"
    folder.mkdir(parents=True)
    file = folder / "service.yaml.j2"
    (tmp_path / "secret").write_text("secret: 1\n")
    (repository / "inside.yaml.j2").write_text("# ours\n")
    for make, said in (
        (lambda: file.symlink_to(tmp_path / "secret"), "leads out of the repository"),
        (lambda: file.symlink_to("nowhere"), "No such file"),
        (lambda: file.symlink_to(file.name), "can't be read"),
        (lambda: os.mkfifo(file), "not a regular file"),
    ):
        make()
        done = sluice("validate")
        assert (done.exit_code, said in done.stderr) == (2, True), done.stderr
        assert str(file) in done.stderr
        file.unlink()
    file.symlink_to("../../inside.yaml.j2")
    assert sluice("templates", "--show", "kubernetes/service.yaml.j2").stdout == "# ours\n"


def test_templates_lists_what_the_repository_overrides(repository, sluice):
    name = "kubernetes/service.yaml.j2"
    (repository / "templates" / "kubernetes").mkdir(parents=True)
    (repository / "templates" / name).write_text("# ours\n")
    lines = sluice("templates").stdout.splitlines()
    assert f"overridden  {name}" in lines
    assert "built-in    kubernetes/configmap.yaml.j2" in lines
    assert sluice("templates", "--show", name).stdout == "# ours\n"
    assert "kind: ConfigMap" in sluice("templates", "--show", "kubernetes/configmap.yaml").stdout
    missing = sluice("templates", "--show", "kubernetes/servise.yaml.j2")
    assert missing.exit_code == 2
    assert f"did you mean {name}" in missing.stderr


@pytest.mark.parametrize(
    "path", ["shop/churn", "specs/shop/churn.json", "./specs/shop/churn.json", "specs/shop/churn.yaml"]
)
def test_a_name_whose_file_is_not_read_is_answered_with_the_rename(repository, sluice, path):
    (repository / "specs/shop/churn.json").write_text("{}")
    done = sluice("validate", path)
    assert done.exit_code == 2
    assert "`git mv specs/shop/churn.json specs/shop/churn.yaml`" in done.stderr


@pytest.mark.parametrize(
    "path", [r"C:\repo\specs\shop\ranker.yaml", r"C:\repo\specs\shop", r"C:\repo\specs", r"shop\ranker", "shop/ranker", "C:/repo/specs/shop/ranker.lock.yaml"]
)  # fmt: skip
def test_paths_of_windows_select(monkeypatch, path):
    """The functions of `os.path` as Windows has them; they need no file to exist."""
    monkeypatch.setattr("generator.pipeline.selection.os", SimpleNamespace(path=ntpath, sep="\\"))
    specs = PureWindowsPath("C:/repo/specs")
    entries = (ModelFiles("shop", "ranker", specs / "shop" / "ranker.yaml"), ModelFiles("risk", "fraud", specs / "risk" / "fraud.yaml"))  # fmt: skip
    session = SimpleNamespace(root=specs.parent, entries=entries)
    everything = path.endswith("specs")
    assert select(session, [path]).everything is everything
    assert len(select(session, [path]).entries) == (2 if everything else 1)


@pytest.mark.parametrize("embedded", [True, False])
def test_an_embedded_session_works_in_one_process(repository, embedded):
    session = Session(repository, dt.date(2026, 11, 23), embedded)
    items = range(ENOUGH)
    with session.work_on(items, lambda some: [(item, os.getpid()) for item in some], "Checking") as found:
        done = dict(found)
    assert sorted(done) == list(items)
    assert (set(done.values()) == {os.getpid()}) == (embedded or cores() == 1)
