"""`sluice render` of broken specs, platforms and files loses nothing."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

import pytest

from tests.system.repositories import (
    PROGRAM,
    environ,
    read_tree,
    sluice,
    write_tree,
)

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
    done = subprocess.run(
        [*command, *PROGRAM, "render"], cwd=rendered, env=environ(), capture_output=True, text=True
    )
    assert done.returncode in {1, 2}, done.stderr
    assert re.search(r"SRC10[1238]|can't be|no specs/platform.yaml", done.stderr)
    assert read_tree(rendered / "rendered") == before
