"""CODEOWNERS: written from the platform, other lines kept."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner

from generator.cli.main import cli
from generator.plan.model_files import CODEOWNERS

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
    path = repository / CODEOWNERS[1]
    path.parent.mkdir()
    path.write_text("* @everyone")
    run(repository)
    path.write_text(path.read_text() + "/specs/shop/ @someone\n")
    platform = repository / "specs/platform.yaml"
    platform.write_text(platform.read_text().replace("shop-ml@", "shop-models@"))
    assert run(repository) == (0, f"wrote {CODEOWNERS[1]}\n")
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


@pytest.mark.parametrize(
    "row",
    [
        "* shop-ml@example.com",
        "/ci/ shop-ml@example.com",
        "/ci/push-image.sh\tshop-ml@example.com",
        "/ci/",
        "ci/ shop-ml@example.com",
        "*.sh shop-ml@example.com",
        "**/push-image.sh shop-ml@example.com",
        "/c?/ shop-ml@example.com",
        "/.github/workflows/ shop-ml@example.com",
        "/.gitlab-ci.yml shop-ml@example.com",
        "/templates/kubernetes/ shop-ml@example.com",
        "/bootstrap shop-ml@example.com",
        "/CODEOWNERS shop-ml@example.com",
        "/pyproject.toml shop-ml@example.com",
        "/specs/ shop-ml@example.com",
        "/specs/platform.yaml shop-ml@example.com",
        "/specs/*/ shop-ml@example.com",
        "/specs/unknown/ shop-ml@example.com",
        "/rendered/ shop-ml@example.com",
        "/rendered/*/argocd/ shop-ml@example.com",
        "/rendered/*/shop/ shop-ml@example.com",
        "/rendered/gates/shap/ shop-ml@example.com",
        "/rendered/production/platform/ shop-ml@example.com",
    ],
)
def test_a_row_below_takes_nothing_from_the_platform(repository, row):
    run(repository)
    path = repository / "CODEOWNERS"
    path.write_text(f"{path.read_text()}\n{row}\n")
    code, said = run(repository, "--check")
    assert code == 1, said
    assert f"line {len(path.read_text().splitlines())}: `{row.split()[0]}`" in said
    assert run(repository)[0] == 1


@pytest.mark.parametrize(
    "row",
    [
        "# a comment about /ci/",
        "/docs/ docs@example.com",
        "/docs docs@example.com",
        "/README.md docs@example.com",
        "/notebooks/**/*.ipynb docs@example.com",
        "/specs/shop/recommender.* someone@example.com",
        "/rendered/production/shop/ someone@example.com",
        "/rendered/bentos/shop/recommender/ someone@example.com",
    ],
)
def test_other_rows_below_are_accepted(repository, row):
    run(repository)
    path = repository / "CODEOWNERS"
    path.write_text(f"{path.read_text()}\n{row}\n")
    assert run(repository, "--check") == (0, "CODEOWNERS is up to date\n")


def test_a_section_above_would_make_the_rows_optional(repository):
    (repository / "CODEOWNERS").write_text("^[Optional]\n")
    code, said = run(repository)
    assert code == 1
    assert "line 1 begins a section" in said


def test_a_second_file_is_refused_as_hosts_read_one(repository):
    run(repository)
    second = repository / CODEOWNERS[1]
    second.parent.mkdir()
    second.write_text("* shop-ml@example.com\n")
    code, said = run(repository, "--check")
    assert code == 2
    assert "a host reads only one" in said


def test_a_link_is_refused(repository):
    run(repository)
    (repository / "CODEOWNERS").rename(repository / "specs/owners")
    (repository / "CODEOWNERS").symlink_to("specs/owners")
    assert run(repository, "--check")[0] == 2


@pytest.mark.parametrize("linked", ["ci", "ci/push-image.sh", ".github/workflows/sluice.yml"])
def test_no_link_leads_to_what_ci_runs(repository, linked):
    arguments = ["ci", "github", "--root", str(repository)]
    assert CliRunner().invoke(cli, arguments).exit_code == 0
    (repository / linked).rename(repository / "specs/moved")
    (repository / linked).symlink_to(repository / "specs/moved")
    found = CliRunner().invoke(cli, [*arguments, "--check"])
    assert found.exit_code == 2
    assert "is reached through a link" in found.output


@pytest.mark.parametrize(
    ("row", "problem"),
    [
        ("/web/ @web", ""),
        ("/ml/other/ @others", ""),
        ("/ml/models/specs/shop/notes/ @shop", ""),
        ("/ml/ @ml", "takes everything"),
        ("/ml/models/ @ml", "takes everything"),
        ("/ml/models/ci/ @ml", "takes files that CI runs"),
        ("/.github/ @web", "write it above"),
        ("/ml/*/ @ml", "write it above"),
        ("*.sh @web", "may match files that CI runs"),
    ],
)
def test_in_a_folder_of_a_repository_rows_of_others_are_judged_by_what_they_take(repository, row, problem):
    root = repository / "ml" / "models"
    root.mkdir(parents=True)
    (repository / "specs").rename(root / "specs")
    platform = root / "specs" / "platform.yaml"
    platform.write_text(
        platform.read_text().replace("revision: main}", "revision: main, root: ml/models}", 1)
    )
    place = repository / "CODEOWNERS"
    place.write_text("* @everyone\n")
    assert run(root) == (0, "wrote CODEOWNERS\n")
    text = place.read_text()
    assert text.startswith("* @everyone\n")
    assert owner(text, "web/app.js") == "@everyone"
    assert (
        owner(text, "ml/models/ci/propose.sh")
        == owner(text, ".github/workflows/sluice.yml")
        == "@acme/platform"
    )
    place.write_text(f"{text}{row}\n")
    code, output = run(root, "--check")
    assert (code, problem in output) == (int(bool(problem)), True), output
