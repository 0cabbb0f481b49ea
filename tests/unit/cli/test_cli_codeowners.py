"""CODEOWNERS: written from the platform, other lines kept."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner

from generator.cli.main import cli
from generator.pipeline.repository_files import OWNERS_PLACES

SPECS = Path(__file__).resolve().parents[3] / "specs"


@pytest.fixture
def repository(tmp_path):
    (tmp_path / "specs").mkdir()
    shutil.copy(SPECS / "platform.yaml", tmp_path / "specs")
    return tmp_path


def run(root: Path, *arguments: str) -> tuple[int, str]:
    found = CliRunner().invoke(cli, ["codeowners", "--root", str(root), *arguments])
    return found.exit_code, found.output


def owner(text: str, path: str) -> str:
    """Owners of a path by the hosts' rule: of the last pattern that matches."""
    found = ""
    for line in text.splitlines():
        pattern, _, owners = line.partition(" ")
        if line and not line.startswith("#"):
            anchored = pattern if pattern.startswith("/") else f"/**/{pattern}"
            form = re.escape(anchored).replace(r"/\*\*/", "/(.*/)?").replace(r"\*", "[^/]*")
            if re.match(form + ("" if pattern.endswith("/") else "$"), f"/{path}"):
                found = owners
    return found


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("specs/shop/recommender.yaml", "shop-ml@example.com"),
        ("rendered/production/shop/recommender/rollout-main.yaml", "shop-ml@example.com"),
        ("rendered/bentos/support/ticket-classifier/service.py", "support-ml@example.com"),
        ("rendered/production/platform/shop/resourcequota-main.yaml", "@acme/platform"),
        ("rendered/production/platform/admission/validatingadmissionpolicy-images.yaml", "@acme/platform"),
        ("rendered/production/argocd/projects/shop/appproject.yaml", "@acme/platform"),
        ("specs/platform.yaml", "@acme/platform"),
        ("CODEOWNERS", "@acme/platform"),
        ("specs/risk/fraud.lock.yaml", "risk-ml@example.com model-risk@example.com"),
        ("rendered/staging/risk/fraud/.sluice", "risk-ml@example.com model-risk@example.com"),
    ],
)  # fmt: skip
def test_who_owns_what(repository, path, expected):
    assert run(repository) == (0, "wrote CODEOWNERS\n")
    assert owner((repository / "CODEOWNERS").read_text(), path) == expected


@pytest.mark.parametrize(
    "path",
    [
        "ci/build-image.sh", "bootstrap/project.yaml", ".github/workflows/sluice.yml", ".gitlab-ci.yml", ".gitlab/x",
        ".pre-commit-config.yaml", "templates/kubernetes/x.yaml.j2", "specs/platform.yaml", "CODEOWNERS",
        "docs/CODEOWNERS", "README.md", "sluice.py", "pyproject.toml", ".gitmodules", "specs/shop/.gitattributes",
        "rendered/x.yaml", "rendered/gates/scipy/run.py", "rendered/gates/shop/run.py",
        "rendered/production/argocd/notifications/configmap.yaml",
        "rendered/production/argocd/applications/risk/fraud/application.yaml",
        "rendered/production/argocd/applications/shop/x.yaml",
        "rendered/production/argocd/root/application-applications.yaml",
        "rendered/production/argocd/shop/x.yaml",
        "rendered/production/platform/notifications/configmap.yaml",
    ],
)  # fmt: skip
def test_what_teams_do_not_own_is_the_platforms(repository, path):
    run(repository)
    assert owner((repository / "CODEOWNERS").read_text(), path) == "@acme/platform"


def test_the_first_row_gives_everything_to_the_platform(repository):
    run(repository)
    rows = [line for line in (repository / "CODEOWNERS").read_text().splitlines() if not line.startswith("#")]
    assert rows[0] == "* @acme/platform"


def test_check_says_when_it_is_out_of_date(repository):
    assert run(repository, "--check")[0] == 1
    assert not (repository / "CODEOWNERS").exists()
    run(repository)
    assert run(repository, "--check") == (0, "CODEOWNERS is up to date\n")
    platform = repository / "specs/platform.yaml"
    platform.write_text(platform.read_text().replace("shop-ml@", "shop-models@"))
    assert run(repository, "--check")[0] == 1


def test_lines_of_others_are_kept_and_the_file_is_found_where_it_is(repository):
    path = repository / OWNERS_PLACES[1]
    path.parent.mkdir()
    path.write_text("* @everyone")
    run(repository)
    path.write_text(path.read_text() + "/specs/shop/ @someone\n")
    platform = repository / "specs/platform.yaml"
    platform.write_text(platform.read_text().replace("shop-ml@", "shop-models@"))
    assert run(repository) == (0, f"wrote {OWNERS_PLACES[1]}\n")
    text = path.read_text()
    assert text.startswith("* @everyone\n")
    assert owner(text, "specs/shop/a.yaml") == "@someone"
    assert owner(text, "rendered/a/shop/b") == "shop-models@example.com"
    assert not (repository / "CODEOWNERS").exists()


def test_half_of_sluices_lines_is_refused(repository):
    run(repository)
    path = repository / "CODEOWNERS"
    path.write_text(path.read_text().rpartition("# End")[0])
    before = path.read_text()
    code, said = run(repository)
    assert code == 2
    assert "only one of the two comments" in said
    assert path.read_text() == before


def test_a_platform_that_cannot_be_used_is_refused(repository):
    (repository / "specs/platform.yaml").write_text("kind: Nothing\n")
    code, said = run(repository)
    assert code == 2
    assert "sluice validate" in said
