"""`sluice render` as users meet it: what it names, what it touches, what it leaves alone, and how it ends."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.system.repositories import examples, read_tree, sluice, write_tree

BUNDLE = "rendered/production/shop/recommender"
ROLLOUT = f"{BUNDLE}/rollout-main.yaml"


def listed(text: str, verb: str) -> list[str]:
    """The paths below a heading such as `stale 2:`."""
    found: list[str] = []
    inside = False
    for line in text.splitlines():
        if line.startswith("  "):
            found += [line.strip()] if inside and "…" not in line else []
        else:
            inside = line.startswith(f"{verb} ")
    return found


# --check ---------------------------------------------------------------------------------------------------------


def test_check_of_a_fresh_tree(rendered: Path):
    ran = sluice(rendered, "render", "--check")
    assert (ran.code, ran.err) == (0, "")
    assert "up to date" in ran.out


def test_check_names_what_is_missing(rendered: Path):
    (rendered / ROLLOUT).unlink()
    before = read_tree(rendered)
    ran = sluice(rendered, "render", "--check")
    assert ran.code == 1
    assert listed(ran.out, "missing") == [ROLLOUT]
    assert "sluice render" in ran.err
    assert read_tree(rendered) == before


def test_check_of_another_folder_names_it_in_the_command_that_mends(rendered: Path, tmp_path: Path):
    ran = sluice(rendered, "render", "--check", "--output", str(tmp_path / "a b"))
    assert ran.code == 1
    assert f"run `sluice render --output '{tmp_path}/a b'`" in ran.err


def test_check_names_what_was_edited(rendered: Path):
    (rendered / ROLLOUT).write_text("by: hand\n")
    ran = sluice(rendered, "render", "--check")
    assert ran.code == 1
    assert listed(ran.out, "edited") == [ROLLOUT]
    assert not listed(ran.out, "stale")


def test_check_names_what_is_stale(rendered: Path):
    spec = rendered / "specs/shop/recommender.yaml"
    spec.write_text(spec.read_text().replace("60m}", "61m}"))
    ran = sluice(rendered, "render", "--check")
    assert ran.code == 1
    stale = listed(ran.out, "stale")
    assert {ROLLOUT, ROLLOUT.replace("production", "staging")} <= set(stale)
    assert not [name for name in stale if "fraud" in name or "ticket" in name]
    assert not listed(ran.out, "edited") + listed(ran.out, "missing") + listed(ran.out, "orphaned")


def test_check_names_what_is_orphaned(rendered: Path):
    for file in (rendered / "specs/shop").iterdir():
        file.unlink()
    ran = sluice(rendered, "render", "--check")
    assert ran.code == 1
    assert re.search(r"orphaned \d+:", ran.out)
    assert {name.split("/")[-2] for name in listed(ran.out, "orphaned")} == {"recommender"}


def test_what_was_named_is_up_to_date_though_others_are_not(rendered: Path):
    platform = rendered / "specs/platform.yaml"
    platform.write_text(platform.read_text() + "# a comment\n")
    assert sluice(rendered, "render", "shop/recommender").code == 0
    ran = sluice(rendered, "render", "shop/recommender")
    assert (ran.code, ran.err) == (0, "")
    assert "rendered is up to date" in ran.out
    assert sluice(rendered, "render", "--check").code == 1


@pytest.mark.parametrize("named", ["specs/platform.yaml", "specs", "."])
def test_naming_the_platform_renders_what_is_the_platforms(rendered: Path, named: str):
    platform = rendered / "specs/platform.yaml"
    platform.write_text(platform.read_text().replace('cpu: "40"', 'cpu: "41"'))
    quota = "rendered/production/platform/shop/resourcequota-main.yaml"
    assert quota in listed(sluice(rendered, "render", "--check", named).out, "stale")
    assert sluice(rendered, "render", named).code == 0
    assert sluice(rendered, "render", "--check").code == 0


@pytest.mark.parametrize("output", ["", ".", "..", "specs", "specs/shop", "templates", "rendered/.."])
def test_an_output_among_the_inputs_is_refused(rendered: Path, output: str):
    before = read_tree(rendered)
    ran = sluice(rendered, "render", "--output", output)
    assert ran.code == 2
    assert "name a folder of its own" in ran.err
    assert read_tree(rendered) == before


def test_check_leaves_what_is_not_sluices(rendered: Path):
    (rendered / BUNDLE / "NOTES.md").write_text("mine\n")
    ran = sluice(rendered, "render", "--check")
    assert ran.code == 0
    assert f"{BUNDLE.removeprefix('rendered/')}/NOTES.md" in ran.out


def test_check_before_the_first_render(repo: Path):
    ran = sluice(repo, "render", "--check")
    assert ran.code == 1
    assert listed(ran.out, "missing")
    assert not (repo / "rendered").exists()


def test_check_says_nothing_is_fine_while_a_spec_is_broken(rendered: Path):
    write_tree(rendered, {"specs/shop/recommender.yaml": "a: [\n"})
    ran = sluice(rendered, "render", "--check")
    assert ran.code == 1
    assert "SRC105" in ran.text
    assert "is up to date" not in ran.out


# --diff ----------------------------------------------------------------------------------------------------------


def test_diff_is_a_patch_that_git_applies(rendered: Path, tmp_path: Path):
    spec = rendered / "specs/shop/recommender.yaml"
    spec.write_text(spec.read_text().replace("60m}", "61m}"))
    before = read_tree(rendered / "rendered")
    ran = sluice(rendered, "render", "--diff")
    assert ran.code == 0
    assert read_tree(rendered / "rendered") == before
    assert any(line.startswith("+") and "61m" in line for line in ran.out.splitlines())
    patch = tmp_path / "p.diff"
    patch.write_text(ran.out)
    subprocess.run(
        ["git", "apply", "--directory", "rendered", "--unsafe-paths", str(patch)], cwd=rendered, check=True
    )
    patched = read_tree(rendered / "rendered")
    assert sluice(rendered, "render").code == 0
    after = read_tree(rendered / "rendered")
    assert {n: t for n, t in patched.items() if not n.endswith(".sluice")} == {
        n: t for n, t in after.items() if not n.endswith(".sluice")
    }


def test_diff_of_a_fresh_tree_is_empty_but_for_the_word(rendered: Path):
    ran = sluice(rendered, "render", "--diff")
    assert ran.code == 0
    assert "@@" not in ran.out


# --env, --output, PATH -------------------------------------------------------------------------------------------


def test_env(repo: Path):
    assert sluice(repo, "render", "--env", "staging").code == 0
    assert {name.split("/")[0] for name in read_tree(repo / "rendered")} == {"staging", "bentos", "gates"}
    assert sluice(repo, "render", "--env", "staging", "--check").code == 0
    assert sluice(repo, "render", "--check").code == 1
    assert sluice(repo, "render").code == 0
    whole = read_tree(repo / "rendered")
    assert sluice(repo, "render", "--env", "production").code == 0
    assert read_tree(repo / "rendered") == whole


def test_an_unknown_env(repo: Path):
    ran = sluice(repo, "render", "--env", "stagin")
    assert ran.code == 2
    assert "staging" in ran.err
    assert not (repo / "rendered").exists()


def test_output(rendered: Path, tmp_path: Path):
    for target in (tmp_path / "deep/er/out", tmp_path / "out"):
        assert sluice(rendered, "render", "--output", str(target)).code == 0
        assert read_tree(target) == read_tree(rendered / "rendered")
    assert sluice(rendered, "render", "--output", "relative").code == 0
    assert read_tree(rendered / "relative") == read_tree(rendered / "rendered")


@pytest.mark.parametrize(
    "path",
    [
        "specs/shop/recommender.yaml",
        "specs/shop/recommender.lock.yaml",
        "specs/shop",
        "shop/recommender",
        "shop",
        "./specs/shop/",
    ],
)
def test_a_path_selects(path: str, repo: Path):
    """The model's own bundles, and the images that its gates run in: no other's, and the same bytes as of a whole run."""
    assert sluice(repo, "render", path).code == 0
    written = read_tree(repo / "rendered")
    used = written["bentos/shop/recommender/GATES"].decode().split()
    images = {reference.rpartition(":")[0].rpartition("/")[2] for reference in used}
    assert images
    assert {name.split("/")[1] for name in written if name.startswith("gates/")} == images
    own = [name for name in written if not name.startswith("gates/")]
    assert own
    assert all("/shop/recommender/" in name for name in own)
    assert sluice(repo, "render").code == 0
    whole = read_tree(repo / "rendered")
    assert {name: whole.get(name) for name in written} == written
    assert {name.split("/")[1] for name in whole if name.startswith("gates/")} > images


def test_a_path_that_selects_nothing(repo: Path):
    ran = sluice(repo, "render", "specs/shop/recomender.yaml")
    assert ran.code == 2
    assert "recommender" in ran.err


def test_a_path_leaves_the_others_even_when_they_are_orphaned(rendered: Path):
    for file in (rendered / "specs/support").iterdir():
        file.unlink()
    assert sluice(rendered, "render", "shop").code == 0
    assert (rendered / "rendered/production/support/ticket-classifier").is_dir()


# What goes -------------------------------------------------------------------------------------------------------


def test_a_deleted_spec_takes_its_files_and_no_others_with_it(rendered: Path):
    before = read_tree(rendered / "rendered")
    edited = "production/shop/recommender/service-stable.yaml"
    (rendered / "rendered" / edited).write_text("by: hand\n")
    for file in (rendered / "specs/shop").iterdir():
        file.unlink()
    ran = sluice(rendered, "render")
    assert ran.code == 0, ran.text
    after = read_tree(rendered / "rendered")
    assert (
        listed(ran.out, "kept, they had been edited and nothing renders them any more:") or edited in ran.out
    )
    assert set(after) == {name for name in before if "/shop/recommender/" not in name} | {edited}
    assert after[edited] == b"by: hand\n"
    assert all(after[name] == before[name] for name in after if name != edited)
    assert not (rendered / "rendered/staging/shop/recommender").exists()


def test_a_deleted_team_and_environment_go(rendered: Path):
    platform = rendered / "specs/platform.yaml"
    text = platform.read_text()
    start, end = text.index("    staging:"), text.index("    production:")
    platform.write_text((text[:start] + text[end:]).replace("      requires: [staging]\n", ""))
    assert sluice(rendered, "render").code == 0
    assert {name.split("/")[0] for name in read_tree(rendered / "rendered")} == {
        "production",
        "bentos",
        "gates",
    }


BROKEN = {
    "no YAML": ("specs/shop/recommender.yaml", "a: [\n"),
    "empty": ("specs/shop/recommender.yaml", ""),
    "unknown key": ("specs/shop/recommender.yaml", "spec: {teir: x}\n"),
    "binary": ("specs/shop/recommender.yaml", b"\x00\xff"),
    "broken lock": ("specs/shop/recommender.lock.yaml", "a: [\n"),
}


@pytest.mark.parametrize("what", BROKEN)
def test_a_broken_spec_keeps_its_old_bundle_and_the_others_are_rendered(what: str, rendered: Path):
    before = read_tree(rendered / "rendered")
    name, content = BROKEN[what]
    write_tree(rendered, {name: content})
    other = rendered / "specs/support/ticket-classifier.yaml"
    other.write_text(other.read_text().replace("approve: manual", "approve: product"))
    ran = sluice(rendered, "render")
    assert ran.code == 1
    assert "Traceback" not in ran.text
    assert name in ran.err
    after = read_tree(rendered / "rendered")
    changed = {path for path in before | after if before.get(path) != after.get(path)}
    assert changed
    assert all("ticket-classifier" in path for path in changed)


BROKEN_PLATFORM = {
    "no YAML": lambda text: text + "x: [\n",
    "a tab": lambda text: text.replace("  environments:", "\tenvironments:"),
    "empty": lambda _: "",
    "a misspelt key": lambda text: text.replace("  environments:", "  enviroments:"),
    "a misspelt environment key": lambda text: text.replace("      server:", "      sever:", 1),
    "a repeated key": lambda text: text + "kind: Platform\n",
    "an anchor": lambda text: text.replace("  environments:", "  environments: &a"),
    "environments as a list": lambda text: re.sub(r"environments:\n(    .*\n)+", "environments: [staging]\n", text, count=1),
    "no environments": lambda text: re.sub(r"  environments:\n(    .*\n)+", "", text, count=1),
    "no teams": lambda text: re.sub(r"  teams:\n(    .*\n)+", "", text, count=1),
    "a bad environment name": lambda text: text.replace("    staging:\n", "    Staging:\n"),
    "latin-1": lambda text: text + "# \udce4\n",
}  # fmt: skip


@pytest.mark.parametrize("arguments", [(), ("--env", "staging"), ("shop",)], ids=["all", "env", "path"])
@pytest.mark.parametrize("what", BROKEN_PLATFORM)
def test_a_broken_platform_loses_nothing(what: str, arguments: tuple[str, ...], rendered: Path):
    before = read_tree(rendered / "rendered")
    platform = rendered / "specs/platform.yaml"
    text = BROKEN_PLATFORM[what](platform.read_text())
    assert text != platform.read_text()
    platform.write_bytes(text.encode(errors="surrogateescape"))
    ran = sluice(rendered, "render", *arguments)
    assert ran.code in {1, 2}, ran.text
    assert "specs/platform.yaml" in ran.err or arguments == ("--env", "staging")
    assert read_tree(rendered / "rendered") == before


def test_a_specs_folder_that_cannot_be_read_loses_nothing(rendered: Path):
    """A team's folder that is a link to nowhere, a loop, or a file: what it rendered to stays until it is really gone."""
    before = read_tree(rendered / "rendered")
    (rendered / "specs/shop").rename(rendered / "away")
    (rendered / "specs/shop").symlink_to("shop")
    ran = sluice(rendered, "render")
    assert ran.code in {1, 2}, ran.text
    assert read_tree(rendered / "rendered") == before


@pytest.mark.parametrize(
    "name", ["specs/shop/recommender.yaml", "specs/shop/recommender.lock.yaml", "specs/platform.yaml"]
)
@pytest.mark.parametrize("kind", ["fifo", "folder", "/dev/zero", "loop", "large"])
def test_what_is_no_file_is_a_finding_and_ends(kind: str, name: str, rendered: Path):
    before = read_tree(rendered / "rendered")
    path = rendered / name
    path.unlink()
    if kind == "fifo":
        os.mkfifo(path)
    elif kind == "folder":
        path.mkdir()
    elif kind == "loop":
        path.symlink_to(path.name)
    elif kind == "large":
        path.write_bytes(b"#" * (11 << 20))
    else:
        path.symlink_to(kind)
    command = ["bash", "-c", 'ulimit -v 4000000; exec timeout 20 "$@"', "bash"]
    from tests.system.repositories import PROGRAM, environ

    done = subprocess.run(
        [*command, *PROGRAM, "render"], cwd=rendered, env=environ(), capture_output=True, text=True
    )
    assert done.returncode in {1, 2}, done.stderr
    assert re.search(r"SRC10[1238]|can't be|no specs/platform.yaml", done.stderr)
    assert read_tree(rendered / "rendered") == before


# What stands in the way ------------------------------------------------------------------------------------------


def test_a_file_where_a_folder_belongs(repo: Path):
    for name in ("rendered", "rendered/production", f"{BUNDLE}"):
        write_tree(repo, {name: "x"})
        ran = sluice(repo, "render")
        assert ran.code == 2
        assert "a file stands where a folder belongs" in ran.err
        assert name in ran.err
        assert (repo / name).read_text() == "x"
        (repo / name).unlink()


def test_a_folder_where_a_file_belongs(rendered: Path):
    (rendered / ROLLOUT).unlink()
    write_tree(rendered, {f"{ROLLOUT}/mine.txt": "x"})
    ran = sluice(rendered, "render")
    assert ran.code == 2
    assert "folder stands where a file belongs" in ran.err
    assert (rendered / ROLLOUT / "mine.txt").read_text() == "x"


def test_links_are_not_followed(repo: Path, tmp_path: Path):
    outside = tmp_path / "outside"
    outside.mkdir()
    (repo / "rendered").mkdir()
    (repo / "rendered/production").symlink_to(outside)
    ran = sluice(repo, "render")
    assert ran.code == 2
    assert "link" in ran.err
    assert list(outside.iterdir()) == []


def test_a_target_that_cannot_be_written(repo: Path):
    """`/proc` refuses everybody, root too: there a read-only folder would prove nothing."""
    ran = sluice(repo, "render", "--output", "/proc/sluice")
    assert ran.code == 2
    assert "/proc/sluice" in ran.err
    assert len(ran.err.splitlines()) <= 2


def test_a_full_disk(repo: Path):
    """A limit on the size of files stands in for it: the same call fails, in the middle of the run."""
    from tests.system.repositories import PROGRAM, environ

    command = ["bash", "-c", 'trap "" XFSZ; ulimit -f 4; exec "$@"', "bash", *PROGRAM, "render"]
    done = subprocess.run(
        command, cwd=repo, env=environ(XDG_CACHE_HOME="/dev/null"), capture_output=True, text=True
    )
    assert done.returncode == 2, done.stderr
    assert "file size limit" in done.stderr
    assert "Traceback" not in done.stderr
    assert not list((repo / "rendered").rglob("*.tmp"))
    assert sluice(repo, "render").code == 0


def test_a_closed_pipe_is_no_bug_of_ours(repo: Path):
    from tests.system.repositories import PROGRAM, environ

    command = ["bash", "-c", '"$@" --diff | true; exit ${PIPESTATUS[0]}', "bash", *PROGRAM, "render"]
    done = subprocess.run(command, cwd=repo, env=environ(), capture_output=True, text=True)
    assert done.returncode != 3
    assert "Traceback" not in done.stderr
    assert "mistake is its own" not in done.stderr


def test_without_a_repository(tmp_path: Path):
    ran = sluice(tmp_path, "render")
    assert ran.code == 2
    assert "specs/platform.yaml" in ran.err


def test_a_repository_without_models(tmp_path: Path):
    examples(tmp_path)
    for path in tmp_path.glob("specs/*/"):
        shutil.rmtree(path)
    platform = tmp_path / "specs/platform.yaml"
    platform.write_text(platform.read_text().partition("  waivers:")[0])
    assert sluice(tmp_path, "render").code == 0
    assert "nothing changed" in sluice(tmp_path, "render").out


# Names that other folders have -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("environment", "team", "model"),
    [
        ("production", "argocd", "platform"),
        ("production", "argocd", "applications"),
        ("production", "argocd", "projects"),
        ("production", "platform", "shop"),
        ("production", "platform", "platform"),
        ("bentos", "shop", "recommender"),
        ("argocd", "platform", "argocd"),
    ],
)
def test_names_that_folders_have_are_refused_or_kept_apart(
    environment: str, team: str, model: str, tmp_path: Path
):
    from tests.system.repositories import LOCK, MODEL, PLATFORM

    platform = PLATFORM.replace("    live:", f"    {environment}:").replace("    shop:", f"    {team}:")
    platform += "    shop: {owners: [shop@example.com], tiers: [basic]}\n" if team != "shop" else ""
    text = MODEL.replace("name: ranker, team: shop", f"name: {model}, team: {team}")
    write_tree(
        tmp_path,
        {
            "specs/platform.yaml": platform,
            f"specs/{team}/{model}.yaml": text,
            f"specs/{team}/{model}.lock.yaml": LOCK,
        },
    )
    ran = sluice(tmp_path, "render")
    assert ran.code in {0, 1}, ran.text
    again = sluice(tmp_path, "render", "--check")
    assert again.code == ran.code, again.text
