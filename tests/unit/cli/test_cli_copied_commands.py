"""Commands that people copy from a hint: a name that a stranger chose is one argument of theirs, and runs nothing."""

from __future__ import annotations

import re
import shlex
import subprocess
from pathlib import Path

import pytest
from click.testing import CliRunner

from generator.cli.main import cli
from tests.system.repositories import examples, write_tree

EVIL = "x$(id);id&`id`|'id' > y"
MODEL = """\
apiVersion: sluice.dev/v1alpha1
kind: Model
metadata: {name: other, team: shop, owner: a@example.com}
spec: {tier: high-traffic, model: {ref: "mlflow:other/3", framework: sklearn}, rollout: {strategy: blue-green, approve: manual}}
"""


@pytest.fixture(scope="module")
def root(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("copied")
    examples(folder)
    platform = folder / "specs/platform.yaml"
    text = platform.read_text()
    platform.write_text(
        re.sub(r"repo: \S+?(?=[,}\s])", 'repo: "https://git.example.com/$(id)/models.git"', text)
    )
    write_tree(folder, {
        f"specs/{EVIL}.yaml": MODEL,
        f"specs/{EVIL}.yml": MODEL,
        f"specs/shop/{EVIL}.yml": MODEL,
        f"specs/shop/{EVIL}.yaml": MODEL,
        f"specs/{EVIL}/a.yaml": MODEL,
        f"specs/shop/{EVIL}/a.yaml": MODEL,
        f"specs/shop/{EVIL}.a.lock.yaml": "a: b\n",
        "specs/shop/plain-one.lock.yaml": "a: b\n",
        f"rendered/production/shop/recommender/{EVIL}.yaml": "a: b\n",
        "rendered/production/shop/recommender/plain.yaml": "a: b\n",
    })  # fmt: skip
    subprocess.run(["git", "init", "--quiet", str(folder)], check=True, capture_output=True)
    return folder


def shown(root: Path, *words: str) -> str:
    return CliRunner().invoke(cli, [*words, "--root", str(root)]).output


def commands(text: str) -> list[str]:
    """Every command that begins with a program in the output, to the end of its line."""
    return re.findall(r"(?:^|[`\s])((?:git (?:mv|rm|remote|fetch)|sluice [a-z]+) .*)$", text, re.MULTILINE)


@pytest.mark.parametrize("words", [("validate",), ("render", "--check"), ("doctor",), ("plan", "--all")])
def test_a_name_is_one_argument_of_a_copied_command(root: Path, words: tuple[str, ...]) -> None:
    found = commands(shown(root, *words))
    assert found or words[0] == "plan"
    for command in found:
        quoted = re.sub(r"'[^']*'|\"'\"", "", command)
        assert not re.search(r"\$\(|;id|&`|\|", quoted), command


def test_plain_names_are_not_quoted_and_odd_ones_mean_themselves(root: Path) -> None:
    found = [*commands(shown(root, "validate")), *commands(shown(root, "render", "--check"))]
    text = "\n".join(found)
    assert f"git rm -r {root}/rendered/production/shop/recommender/plain.yaml`" in text
    assert f"git rm -r {shlex.quote(f'{root}/rendered/production/shop/recommender/{EVIL}.yaml')}`" in text
    assert f"git mv {shlex.quote(f'specs/{EVIL}.yaml')} " in text
    assert f"git mv {shlex.quote(f'specs/{EVIL}/a.yaml')} specs/shop/other.yaml`" in text
    assert len(found) >= 8
