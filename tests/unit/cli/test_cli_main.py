"""The program as a whole: help, exit codes, crashes, completion."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from generator import __version__
from generator.cli import main
from generator.cli.main import COMMANDS, EXAMPLES, GROUPS, Sluice, cli

_HEAVY = {"pydantic", "jinja2", "yaml", "ryaml", "kubernetes", "argo_workflows"}
_MODULES = """\
import json, sys
from generator.cli.main import cli
try:
    cli.main(sys.argv[1:], prog_name="sluice")
except SystemExit as left:
    print(json.dumps([left.code, sorted(sys.modules)]), file=sys.stderr)
"""


def loaded(*arguments: str, **variables: str) -> tuple[int, set[str], str]:
    done = subprocess.run(
        [sys.executable, "-c", _MODULES, *arguments],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, **variables},
    )
    code, modules = json.loads(done.stderr.splitlines()[-1])
    return code, set(modules), done.stdout


@pytest.mark.parametrize("arguments", [["--help"], ["--version"]])
def test_help_and_version_import_nothing_heavy_and_no_command(arguments):
    code, modules, _ = loaded(*arguments)
    assert code == 0
    assert not modules & _HEAVY
    assert not modules & {f"generator.cli.{name}" for name in COMMANDS}


def test_a_shell_that_completes_command_names_imports_no_command():
    variables = {"_SLUICE_COMPLETE": "bash_complete", "COMP_WORDS": "sluice va", "COMP_CWORD": "1"}
    code, modules, out = loaded(**variables)
    assert (code, out.strip()) == (0, "plain,validate")
    assert not modules & {f"generator.cli.{name}" for name in COMMANDS}


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_the_help_of_a_command_is_what_the_table_says(name):
    command = cli.get_command(click.Context(cli), name)
    assert command.name == name
    assert command.help.splitlines()[0] == COMMANDS[name]
    done = CliRunner().invoke(cli, [name, "--help"])
    assert done.exit_code == 0
    assert COMMANDS[name] in done.stdout


def test_every_command_is_in_one_group_and_has_examples():
    assert sorted(name for names in GROUPS.values() for name in names) == sorted(COMMANDS)
    assert sorted(EXAMPLES) == sorted(COMMANDS)
    shown = CliRunner().invoke(cli, ["--help"]).stdout
    assert all(f"\n{title}:\n" in shown for title in GROUPS)
    assert max(map(len, shown.splitlines())) <= 80


def example_cases() -> list[str]:
    return [example for examples in EXAMPLES.values() for example in examples]


@pytest.mark.parametrize("example", example_cases())
def test_every_example_has_arguments_that_its_command_takes(example):
    command: click.Command = cli
    words = shlex.split(example.partition(" > ")[0])
    context = click.Context(cli)
    while isinstance(command, click.Group):
        command = command.get_command(context, words.pop(0))
        assert command is not None
    command.make_context("x", words)
    assert f"  sluice {example}" in CliRunner().invoke(cli, [example.split()[0], "--help"]).stdout


@pytest.mark.parametrize(
    ("words", "option"),
    [(["help"], "help"), (["help", "plan"], "--against"), (["help", "gates", "run"], "--offline")],
)
def test_help_is_a_command(words, option):
    done = CliRunner().invoke(cli, words)
    assert done.exit_code == 0
    assert option in done.stdout
    assert done.stdout == CliRunner().invoke(cli, [*words[1:], "--help"]).stdout


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["help", "plam"], "did you mean `plan`?"),
        (["help", "plan", "x"], "lists all commands"),
        (["help", "gates", "rum"], "`run`"),
    ],
)
def test_help_of_no_command(words, said):
    done = CliRunner().invoke(cli, words)
    assert done.exit_code == 2
    assert "no such command" in done.stderr
    assert said in done.stderr


COMPLETIONS = [
    ("sluice plan sh", ["shop/recommender"]),
    ("sluice validate risk/", ["risk/fraud"]),
    ("sluice gates run sup", ["support/ticket-classifier"]),
    ("sluice plan --env pr", ["production"]),
    ("sluice new r", ["risk/"]),
    ("sluice new shop/x --tier re", ["regulated"]),
    ("sluice explain SRC11", ["SRC110", "SRC111", "SRC112", "SRC113", "SRC114", "SRC115", "SRC116"]),
    (
        "sluice templates --show kubernetes/serv",
        ["kubernetes/service.yaml.j2", "kubernetes/serviceaccount.yaml.j2"],
    ),
    ("sluice help pl", []),
]


@pytest.mark.parametrize(("line", "expected"), COMPLETIONS)
def test_names_of_the_repository_are_completed(line, expected):
    words = line.split()
    environ = {
        **os.environ,
        "_SLUICE_COMPLETE": "bash_complete",
        "COMP_WORDS": line,
        "COMP_CWORD": str(len(words) - 1),
    }
    command = [sys.executable, "-c", f"import sys; sys.path.insert(0, {str(ROOT)!r}); {_RUN}"]
    done = subprocess.run(
        command, cwd=ROOT / "specs", env=environ, capture_output=True, text=True, check=False
    )
    assert done.stderr == ""
    assert [entry.partition(",")[2] for entry in done.stdout.split()] == expected


def test_completion_outside_a_repository_is_empty(tmp_path):
    line = "sluice plan --env pr"
    environ = {**os.environ, "_SLUICE_COMPLETE": "bash_complete", "COMP_WORDS": line, "COMP_CWORD": "3"}
    command = [sys.executable, "-c", f"import sys; sys.path.insert(0, {str(ROOT)!r}); {_RUN}"]
    done = subprocess.run(command, cwd=tmp_path, env=environ, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout.strip(), done.stderr) == (0, "", "")


def test_version():
    done = CliRunner().invoke(cli, ["--version"])
    assert (done.exit_code, done.stdout) == (0, f"sluice {__version__}\n")


ROOT = Path(__file__).resolve().parents[3]
_RUN = "from generator.cli.main import run; run()"
_MODEL = "from pydantic import create_model; create_model('Some', field=int)"


@pytest.mark.parametrize(
    ("program", "asked"),
    [(f"{_MODEL}; {_RUN}", True), (_RUN, False)],
)
def test_plugins_of_pydantic_take_no_part(tmp_path: Path, program: str, asked: bool):
    """One that leaves a mark when it is loaded; pydantic alone does load it."""
    marker, installed = tmp_path / "mark", tmp_path / "loud-1.dist-info"
    installed.mkdir()
    (installed / "METADATA").write_text("Metadata-Version: 2.1\nName: loud\nVersion: 1\n")
    (installed / "entry_points.txt").write_text("[pydantic]\nloud = loud\n")
    (tmp_path / "loud.py").write_text(
        f"open({str(marker)!r}, 'w')\ndef new_schema_validator(*a, **k): return None, None, None\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, "validate"],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": f"{tmp_path}{os.pathsep}{ROOT}"},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert marker.exists() is asked


def test_a_misspelt_command_is_refused_with_the_nearest():
    done = CliRunner().invoke(cli, ["vaildate"])
    assert done.exit_code == 2
    assert "did you mean `validate`?" in done.stderr


def failing(error: BaseException) -> Sluice:
    @click.group(cls=Sluice)
    def group() -> None:
        raise error

    return group


def invoke(error: BaseException, **variables: str):
    return CliRunner(env=variables).invoke(failing(error), ["schema"])


def test_a_bug_is_told_in_two_lines():
    done = invoke(ValueError("a\nb"), SLUICE_DEBUG="")
    assert done.exit_code == 3
    first, second = done.stderr.splitlines()
    assert "ValueError: a b" in first
    assert "SLUICE_DEBUG=1" in second


def test_a_bug_shows_its_traceback_on_demand():
    done = invoke(ValueError("a"), SLUICE_DEBUG="1")
    assert done.exit_code == 3
    assert "Traceback" in done.stderr


def test_an_interrupt_has_its_own_exit_code():
    assert invoke(KeyboardInterrupt()).exit_code == 130


def test_a_file_system_that_refuses_is_no_bug():
    done = invoke(PermissionError(13, "Permission denied", "specs"))
    assert done.exit_code == 2
    assert done.stderr == "Error: specs: Permission denied\n"


def test_a_reader_that_goes_away_is_met_with_silence():
    reader, writer = os.pipe()
    os.close(reader)
    arguments = [sys.executable, "-c", "from generator.cli.main import run; run()", "schema", "platform"]
    done = subprocess.run(arguments, stdout=writer, stderr=subprocess.PIPE)
    os.close(writer)
    assert (done.returncode, done.stderr) == (1, b"")


RUN = "from generator.cli.main import run; run()"


def test_an_output_that_takes_no_more_is_no_bug():
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [sys.executable, "-c", RUN, "schema"], stdout=full, stderr=subprocess.PIPE, text=True
        )
        assert (done.returncode, done.stderr) == (
            2,
            "Error: the output can't be written: No space left on device\n",
        )
        assert subprocess.run([sys.executable, "-c", RUN, "schema"], stdout=full, stderr=full).returncode == 2


@pytest.mark.parametrize(("closed", "arguments", "code"), [
    ("0<&- >&- 2>&-", ["schema"], 0),
    (">&-", ["schema"], 0),
    ("2>&-", ["nonsense"], 2),
    (">&- 2>&-", ["explain", "NONSENSE"], 2),
])  # fmt: skip
def test_without_standard_streams_the_exit_code_still_tells(closed, arguments, code):
    shell = f'exec "$@" {closed}'
    done = subprocess.run(
        ["sh", "-c", shell, "sh", sys.executable, "-c", RUN, *arguments], capture_output=True
    )
    assert (done.returncode, done.stderr) == (code, b"")


def test_a_name_that_the_terminal_has_no_sign_for_is_spelled_out(tmp_path: Path):
    arguments = [sys.executable, "-c", "from generator.cli.main import run; run()", "validate", "Übung"]
    done = subprocess.run(
        arguments,
        capture_output=True,
        cwd=tmp_path,
        env={**os.environ, "PYTHONIOENCODING": "ascii", "PYTHONPATH": root()},
    )
    assert done.returncode == 2
    assert b"Traceback" not in done.stderr


def root() -> str:
    return str(Path(main.__file__).parents[2])


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_scripts(shell, sluice):
    done = sluice("completion", shell)
    assert done.exit_code == 0
    assert f"_SLUICE_COMPLETE={shell}_complete" in done.stdout.replace(" env", "")


def test_the_bash_script_parses(sluice):
    script = sluice("completion", "bash").stdout
    assert subprocess.run(["bash", "-n"], input=script, text=True).returncode == 0
