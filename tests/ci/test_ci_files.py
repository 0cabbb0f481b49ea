"""The files that `sluice ci` writes: checked by the real linters, and kept if they were edited."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest
import yaml

from generator.cli.main import cli
from generator.pipeline.ci_files import CI_FILES, pin_files
from tests.ci.demo import Demo
from tests.tools.environment import environment
from tests.tools.programs import actionlint, program

CHECKOUT = Path(__file__).resolve().parents[2]


_ACTION = (
    r"uses: actions/(checkout|setup-python|upload-artifact|download-artifact|attest-build-provenance|attest)"
    r"@[0-9a-f]{40} # v\d+\.\d+\.\d+"
)


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
    (demo.root / "images.yml").write_text(demo.sluice("ci", "images", "--format", "gitlab"))
    run(checker, "--builtin-schema", "vendor.gitlab-ci", "images.yml", cwd=demo.root)
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
    assert len(scripts) == 10
    run(program("shellcheck"), *scripts, cwd=demo.root)


def test_every_action_is_pinned_by_commit_and_says_which_release(demo: Demo) -> None:
    used = [
        line.strip().removeprefix("- ")
        for file in workflows(demo)
        for line in file.read_text().splitlines()
        if "uses:" in line and "uses: ./" not in line
    ]
    assert used
    for line in used:
        assert re.fullmatch(_ACTION, line)


def test_tokens_can_do_nothing_but_what_a_job_asks_for(demo: Demo) -> None:
    asked = {}
    for file in workflows(demo):
        document = yaml.safe_load(file.read_text())
        assert document["permissions"] == {}
        asked |= {f"{file.stem}/{name}": job["permissions"] for name, job in document["jobs"].items()}
    read, propose = {"contents": "read"}, {"contents": "write", "pull-requests": "write"}
    attest = {"contents": "read", "id-token": "write", "attestations": "write"}
    assert asked == {
        "sluice/check": read,
        "sluice/comment": {"pull-requests": "write"},
        "sluice-images/list": read,
        "sluice-images/image": attest,
        "sluice-images/digests": propose,
        "sluice-image/fetch": read,
        "sluice-image/build": {},
        "sluice-image/push": attest,
        "sluice-revert/revert": propose,
        "sluice-promote/record": read,
        "sluice-promote/propose": propose,
    }


def test_no_expression_is_pasted_into_a_script(demo: Demo) -> None:
    for file in workflows(demo):
        for job in yaml.safe_load(file.read_text())["jobs"].values():
            assert not [step["run"] for step in job.get("steps", ()) if "${{" in step.get("run", "")]


def test_what_can_write_reads_no_file_of_a_pull_request(demo: Demo) -> None:
    job = yaml.safe_load((demo.root / ".github/workflows/sluice.yml").read_text())["jobs"]["comment"]
    assert all("uses" not in step for step in job["steps"])
    assert "github.event.pull_request.head.repo.full_name == github.repository" in job["if"]


_SECRET = re.compile(r"secrets\.(\w+)")
_SECRETS = {
    "sluice-images/digests": ("sluice-propose", {"SLUICE_TOKEN", "REGISTRY_USER", "REGISTRY_PASSWORD"}),
    "sluice-image/fetch": (
        "sluice-models",
        {"MLFLOW_TRACKING_TOKEN", "HF_TOKEN", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"},
    ),
    "sluice-image/push": ("sluice-registry", {"REGISTRY_USER", "REGISTRY_PASSWORD"}),
    "sluice-revert/revert": ("sluice-propose", {"SLUICE_TOKEN"}),
    "sluice-promote/record": ("sluice-clusters", {"KUBECONFIG"}),
    "sluice-promote/propose": ("sluice-propose", {"SLUICE_TOKEN"}),
}


def test_a_secret_belongs_to_an_environment(demo: Demo) -> None:
    found = {}
    for file in workflows(demo):
        for name, job in yaml.safe_load(file.read_text())["jobs"].items():
            used = set(_SECRET.findall(yaml.safe_dump(job)))
            if used or "environment" in job:
                found[f"{file.stem}/{name}"] = (job.get("environment"), used)
    assert found == _SECRETS


def test_gitlab_gives_no_environment_to_a_merge_request_or_to_a_build(demo: Demo) -> None:
    document = yaml.safe_load((demo.root / ".gitlab-ci.yml").read_text())
    jobs = {name: job for name, job in document.items() if isinstance(job, dict) and "script" in job}
    of_requests = {name for name, job in jobs.items() if "merge_request_event" in str(job["rules"])}
    assert of_requests == {"check", "plan"}
    environments = {name: job["environment"] for name, job in jobs.items() if "environment" in job}
    assert environments == {
        "comment": "sluice-comment",
        "digests": "sluice-propose",
        "revert": "sluice-propose",
        "record": "sluice-clusters",
        "promote": "sluice-propose",
    }
    images = yaml.safe_load(demo.sluice("ci", "images", "--format", "gitlab"))
    named = {name: job.get("environment") for name, job in images.items() if " " in name}
    assert named == {
        f"{stage} {model}": environment
        for model in ("shop.recommender", "support.ticket-classifier")
        for stage, environment in (("fetch", "sluice-models"), ("build", None), ("push", "sluice-registry"))
    }


def test_the_push_on_gitlab_runs_nothing_that_the_build_could_replace(demo: Demo) -> None:
    """GitLab unpacks artifacts over the checkout, and variables of a report count more than those of the job.

    A job without the artifacts of another one gets neither (GitLab, app/models/ci/build_dependencies.rb, from_needs).
    """
    images = yaml.safe_load(demo.sluice("ci", "images", "--format", "gitlab"))
    for name, job in images.items():
        if name.startswith("push "):
            assert job["variables"] == {"GIT_STRATEGY": "none"}
            assert job["needs"] == [{"job": name.replace("push", "build", 1), "artifacts": False}]
            assert "dependencies" not in job
            assert job["script"][0].endswith('&& cd "$work"')


def test_a_revert_on_gitlab_runs_the_files_of_the_default_branch(demo: Demo) -> None:
    document = yaml.safe_load((demo.root / ".gitlab-ci.yml").read_text())
    for name, count in (("revert", 1), ("record", 2), ("promote", 2)):
        rules = document[name]["rules"]
        assert ["$CI_COMMIT_BRANCH == $CI_DEFAULT_BRANCH" in rule["if"] for rule in rules] == [True] * count


def test_no_job_uses_a_cache(demo: Demo) -> None:
    """What a build writes to a cache is read by no job here."""
    texts = [file.read_text() for file in (*workflows(demo), demo.root / ".gitlab-ci.yml")]
    texts.append(demo.sluice("ci", "images", "--format", "gitlab"))
    assert [
        text
        for text in texts
        if re.search(r"^\s*(- )?(cache|key-prefix):|actions/cache|cache-(from|to)", text, re.MULTILINE)
    ] == []


def test_no_module_of_the_repository_is_imported_by_a_job(demo: Demo) -> None:
    """`python -m`, `python -` and a script's folder are found before the standard library without -I or -P."""
    files = [*workflows(demo), demo.root / ".gitlab-ci.yml", *(demo.root / "ci").glob("*.sh")]
    lines = [
        line for file in files if file.name != "build-image.sh" for line in file.read_text().splitlines()
    ]
    lines += demo.sluice("ci", "images", "--format", "gitlab").splitlines()
    starts = [line for line in lines if re.search(r"\bpython3? (-|ci/)", line) and "#" not in line]
    assert len(starts) >= 6
    assert [line for line in starts if not re.search(r"\bpython3? -[IP] ", line)] == []


def test_everything_that_ci_installs_has_hashes(demo: Demo) -> None:
    files = [*workflows(demo), demo.root / ".gitlab-ci.yml", *(demo.root / "ci").glob("*.sh")]
    installs = [line for file in files for line in file.read_text().splitlines() if "pip " in line]
    assert len(installs) >= 5
    # The service's own packages are installed where there is no secret.
    free = "--requirement bento/requirements.txt"
    assert [line for line in installs if "--require-hashes" not in line and free not in line] == []
    assert not [file for file in files if "uvx" in file.read_text()]
    for path in sorted((demo.root / "ci/pins").iterdir()):
        lines = path.read_text().replace("\\\n", " ").splitlines()
        pinned = [line for line in lines if line and not line.startswith("#")]
        assert pinned
        assert [line for line in pinned if not re.match(r"\S+==\S+.* --hash=sha256:[0-9a-f]{64}", line)] == []


@pytest.mark.parametrize("host", sorted(CI_FILES))
def test_init_and_ci_write_the_same(demo: Demo, host: str) -> None:
    assert demo.sluice("ci", host, "--check") == f"the {host} files are up to date\n"
    paths = [*CI_FILES[host], *pin_files()]
    for path in paths:
        (demo.root / path).unlink()
    told = demo.sluice("ci", host)
    assert sorted(told.splitlines()) == sorted(f"wrote {path}" for path in paths)
    assert demo.git("status", "--porcelain") == ""


def test_an_edited_file_is_kept_and_an_old_one_replaced(demo: Demo, sluice) -> None:
    edited, old = demo.root / "ci/fetch-model.sh", demo.root / ".github/workflows/sluice.yml"
    edited.write_text(edited.read_text() + "# ours\n")
    refused = sluice("ci", "github", "--root", demo.root)
    assert refused.exit_code == 2
    assert "edited, or not written by Sluice: ci/fetch-model.sh\n" in refused.stderr
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


def test_without_the_hash_of_sluice_nothing_is_installed(demo: Demo) -> None:
    (demo.root / "ci/pins/sluicegate.txt").unlink()
    done = subprocess.run(
        ["sh", "ci/install-sluice.sh"], cwd=demo.root, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 1
    assert done.stderr == "ci/pins/sluicegate.txt is missing: run `sluice pin --tools` and commit it\n"


def test_uv_in_ci_is_the_one_that_is_tested() -> None:
    (pinned,) = (CHECKOUT / "templates/ci/pins/uv.in").read_text().split()
    assert f"{pinned} \\" in (CHECKOUT / "tests/pins/dev.txt").read_text()
