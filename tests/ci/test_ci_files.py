"""The files that `sluice ci` writes: checked by the real linters, and kept if they were edited."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest
import yaml

from generator.cli.main import cli
from generator.pipeline.repository_files import CI_FILES
from tests.ci.demo import Demo
from tests.tools.environment import environment
from tests.tools.programs import actionlint, program

CHECKOUT = Path(__file__).resolve().parents[2]


def run(*command: str, cwd: Path) -> str:
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def workflows(demo: Demo) -> list[Path]:
    return sorted((demo.root / ".github" / "workflows").iterdir())


def test_actionlint_finds_nothing_in_the_workflows(demo: Demo) -> None:
    run(actionlint(), "-shellcheck", program("shellcheck"), *map(str, workflows(demo)), cwd=demo.root)


def test_actionlint_would_find_something(demo: Demo) -> None:
    bad = demo.root / ".github" / "workflows" / "sluice.yml"
    bad.write_text(bad.read_text().replace("needs: check", "needs: chek"))
    done = subprocess.run([actionlint(), str(bad)], capture_output=True, text=True)
    assert done.returncode == 1
    assert "chek" in done.stdout


def test_the_schemas_of_both_hosts_are_met(demo: Demo) -> None:
    checker = str(environment("ci").with_name("check-jsonschema"))
    run(checker, "--builtin-schema", "vendor.gitlab-ci", ".gitlab-ci.yml", cwd=demo.root)
    run(checker, "--builtin-schema", "vendor.github-workflows", *map(str, workflows(demo)), cwd=demo.root)
    text = (demo.root / ".gitlab-ci.yml").read_text()
    (demo.root / ".gitlab-ci.yml").write_text(text.replace("  timeout: 15 minutes", "  timeout: [15]"))
    done = subprocess.run(
        [checker, "--builtin-schema", "vendor.gitlab-ci", ".gitlab-ci.yml"],
        cwd=demo.root,
        capture_output=True,
    )
    assert done.returncode == 1


def test_shellcheck_finds_nothing_in_the_scripts(demo: Demo) -> None:
    scripts = sorted(map(str, (demo.root / "ci").glob("*.sh")))
    assert len(scripts) == 5
    run(program("shellcheck"), *scripts, cwd=demo.root)


def test_every_action_is_pinned_by_commit_and_says_which_release(demo: Demo) -> None:
    used = [
        line.strip() for file in workflows(demo) for line in file.read_text().splitlines() if "uses:" in line
    ]
    assert used
    for line in used:
        assert re.fullmatch(r"- uses: actions/(checkout|setup-python)@[0-9a-f]{40} # v\d+\.\d+\.\d+", line)


def test_tokens_can_do_nothing_but_what_a_job_asks_for(demo: Demo) -> None:
    asked = {}
    for file in workflows(demo):
        document = yaml.safe_load(file.read_text())
        assert document["permissions"] == {}
        asked |= {f"{file.stem}/{name}": job["permissions"] for name, job in document["jobs"].items()}
    read, propose = {"contents": "read"}, {"contents": "write", "pull-requests": "write"}
    assert asked == {
        "sluice/check": read,
        "sluice/comment": {"pull-requests": "write"},
        "sluice-images/list": read,
        "sluice-images/build": read,
        "sluice-images/digests": propose,
        "sluice-revert/revert": propose,
    }


def test_no_expression_is_pasted_into_a_script(demo: Demo) -> None:
    for file in workflows(demo):
        for job in yaml.safe_load(file.read_text())["jobs"].values():
            assert not [step["run"] for step in job["steps"] if "${{" in step.get("run", "")]


def test_what_can_write_reads_no_file_of_a_pull_request(demo: Demo) -> None:
    job = yaml.safe_load((demo.root / ".github/workflows/sluice.yml").read_text())["jobs"]["comment"]
    assert all("uses" not in step for step in job["steps"])
    assert "github.event.pull_request.head.repo.full_name == github.repository" in job["if"]


@pytest.mark.parametrize("host", sorted(CI_FILES))
def test_init_and_ci_write_the_same(demo: Demo, host: str) -> None:
    assert demo.sluice("ci", host, "--check") == f"the {host} files are up to date\n"
    for path in CI_FILES[host]:
        (demo.root / path).unlink()
    told = demo.sluice("ci", host)
    assert sorted(told.splitlines()) == sorted(f"wrote {path}" for path in CI_FILES[host])
    assert demo.git("status", "--porcelain") == ""


def test_an_edited_file_is_kept_and_an_old_one_replaced(demo: Demo, sluice) -> None:
    edited, old = demo.root / "ci/fetch-model.sh", demo.root / ".github/workflows/sluice.yml"
    edited.write_text(edited.read_text() + "# ours\n")
    refused = sluice("ci", "github", "--root", demo.root)
    assert refused.exit_code == 2
    assert "  ci/fetch-model.sh\n" in refused.stderr
    assert sluice("ci", "github", "--check", "--root", demo.root).exit_code == 1
    assert sluice("ci", "github", "--force", "--root", demo.root).exit_code == 0
    assert "# ours" not in edited.read_text()
    platform = demo.root / "specs/platform.yaml"
    platform.write_text(platform.read_text().replace("revision: main", "revision: trunk"))
    assert sluice("ci", "github", "--root", demo.root).exit_code == 0
    assert "branches: [trunk]" in old.read_text()


@pytest.fixture
def sluice():
    from click.testing import CliRunner

    return lambda *arguments: CliRunner().invoke(cli, list(map(str, arguments)))


def test_uv_in_ci_is_the_one_that_is_tested() -> None:
    from generator.pipeline.repository_files import UV

    assert f"uv=={UV} \\" in (CHECKOUT / "tests/pins/dev.txt").read_text()
