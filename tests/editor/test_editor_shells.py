"""Completion in real shells: bash, zsh and fish."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from generator.cli.main import cli
from tests.tools.programs import program

CHECKOUT = Path(__file__).resolve().parents[2]
# What a person would have typed before pressing Tab, and what must be offered.
CASES = [
    (["sluice", "re"], {"render", "replay", "revert"}),
    (["sluice", "validate", "--fo"], {"--format"}),
    (["sluice", "schema", "ev"], {"evidence"}),
    (["sluice", "ci", ""], {"github", "gitlab", "images"}),
    (["sluice", "plan", "shop/"], {"shop/recommender"}),
    (["sluice", "templates", "--copy", "kubernetes/_p"], {"kubernetes/_pod.yaml.j2"}),
    (["sluice", "diff", "--against", "HE"], {"HEAD"}),
]


@pytest.fixture(scope="module")
def scripts(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("scripts")
    for shell in ("bash", "zsh", "fish", "powershell"):
        done = CliRunner().invoke(cli, ["completion", shell])
        assert done.exit_code == 0
        (folder / f"sluice.{shell}").write_text(done.stdout)
    return folder


def run(command: list[str], folder: Path) -> str:
    environment = {
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        "HOME": str(folder),
        "TERM": "dumb",
        "XDG_CACHE_HOME": str(folder),
        "XDG_CONFIG_HOME": str(folder),
    }
    done = subprocess.run(command, cwd=CHECKOUT, env=environment, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.parametrize(("words", "offered"), CASES)
def test_bash(scripts: Path, words: list[str], offered: set[str]) -> None:
    typed = " ".join(f"'{word}'" for word in words)
    script = f"""
    source '{scripts}/sluice.bash'
    COMP_WORDS=({typed}) COMP_CWORD={len(words) - 1} COMP_LINE="{" ".join(words)}"
    function_name=$(complete -p sluice | sed -E 's/.*-F ([^ ]+).*/\\1/')
    compopt() {{ :; }}
    "$function_name" sluice
    printf '%s\\n' "${{COMPREPLY[@]}}"
    """
    assert offered <= set(run([program("bash"), "--norc", "-c", script], scripts).split())


@pytest.mark.parametrize(("words", "offered"), CASES)
def test_fish(scripts: Path, words: list[str], offered: set[str]) -> None:
    script = f"source '{scripts}/sluice.fish'; complete --do-complete '{' '.join(words)}'"
    found = run([program("fish"), "--no-config", "--command", script], scripts)
    assert offered <= {line.split("\t")[0] for line in found.splitlines()}


@pytest.mark.parametrize(("words", "offered"), CASES)
def test_zsh(scripts: Path, words: list[str], offered: set[str]) -> None:
    """zsh's own completion needs a terminal: `compadd` and `_describe` are replaced by ones that print."""
    typed = " ".join(f"'{word}'" for word in words)
    script = f"""
    autoload -U compinit && compinit -u
    compdef() {{ :; }}
    source '{scripts}/sluice.zsh'
    compadd() {{ local name="${{@[-1]}}"; print -rl -- "${{(@P)name}}" }}
    _describe() {{ for item in "${{(@P)3}}"; do print -r -- "${{item%%:*}}"; done }}
    words=({typed}) CURRENT={len(words)}
    _sluice_completion
    """
    assert offered <= set(run([program("zsh"), "--no-rcs", "-c", script], scripts).split())


@pytest.mark.parametrize(("words", "offered"), CASES)
def test_powershell(scripts: Path, words: list[str], offered: set[str]) -> None:
    """What its script runs, with the variables that the script sets: PowerShell itself is not in Debian."""
    text = (scripts / "sluice.powershell").read_text()
    assert "Register-ArgumentCompleter -Native -CommandName sluice" in text
    variables = {
        "_SLUICE_COMPLETE": "powershell_complete",
        "COMP_WORDS": " ".join(words),
        "COMP_CWORD": words[-1],
    }
    assert all(f"$env:{name} = " in text for name in variables)
    done = subprocess.run(
        [Path(sys.executable).with_name("sluice")],
        cwd=CHECKOUT,
        env={**os.environ, **variables},
        capture_output=True,
        text=True,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert offered <= {line.partition("\t")[0] for line in done.stdout.splitlines()}


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_the_scripts_are_valid(scripts: Path, shell: str) -> None:
    option = "--no-execute" if shell == "fish" else "-n"
    run([program(shell), option, str(scripts / f"sluice.{shell}")], scripts)
