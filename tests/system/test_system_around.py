"""Files around the bundles: bootstrap, CI and code owners follow the platform as bundles do."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

from tests.system.repositories import sluice


@pytest.fixture
def demo(tmp_path: Path) -> Path:
    assert sluice(tmp_path, "init", "demo").code == 0
    assert sluice(tmp_path / "demo", "render").code == 0
    return tmp_path / "demo"


def replaced(demo: Path, old: str, new: str) -> None:
    platform = demo / "specs/platform.yaml"
    text = platform.read_text()
    assert old in text
    platform.write_text(text.replace(old, new))


def with_text(demo: Path, text: str) -> list[str]:
    """The files with a text, except schemas, which have it as an example."""
    return sorted(
        path.relative_to(demo).as_posix()
        for path in demo.rglob("*")
        if path.is_file() and path.parent.name != "schema" and text in path.read_text()
    )


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("git.example.com/acme", "git.example.org/acme"),
        ("registry.example.com/models", "ghcr.example.org/acme"),
        ("revision: main", "revision: trunk"),
        ("  registry:", "  argocdNamespace: delivery\n  registry:"),
        ("@platform-team", "@acme/platform"),
    ],
)
def test_nothing_keeps_an_old_value_of_the_platform(demo: Path, old: str, new: str) -> None:
    replaced(demo, old, new)
    ran = sluice(demo, "render", "--check")
    assert ran.code == 1
    assert re.search(r"^out of date: (bootstrap/|CODEOWNERS|\.gitlab-ci\.yml)", ran.err, re.MULTILINE)
    assert sluice(demo, "render").code == 0
    if old.strip() != "registry:":
        assert with_text(demo, old) == []
    else:
        assert "namespace: delivery" in (demo / "bootstrap/staging.yaml").read_text()
        assert "namespace: argocd" not in (demo / "bootstrap/staging.yaml").read_text()
    for words in (
        ("render", "--check"),
        ("ci", "github", "--check"),
        ("ci", "gitlab", "--check"),
        ("codeowners", "--check"),
    ):
        ran = sluice(demo, *words)
        assert ran.code == 0, ran.out + ran.err
    assert "nothing changed" in sluice(demo, "render").out


def test_an_environment_that_is_gone_leaves_no_bootstrap_and_files_of_people_stay(demo: Path) -> None:
    own = demo / "bootstrap/argocd.yaml"
    own.write_text("kind: Namespace\n")
    replaced(demo, "    staging:\n", "    testing:\n")
    assert "bootstrap/staging.yaml" in sluice(demo, "render", "--check").err
    ran = sluice(demo, "render")
    assert "removed bootstrap/staging.yaml: there is no such environment" in ran.out
    assert sorted(path.name for path in (demo / "bootstrap").iterdir()) == [
        "argocd.yaml",
        "production.yaml",
        "testing.yaml",
    ]
    assert own.read_text() == "kind: Namespace\n"


def test_an_edit_is_found_and_repaired_except_in_ci_where_it_is_only_found(demo: Path) -> None:
    bootstrap, script = demo / "bootstrap/staging.yaml", demo / "ci/propose.sh"
    bootstrap.write_text(bootstrap.read_text().replace("prune: true", "prune: false"))
    script.write_text(f"{script.read_text()}echo more\n")
    ran = sluice(demo, "render", "--check")
    assert ran.code == 1
    assert "out of date: bootstrap/staging.yaml" in ran.err
    assert "out of date: ci/propose.sh was edited" in ran.err
    ran = sluice(demo, "render")
    assert "prune: true" in bootstrap.read_text()
    assert "ci/propose.sh was edited, and is left as it is" in ran.err
    assert script.read_text().endswith("echo more\n")


def test_what_the_repository_does_not_have_is_not_added(demo: Path) -> None:
    for name in ("bootstrap", ".github"):
        shutil.rmtree(demo / name)
    for name in (".gitlab-ci.yml", "CODEOWNERS"):
        (demo / name).unlink()
    for words in (("render", "--check"), ("render",), ("render", "--check")):
        ran = sluice(demo, *words)
        assert ran.code == 0, ran.out + ran.err
    assert not any(
        (demo / name).exists() for name in ("bootstrap", ".github", ".gitlab-ci.yml", "CODEOWNERS")
    )
