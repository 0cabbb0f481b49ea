"""Names and texts of a hostile pull request in every command and every format: none of them reaches the log raw."""

from __future__ import annotations

import io
import re
import subprocess
import sys
from pathlib import Path

import pytest

from generator.cli.main import cli
from generator.pipeline.terminal import Guarded
from tests.system.repositories import examples, write_tree

BAD = "x\nPWN\x1b[31m\u202e\x9b\u2028::error::PWN##[error]"
TEXT = "see \u202e\x7f::error::PWN ##[error] \u2066"
MODEL = """\
apiVersion: sluice.dev/v1alpha1
kind: Model
metadata: {name: "m\\nPWN\\e[31m", team: shop, owner: "o\\u202e::error::"}
spec: {tier: "t\\nPWN", model: {ref: "mlflow:\\nPWN/3", framework: "s\\nPWN"}, "k\\nPWN::error::": 1}
"""


@pytest.fixture(scope="module")
def root(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("hostile")
    examples(folder)
    git(folder, "init", "-q", "-b", "main")
    git(folder, "add", "-A")
    git(folder, "commit", "-qm", "one")
    run(folder, "render")
    write_tree(folder, {
        f"rendered/production/shop/recommender/{BAD}.yaml": "a: b\n",
        f"rendered/production/shop/{BAD}/{BAD}.yaml": "a: b\n",
        f"rendered/{BAD}/x.yaml": "kind: x\n",
        f"specs/shop/{BAD}.yaml": MODEL,
        f"specs/{BAD}/model.yaml": MODEL,
        f"specs/{BAD}.yaml": MODEL,
        f"specs/shop/{BAD}.lock.yaml": "x: [\n",
        "specs/shop/odd.yaml": MODEL,
        f"specs/shop/{BAD}.evidence.json": "{",
        f"templates/{BAD}.yaml.j2": "a: {{ x }}\n",
    })  # fmt: skip
    spec = folder / "specs/shop/recommender.yaml"
    spec.write_text(
        spec.read_text()
        .replace("metadata:\n", f'metadata:\n  description: "{TEXT}"\n', 1)
        .replace("metadata: {", f'metadata: {{description: "{TEXT}", ', 1)
    )
    git(folder, "add", "-A")
    git(folder, "commit", "-qm", f"::error::PWN \x1b[31m {TEXT}\n\n::error::PWN")
    git(folder, "tag", "t\u202e##PWN")
    git(folder, "checkout", "-qb", "b\u202e##PWN")
    return folder


def git(root: Path, *arguments: str) -> None:
    who = ("-c", f"user.name=A\x1b[31m{TEXT}", "-c", "user.email=a@b\u202e")
    subprocess.run(["git", *who, "-C", str(root), *arguments], check=True, capture_output=True)


FINDINGS = ("text", "json", "github", "gitlab", "sarif", "junit")
COMMANDS = [
    *(("validate", "--format", fmt) for fmt in FINDINGS),
    ("validate", "--fix"),
    ("validate", f"specs/shop/{BAD}.yaml"),
    *(("plan", "--all", "--format", fmt) for fmt in ("text", "markdown", "json")),
    ("plan", "--all", "--format", "html", "--output", "pages"),
    ("plan", "--all", "--against", "t\u202e##PWN"),
    ("plan", f"shop/{BAD}"),
    *(("diff", "--against", "HEAD~1", "--format", fmt) for fmt in ("text", "markdown", "json")),
    ("diff", "--against", f"{BAD}"),
    ("render", "--check"),
    ("render", "--diff"),
    ("render",),
    ("render", "--env", BAD),
    *(("verify", "--format", fmt) for fmt in FINDINGS),
    ("verify", f"rendered/{BAD}"),
    *(("status", "--format", fmt) for fmt in ("text", "json")),
    *(("audit", "--format", fmt) for fmt in ("text", "json", "csv", "markdown")),
    ("audit", "--at", BAD),
    *(("gates", "check", "--format", fmt) for fmt in FINDINGS),
    ("gates", "check", f"shop/{BAD}"),
    ("templates",),
    ("templates", "--show", f"{BAD}.yaml.j2"),
    ("codeowners",),
    ("codeowners", "--check"),
    ("ci", "github", "--check"),
    ("ci", "images"),
    ("alerts",),
    ("spinnaker", "shop/recommender"),
    ("pin", f"shop/{BAD}", "--version", "3"),
    ("pin", "shop/recommender", "--version", BAD),
    ("promote", "shop/recommender", "--to", BAD),
    ("revert", "shop/recommender", "--reason", BAD),
    ("new", f"shop/{BAD}", "--yes"),
    ("explain", BAD),
    ("schema", BAD),
    ("init", f"{BAD}"),
    ("pin", f"shop/{BAD}"),
]


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: ascii(" ".join(command))[:60])
def test_no_command_prints_a_name_raw(command, root):
    written = run(root, *command)
    assert written
    raw = re.findall("[\x00-\x08\x0b-\x1f\x7f-\x9f\xad\u200e\u200f\u2028-\u202e\u2066-\u2069]", written)
    assert not raw, written
    assert not re.search(r"^PWN", written, re.MULTILINE), written
    assert "##[" not in written
    if "github" not in command:
        assert not re.search(r"^\s*::", written, re.MULTILINE)
    else:
        commands = re.findall(r"^\s*::.*", written, re.MULTILINE)
        assert all(re.match(r"::(error|warning|notice) (file|title)=[^\n]*$", line) for line in commands), (
            commands
        )


def run(root: Path, *command: str) -> str:
    """What a command prints to both streams, as `run` of the program guards them."""
    streams = [io.StringIO(), io.StringIO()]
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(root)
        patch.setattr(sys, "stdout", Guarded(streams[0]))
        patch.setattr(sys, "stderr", Guarded(streams[1]))
        with pytest.raises(SystemExit) as ended:
            cli.main(list(command))
    assert ended.value.code in {0, 1, 2}, streams[1].getvalue()
    return "".join(stream.getvalue() for stream in streams)
