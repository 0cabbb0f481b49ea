"""`sluice init`: a repository that works as it is."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path

import jsonschema
import pytest
import yaml

from generator.lint.kinds import check
from generator.source.reader import read


@pytest.fixture
def demo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, sluice) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1795392000")
    done = sluice("init", "demo")
    assert done.exit_code == 0, done.stderr
    assert "cd demo && git init && sluice render" in done.stdout
    monkeypatch.chdir(tmp_path / "demo")
    return tmp_path / "demo"


def test_the_next_command_can_be_pasted(tmp_path, monkeypatch, sluice):
    monkeypatch.chdir(tmp_path)
    assert "next: cd 'our models' && git init && sluice render" in sluice("init", "our models").stdout


def files(root: Path) -> dict[str, bytes]:
    return {
        file.relative_to(root).as_posix(): file.read_bytes() for file in root.rglob("*") if file.is_file()
    }


def test_the_new_repository_has_no_finding(demo, sluice):
    done = sluice("validate", "--format", "json")
    assert done.exit_code == 0
    assert json.loads(done.stdout)["findings"] == []


def test_there_is_a_model_for_every_strategy_and_each_can_be_planned(demo, sluice):
    strategies = set()
    for model in ("shop/recommender", "support/ticket-classifier"):
        done = sluice("plan", model, "--format", "json")
        assert done.exit_code == 0, done.stderr
        strategies |= {plan["release"]["strategy"] for plan in json.loads(done.stdout)["plans"]}
    assert strategies == {"canary", "blue-green"}


def test_locks_say_that_they_are_examples(demo):
    for lock in demo.glob("specs/*/*.lock.yaml"):
        assert "example" in read(lock).data["model"]["by"]
        assert lock.read_text().startswith("# AN EXAMPLE")


def test_specs_name_schemas_that_are_there_and_fit(demo):
    for file in demo.glob("specs/**/*.yaml"):
        if file.name.endswith(".lock.yaml"):
            continue
        modeline = re.match(r"# yaml-language-server: \$schema=(\S+)\n", file.read_text())
        schema = json.loads((file.parent / modeline[1]).read_text())
        jsonschema.Draft202012Validator(schema).validate(read(file).data)


def test_every_hook_runs_a_command_that_exists(demo, sluice):
    hooks = yaml.safe_load((demo / ".pre-commit-config.yaml").read_text())["repos"][0]["hooks"]
    for hook in hooks:
        program, *arguments = hook["entry"].split()
        assert program == "sluice"
        assert sluice(*arguments, "--help").exit_code == 0
    validate = next(hook for hook in hooks if hook["id"] == "sluice-validate")
    specs = [name for name in files(demo) if re.search(validate["files"], name)]
    assert len(specs) == 5
    assert sluice("validate", *specs).exit_code == 0


def test_bootstrap_objects_are_valid_and_point_at_what_is_rendered(demo):
    for environment in ("staging", "production"):
        text = (demo / f"bootstrap/{environment}.yaml").read_text()
        applications, projects, root = found = list(yaml.safe_load_all(text))
        assert [check(item) for item in found] == [[], [], []]
        assert root["spec"]["project"] == applications["metadata"]["name"]
        assert root["spec"]["source"]["path"] == f"rendered/{environment}/argocd/root"
        for project in (applications, projects):
            assert root["spec"]["source"]["repoURL"] in project["spec"]["sourceRepos"]


def test_the_root_may_write_applications_and_projects_and_nothing_else(demo):
    """No ConfigMap and no Secret: those of Argo CD's namespace are its configuration."""
    for environment in ("staging", "production"):
        found = list(yaml.safe_load_all((demo / f"bootstrap/{environment}.yaml").read_text()))
        allowed = {
            item["metadata"]["name"]: [kind["kind"] for kind in item["spec"]["namespaceResourceWhitelist"]]
            for item in found[:2]
        }
        assert allowed == {
            f"sluice-{environment}": ["Application"],
            f"sluice-{environment}-projects": ["AppProject"],
        }
        assert all(item["spec"]["clusterResourceWhitelist"] == [] for item in found[:2])


def test_the_root_lists_its_files_by_name_and_they_are_all_that_is_rendered(demo, sluice):
    assert sluice("render").exit_code == 0
    for environment in ("staging", "production"):
        folder = demo / f"rendered/{environment}/argocd"
        root = list(yaml.safe_load_all((demo / f"bootstrap/{environment}.yaml").read_text()))[2]
        assert listed(root) == {path.name for path in (folder / "root").glob("*.yaml")}
        children = {path.stem: yaml.safe_load(path.read_text()) for path in (folder / "root").glob("*.yaml")}
        kinds = {"application-projects": "AppProject", "application-applications": "Application"}
        assert children.keys() == kinds.keys()
        for name, kind in kinds.items():
            files = {path.relative_to(folder).as_posix() for path in folder.rglob(f"{kind.lower()}.yaml")}
            assert listed(children[name]) == files
            assert all(yaml.safe_load((folder / file).read_text())["kind"] == kind for file in files)


@pytest.mark.parametrize("notifications", ["", "\n  notifications: {slack: {token: slack-token}}\n  "])
def test_the_application_of_the_platform_lists_its_files_by_name(demo, sluice, notifications):
    platform = demo / "specs/platform.yaml"
    text = platform.read_text()
    if notifications:
        text = text.replace("\n  tiers:", f"{notifications}tiers:", 1).replace(
            '      quota: {cpu: "8", memory: 16Gi}\n', ""
        )
        text = text.replace("\n  tiers:", "\n  monitoring: {dashboards: {}}\n  tiers:", 1)
        platform.write_text(text)
    assert sluice("render").exit_code == 0
    for environment in ("staging", "production"):
        folder = demo / f"rendered/{environment}/platform"
        application = yaml.safe_load(
            (demo / f"rendered/{environment}/argocd/platform/application.yaml").read_text()
        )
        assert listed(application) == {path.relative_to(folder).as_posix() for path in folder.rglob("*.yaml")}


def listed(application):
    """The files that an Application takes: names without any wildcard."""
    include = application["spec"]["source"]["directory"]["include"]
    names = include.removeprefix("{").removesuffix("}").split(",")
    assert not re.search(r"[*?\[\]{}\\!]", "".join(names))
    return set(names)


def test_git_ignores_what_a_killed_command_leaves(demo):
    subprocess.run(["git", "init", "--quiet"], cwd=demo, check=True)
    (demo / "specs/shop/.sluice-0123456789abcdef.tmp").write_text("half")
    done = subprocess.run(
        ["git", "status", "--porcelain", "--untracked-files=all"], cwd=demo, capture_output=True, text=True
    )
    assert "specs/shop/recommender.yaml" in done.stdout
    assert ".tmp" not in done.stdout


def test_rendered_files_are_marked_as_generated(demo):
    assert "rendered/** linguist-generated=true" in (demo / ".gitattributes").read_text().splitlines()
    assert "/specs/platform.yaml @platform-team" in (demo / "CODEOWNERS").read_text().splitlines()


def test_the_commands_that_the_readme_names_exist(demo, sluice):
    named = set(re.findall(r"^sluice ([a-z]+)", (demo / "README.md").read_text(), re.MULTILINE))
    assert named == {"validate", "plan", "render", "new"}
    for name in named:
        assert sluice(name, "--help").exit_code == 0


def test_two_runs_make_the_same_bytes(demo, sluice, tmp_path):
    assert sluice("init", str(tmp_path / "again")).exit_code == 0
    assert files(tmp_path / "again") == files(demo)


def test_nothing_is_written_when_a_file_is_in_the_way(tmp_path, monkeypatch, sluice):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "README.md").write_text("mine")
    (tmp_path / "specs").write_text("a file")
    before = files(tmp_path)
    done = sluice("init")
    assert done.exit_code == 2
    assert "these are not folders: specs" in done.stderr
    assert files(tmp_path) == before


def test_a_link_to_nowhere_counts_as_there(tmp_path, monkeypatch, sluice):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "README.md").symlink_to("nowhere")
    assert "  README.md: " in sluice("init").stdout
    assert not (tmp_path / "nowhere").exists()


def test_a_file_where_the_folder_should_be_is_refused(tmp_path, sluice):
    (tmp_path / "file").write_text("")
    done = sluice("init", tmp_path / "file")
    assert done.exit_code == 2
    assert "Traceback" not in done.stderr


def git(folder: Path, *arguments: str) -> None:
    subprocess.run(["git", *arguments], cwd=folder, check=True, capture_output=True)


@pytest.fixture
def taken(tmp_path, monkeypatch) -> Path:
    """A repository that has files of `init` already."""
    git(tmp_path, "init", "--quiet")
    for name, text in {
        "README.md": "# Ours\n",
        ".gitignore": "dist/",
        ".pre-commit-config.yaml": "repos: []\n",
        ".github/CODEOWNERS": "* @acme/all\n",
        ".github/workflows/test.yml": "on: push\n",
    }.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1795392000")
    return tmp_path


def test_what_is_there_stays_and_the_rest_is_written(taken, sluice):
    before = {name: text for name, text in files(taken).items() if not name.startswith(".git/")}
    done = sluice("init")
    assert done.exit_code == 0, done.stderr
    after = files(taken)
    appended = after[".gitignore"].decode()
    assert appended.startswith("dist/\n")
    assert ".sluice-*.tmp" in appended
    assert {name: after[name] for name in before if name != ".gitignore"} == {
        name: text for name, text in before.items() if name != ".gitignore"
    }
    assert "+.sluice-*.tmp" in done.stdout
    assert b"sluice validate" in after["SLUICE.md"]
    for name in ("README.md", ".pre-commit-config.yaml", ".github/CODEOWNERS"):
        assert re.search(rf"^  {re.escape(name)}: ", done.stdout, re.MULTILINE), done.stdout
    assert "CODEOWNERS" not in after
    assert ".github/workflows/sluice.yml" in after
    assert sluice("render").exit_code == 0
    assert sluice("render", "--check").exit_code == 0
    assert sluice("codeowners").exit_code == 0
    assert (taken / ".github/CODEOWNERS").read_text().startswith("* @acme/all\n")


@pytest.mark.parametrize(
    ("name", "hosts"),
    [("ci/propose.sh", []), (".gitlab-ci.yml", ["github"]), (".github/workflows/sluice.yml", ["gitlab"])],
)
def test_workflows_run_no_script_of_somebody_else(taken, sluice, name, hosts):
    (taken / name).parent.mkdir(exist_ok=True)
    (taken / name).write_text("echo mine\n")
    done = sluice("init")
    assert done.exit_code == 0, done.stderr
    assert re.search(rf"^  {re.escape(name)}: so CI for ", done.stdout, re.MULTILINE)
    assert (taken / name).read_text() == "echo mine\n"
    first = {"github": ".github/workflows/sluice-image.yml", "gitlab": "ci/gitlab-note.py"}
    assert [host for host, file in first.items() if (taken / file).exists()] == hosts
    assert (taken / "ci/fetch-model.sh").exists() is bool(hosts)
    assert sluice("render").exit_code == 0
    assert sluice("render", "--check").exit_code == 0


def test_a_folder_of_a_larger_repository_gets_paths_from_its_top(taken, sluice, monkeypatch):
    done = sluice("init", "ml/models")
    assert done.exit_code == 0, done.stderr
    assert "next: cd ml/models && sluice render" in done.stdout
    assert "root: ml/models" in (taken / "ml/models/specs/platform.yaml").read_text()
    assert not (taken / "ml/models/.gitlab-ci.yml").exists()
    assert (taken / ".github/workflows/sluice.yml").exists()
    for words in (
        ("validate", "ml/models/specs/shop/recommender.yaml"),
        ("render", "ml/models"),
        ("validate", "ml/models"),
    ):
        assert sluice(*words).exit_code == 0, words
    monkeypatch.chdir(taken / "ml/models")
    for words in (
        ("render", "--check"),
        ("ci", "github", "--check"),
        ("codeowners",),
        ("codeowners", "--check"),
    ):
        assert sluice(*words).exit_code == 0, words
    root = list(yaml.safe_load_all(Path("bootstrap/staging.yaml").read_text()))[2]
    assert root["spec"]["source"]["path"] == "ml/models/rendered/staging/argocd/root"


def test_only_some_files_are_written_on_demand(tmp_path, monkeypatch, sluice):
    monkeypatch.chdir(tmp_path)
    assert sluice("init", "demo", "--only", "specs", "--only", "README.md").exit_code == 0
    assert {name.partition("/")[0] for name in files(tmp_path / "demo")} == {"specs", "README.md"}
    done = sluice("init", "other", "--only", "spec")
    assert done.exit_code == 2
    assert "writes nothing called spec" in done.stderr
    assert not (tmp_path / "other").exists()


def test_a_folder_of_a_repository_that_others_can_not_name_is_refused(taken, sluice):
    done = sluice("init", "our models")
    assert done.exit_code == 2
    assert "can't read a folder with such a name: our models" in done.stderr
    assert not (taken / "our models").exists()
