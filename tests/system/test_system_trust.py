"""What is in git is what the specs give: the attacks on rendered files, each by a person who may write below `rendered/`."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping
from hashlib import sha256
from pathlib import Path

import pytest

from generator.output.ledger import Ledger, parse
from tests.system.repositories import (
    BUNDLE,
    CHECKOUT,
    ROLLOUT,
    environ,
    listed,
    read_tree,
    sluice,
    write_tree,
)

_ROLE = """\
apiVersion: v1
kind: ConfigMap
metadata: {name: argocd-rbac-cm, namespace: argocd}
data: {policy.default: "role:admin"}
"""
_APPLICATIONS = "rendered/production/argocd/applications"
_FOREIGN: Mapping[str, str] = {
    # what Argo CD's root would take, or a model's Application
    f"{_APPLICATIONS}/shop/recommender/x.yaml": _ROLE,
    f"{_APPLICATIONS}/shop/x.yaml": _ROLE,
    f"{_APPLICATIONS}/newteam/newmodel/application.yaml": _ROLE,
    "rendered/production/argocd/x.JSON": "{}",
    "rendered/production/platform/shop/x.yml": _ROLE,
    f"{BUNDLE}/x.jsonnet": "{}",
    # folders that no spec knows
    "rendered/qa/shop/recommender/x.yaml": _ROLE,
    "rendered/x.yaml": _ROLE,
    # how Argo CD reads a folder
    f"{BUNDLE}/kustomization.yaml": "resources: []\n",
    f"{BUNDLE}/Chart.yaml": "name: x\n",
    f"{BUNDLE}/.argocd-source.yaml": "directory: {recurse: true}\n",
    f"{BUNDLE}/.argocd-source-production-shop-recommender.yaml": "kustomize: {}\n",
    f"{BUNDLE}/.helmignore": "*\n",
    "rendered/.gitattributes": "* ident\n",
    # what a build copies or imports
    "rendered/bentos/shop/recommender/numpy.py": "import os\n",
    "rendered/bentos/shop/recommender/NOTES.txt": "copied\n",
    "rendered/gates/scipy/sitecustomize.py": "import os\n",
    "rendered/gates/scipy/scipy/README.md": "copied\n",
}
_NOTES = (
    "rendered/README.md",
    f"{BUNDLE}/NOTES.txt",
    "rendered/bentos/README.md",
    "rendered/production/a note.md",
)


def test_every_file_that_no_spec_asks_for_is_an_error_and_notes_are_none(rendered: Path) -> None:
    write_tree(rendered, dict.fromkeys(_NOTES, "mine\n"))
    assert sluice(rendered, "render", "--check").code == 0
    assert sluice(rendered, "render").code == 0
    write_tree(rendered, _FOREIGN)
    before = read_tree(rendered)
    for arguments in (("render", "--check"), ("render",)):
        ran = sluice(rendered, *arguments)
        assert ran.code == 1
        assert ran.err.count("error[OUT102]") == len(_FOREIGN)
        assert all(name in ran.err for name in _FOREIGN)
        assert read_tree(rendered) == before


@pytest.mark.parametrize("target", ["../recommender", "/etc/passwd", "nowhere"])
@pytest.mark.parametrize(
    "name", ["rendered/production/shop/link", f"{BUNDLE}/README.md", "rendered/link.yaml"]
)
def test_a_link_is_an_error(rendered: Path, name: str, target: str) -> None:
    (rendered / name).symlink_to(target)
    ran = sluice(rendered, "render", "--check")
    assert ran.code == 1
    assert f"{name}" in ran.err


def _forge(ledger: Path, change: Callable[[Ledger], Ledger]) -> None:
    """Write a changed ledger with a seal that fits."""
    found = parse(ledger.read_bytes(), "")
    assert isinstance(found, Ledger)
    ledger.write_bytes(change(found).encode())


def _edit_with_its_hash(file: Path, old: str, new: str) -> None:
    text = file.read_text()
    assert old in text
    file.write_text(text.replace(old, new, 1))
    digest = sha256(file.read_bytes()).hexdigest()
    _forge(
        file.parent / ".sluice",
        lambda ledger: Ledger({**ledger.files, file.name: (digest,)}, ledger.inputs),
    )


def _add_with_its_hash(folder: Path, name: str, text: str) -> None:
    (folder / name).write_text(text)
    digest = sha256(text.encode()).hexdigest()
    _forge(folder / ".sluice", lambda ledger: Ledger({**ledger.files, name: (digest,)}, ledger.inputs))


def _forge_inputs(folder: Path) -> None:
    _forge(folder / ".sluice", lambda ledger: Ledger(ledger.files, dict.fromkeys(ledger.inputs, "0" * 64)))


def _forget_a_file(folder: Path, name: str) -> None:
    """Drop a file and its line."""
    (folder / name).unlink()
    _forge(
        folder / ".sluice",
        lambda ledger: Ledger({n: d for n, d in ledger.files.items() if n != name}, ledger.inputs),
    )


_FORGED: Mapping[str, Callable[[Path], None]] = {
    "a weight": lambda root: _edit_with_its_hash(root / ROLLOUT, "setWeight: 5", "setWeight: 100"),
    "a project": lambda root: _edit_with_its_hash(
        root / "rendered/production/argocd/projects/shop/appproject.yaml", "clusterResourceWhitelist: []", ""
    ),
    "a service": lambda root: _edit_with_its_hash(
        root / "rendered/bentos/shop/recommender/service.py", "import", "import os, "
    ),
    "a quota": lambda root: _edit_with_its_hash(
        root / "rendered/production/platform/shop/resourcequota-main.yaml", '"40"', '"400"'
    ),
    "a gate image": lambda root: _edit_with_its_hash(
        root / "rendered/gates/scipy/common.py", "import", "import os, "
    ),
    "one more file": lambda root: _add_with_its_hash(root / BUNDLE, "x.yaml", _ROLE),
    "inputs": lambda root: _forge_inputs(root / BUNDLE),
    "one file fewer": lambda root: _forget_a_file(root / BUNDLE, "poddisruptionbudget-main.yaml"),
}


@pytest.mark.parametrize("forged", _FORGED)
def test_a_forged_ledger_is_not_believed_and_render_repairs_what_it_lists(
    rendered: Path, forged: str
) -> None:
    before = read_tree(rendered)
    _FORGED[forged](rendered)
    assert read_tree(rendered) != before
    assert sluice(rendered, "render", "--check").code == 1
    assert sluice(rendered, "render").code == 0
    assert read_tree(rendered) == before


def test_render_after_all_of_it_ends_in_the_tree_of_an_empty_folder(rendered: Path) -> None:
    clean = read_tree(rendered)
    for forge in _FORGED.values():
        forge(rendered)
    (rendered / BUNDLE / "NOTES.md").write_text("mine\n")
    assert sluice(rendered, "render").code == 0
    (rendered / BUNDLE / "NOTES.md").unlink()
    assert read_tree(rendered) == clean


def test_the_platform_file_is_read_once_and_a_change_meanwhile_is_detected(repo: Path) -> None:
    """The file changes as soon as it was read, as with `git stash` in another window."""
    program = """
import pathlib, sys
from generator.pipeline import session
read = session.read_platform_inputs
file = pathlib.Path("specs/platform.yaml")
def edit(root):
    found = read(root)
    text = file.read_text()
    file.write_text(text.replace('cpu: "40"', 'cpu: "41"'))
    assert file.read_text() != text
    return found
session.read_platform_inputs = edit
sys.argv = ["sluice", "render"]
from generator.cli.main import run
run()
"""
    text = (repo / "specs/platform.yaml").read_text()
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=repo, env=environ(), capture_output=True, text=True
    )
    assert done.returncode == 2
    assert "specs/platform.yaml changed during rendering" in done.stderr
    (repo / "specs/platform.yaml").write_text(text)
    assert sluice(repo, "render", "--check").code == 0  # all of it is from the bytes that were read first


@pytest.mark.parametrize("at", ["rendered", "out", "out/rendered"])
@pytest.mark.parametrize("arguments", [("render",), ("render", "--check"), ("render", "--diff")])
def test_an_output_behind_a_link_is_refused(
    repo: Path, tmp_path: Path, at: str, arguments: tuple[str, ...]
) -> None:
    platform = repo / "specs/platform.yaml"
    if at != "rendered":
        platform.write_text(platform.read_text().replace("git: {", "git: {path: out/rendered, "))
    outside = tmp_path / "outside"
    outside.mkdir()
    (repo / at).parent.mkdir(exist_ok=True)
    (repo / at).symlink_to(outside)
    ran = sluice(repo, *arguments)
    assert ran.code == 2
    assert f"{at} is a link" in ran.err
    assert list(outside.iterdir()) == []


def test_a_release_changes_nothing_below_argocd(rendered: Path) -> None:
    """These files are the platform's: a team releases without its review."""
    before = _argocd(rendered)
    lock = rendered / "specs/shop/recommender.lock.yaml"
    lock.write_text(lock.read_text().replace("/12", "/13").replace('"12"', '"13"'))
    spec = rendered / "specs/shop/recommender.yaml"
    text = spec.read_text()
    assert "60m}" in text
    spec.write_text(text.replace("60m}", "61m}"))
    assert sluice(rendered, "render").code == 0
    assert _argocd(rendered) == before
    assert "61m" in (rendered / ROLLOUT).read_text()


def _argocd(root: Path) -> dict[str, bytes]:
    return {name: data for name, data in read_tree(root).items() if "/argocd/" in name}


def test_an_older_application_that_is_put_back_is_repaired(rendered: Path) -> None:
    """Its ledger names no inputs and is known from an earlier run, but not for this spec."""
    folder = rendered / _APPLICATIONS / "shop/recommender"
    old = {path.name: path.read_bytes() for path in folder.iterdir()}
    spec = rendered / "specs/shop/recommender.yaml"
    spec.write_text(spec.read_text().replace("owner: shop-ml@example.com", "owner: ranking@example.com"))
    assert sluice(rendered, "render", "shop/recommender").code == 0
    new = {path.name: path.read_bytes() for path in folder.iterdir()}
    assert new != old
    for name, data in old.items():
        (folder / name).write_bytes(data)
    assert sluice(rendered, "render").code == 0
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == new


@pytest.mark.parametrize("name", ["*", "{a,b}", "x?", "[a-z]"])
def test_a_name_that_is_a_pattern_is_not_listed_for_argo_cd(repo: Path, name: str) -> None:
    shutil.copy(repo / "specs/shop/recommender.yaml", repo / f"specs/shop/{name}.yaml")
    assert sluice(repo, "render").code == 1
    text = (repo / "rendered/production/argocd/root/application-applications.yaml").read_text()
    assert name not in text.partition("include:")[2].replace("{platform", "", 1)


def test_verify_and_plan_say_in_the_first_line_that_the_tree_is_not_what_the_specs_give(
    rendered: Path,
) -> None:
    right = sluice(rendered, "verify", "rendered/production")
    assert (right.code, right.out.partition(":")[0]) == (0, "rendered/ is what the specs give")
    for arguments in (("plan", "--all"), ("plan", "shop/recommender")):
        assert "what the specs give" not in sluice(rendered, *arguments).text
    _FORGED["a weight"](rendered)
    loose = "rendered/production/newteam/x.yaml"
    write_tree(rendered, {loose: _ROLE})
    edited = f"2 files out of date or edited ({ROLLOUT}, …)"
    both = f"rendered/ is not what the specs give: 1 file from no spec ({loose}), {edited}"
    ran = sluice(rendered, "verify")
    assert ran.code == 1
    assert ran.out.splitlines()[0].startswith(both)
    assert sluice(rendered, "plan", "--all").out.splitlines()[0].startswith(both)
    one = sluice(rendered, "plan", "shop/recommender").out.splitlines()[0]
    assert one.startswith(f"rendered/ is not what the specs give: {edited}")
    marker, comment, *_ = sluice(rendered, "plan", "--all", "--format", "markdown").out.splitlines()
    assert marker == "<!-- sluice plan -->"
    assert comment.startswith(f"**{both}")
    assert sluice(rendered, "plan", "support/ticket-classifier").out.startswith("support/ticket-classifier")


def test_plan_lists_bundles_from_other_inputs_without_rendering_them(rendered: Path) -> None:
    spec = rendered / "specs/shop/recommender.yaml"
    spec.write_text(spec.read_text().replace("owner: shop-ml@example.com", "owner: ranking@example.com"))
    state, imported = _planned(rendered)
    assert state.startswith("rendered/ is not what the specs give: 3 bundles out of date (rendered/")
    assert "generator.pipeline.render" not in imported
    assert sluice(rendered, "render", "shop/recommender").code == 0
    assert "what the specs give" not in _planned(rendered)[0]


def test_plan_renders_what_the_cache_does_not_know_only_once(
    rendered: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "another machine"))
    for rendering in (True, False):
        state, imported = _planned(rendered)
        assert "what the specs give" not in state
        assert ("generator.pipeline.render" in imported) is rendering
    (rendered / ROLLOUT).write_text((rendered / ROLLOUT).read_text() + "# edited\n")
    assert "1 file out of date or edited" in _planned(rendered)[0]
    assert "1 file out of date or edited" in _planned(rendered)[0]


def _planned(root: Path) -> tuple[str, list[str]]:
    """Return the first line of the plan of a model, and the modules that it imported."""
    program = (
        "import atexit, sys; atexit.register(lambda: print(*sys.modules, file=sys.stderr))\n"
        "from generator.cli.main import run\nrun()"
    )
    command = [sys.executable, "-c", program, "plan", "shop/recommender"]
    ran = subprocess.run(command, cwd=root, capture_output=True, text=True, check=True)
    return ran.stdout.splitlines()[0], ran.stderr.splitlines()[-1].split()


def test_verify_of_a_tree_that_is_not_this_repositorys_compares_nothing(
    rendered: Path, tmp_path: Path
) -> None:
    shutil.copytree(rendered / "rendered/production", tmp_path / "elsewhere")
    assert "what the specs give" not in sluice(rendered, "verify", str(tmp_path / "elsewhere")).text


def test_render_removes_what_killed_commands_left_next_to_specs(rendered: Path) -> None:
    name = ".sluice-0123456789abcdef.tmp"
    left = (name, f"specs/shop/{name}", f"rendered/production/{name}", f"{BUNDLE}/{name}")
    write_tree(rendered, dict.fromkeys(left, "half"))
    assert sluice(rendered, "render", "--check").code == 1  # of the two among the rendered files
    assert sluice(rendered, "render").code == 0
    assert not [path for path in left if (rendered / path).exists()]


@pytest.mark.parametrize(
    "text",
    ["+argocd:skip-file-rendering", "a +argocd:skip-file-rendering b", "\\x2bargocd:skip-file-rendering",
     "+argocd:skip-\\\n    file-rendering"],
)  # fmt: skip
def test_a_text_that_switches_off_argo_cd_is_refused(repo: Path, text: str) -> None:
    """The file that it is rendered into would not be applied: a guard, a policy, a whole Rollout."""
    spec = repo / "specs/shop/recommender.yaml"
    spec.write_text(spec.read_text().replace("owner: shop-ml@example.com", f'owner: "{text}"'))
    ran = sluice(repo, "render")
    assert ran.code == 1
    assert "error[SRC114] specs/shop/recommender.yaml:" in ran.err


def test_a_template_that_switches_off_argo_cd_is_refused(repo: Path) -> None:
    name = "kubernetes/analysistemplate.yaml.j2"
    text = (CHECKOUT / "templates" / name).read_text()
    write_tree(repo, {f"templates/{name}": "# {{ '+argocd:skip-file' ~ '-rendering' }}\n" + text})
    ran = sluice(repo, "render")
    assert ran.code == 2
    assert "Argo CD would not apply" in ran.err


def test_bundles_of_a_model_with_errors_are_not_believed(rendered: Path) -> None:
    """They stay as they are in git and can't be compared: the check fails and names them."""
    spec = rendered / "specs/shop/recommender.yaml"
    spec.write_text(spec.read_text().replace("weight: 5%", "weight: 60%"))
    _FORGED["a weight"](rendered)
    ran = sluice(rendered, "render", "--check")
    assert ran.code == 1
    left = "not compared, their models have errors"
    assert set(listed(ran.out, left)) >= {BUNDLE, "rendered/bentos/shop/recommender"}
    assert not [name for name in listed(ran.out, left) if "recommender" not in name]
