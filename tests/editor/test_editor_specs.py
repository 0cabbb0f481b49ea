"""Specs in an editor: completion, hover text and underlined mistakes by the real yaml-language-server.

The first line of a spec names its schema; nothing else is configured. Cost: about ten seconds.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner

from generator.cli.main import cli
from tests.editor.lsp import Server
from tests.tools.programs import language_server, program


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("editor") / "demo"
    assert CliRunner().invoke(cli, ["init", str(root)]).exit_code == 0
    return root


@pytest.fixture(scope="module")
def server(demo: Path) -> Iterator[Server]:
    with Server([program("node"), language_server(), "--stdio"], demo) as running:
        yield running


def opened(
    server: Server, demo: Path, name: str, old: str = "", new: str = ""
) -> tuple[Path, list[str], list[str]]:
    """A copy of an example spec with one edit: the file, its lines, and what is underlined."""
    text = (demo / "specs/shop/recommender.yaml").read_text()
    assert old in text
    file = demo / "specs" / "shop" / name
    edited = text.replace(old, new, 1)
    found = server.open(file, edited)
    return (
        file,
        edited.splitlines(),
        [f"{item['range']['start']['line']}: {item['message']}" for item in found],
    )


def line_of(lines: list[str], text: str) -> int:
    return next(number for number, line in enumerate(lines) if text in line)


def test_a_good_spec_is_underlined_nowhere(server: Server, demo: Path) -> None:
    assert opened(server, demo, "good.yaml")[2] == []


def test_the_platform_is_underlined_nowhere(server: Server, demo: Path) -> None:
    file = demo / "specs" / "platform.yaml"
    assert server.open(file, file.read_text()) == []


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("traffic: {minRps: 200}", "traffic: {minRqs: 200}", "minRqs"),
        ("tier: standard", "tier: [standard]", 'Incorrect type. Expected "string"'),
        ("hold: 60m", "hold: 60 minutes", "hold"),
        ("  tier: standard\n", "", 'Missing property "tier"'),
    ],
)
def test_a_mistake_is_underlined_where_it_stands(
    server: Server, demo: Path, old: str, new: str, said: str
) -> None:
    name = f"bad-{abs(hash((old, new)))}.yaml"
    _, lines, found = opened(server, demo, name, old, new)
    assert found
    where = line_of(lines, new.strip() if new else "spec:")
    assert any(item.startswith(f"{where}: ") for item in found), found
    if said != "hold":  # the words are the server's own; a pattern is shown as in the schema
        assert any(said in item for item in found), found


def test_keys_are_completed_with_what_they_mean(server: Server, demo: Path) -> None:
    file, lines, _ = opened(server, demo, "complete.yaml", "  rollout:\n", "  \n  rollout:\n")
    where = line_of(lines, "  rollout:") - 1
    found = server.at("completion", file, where, 2)
    items = {item["label"]: item for item in found["items"]}
    assert {"replicas", "gates", "resources", "autoscaling"} <= items.keys()
    assert "number of pods without an autoscaler" in str(items["replicas"].get("documentation"))


def test_values_are_completed(server: Server, demo: Path) -> None:
    file, lines, _ = opened(server, demo, "value.yaml", "strategy: canary", "strategy: ")
    where = line_of(lines, "strategy:")
    found = server.at("completion", file, where, len(lines[where]))
    assert "canary" in {item["label"].strip('"') for item in found["items"]}


@pytest.mark.parametrize(
    ("key", "text"),
    [("tier", "tier of the model"), ("minRps", "requests"), ("owner", "who to ask about the model")],
)
def test_hover_tells_what_a_key_means(server: Server, demo: Path, key: str, text: str) -> None:
    file, lines, _ = opened(server, demo, f"hover-{key}.yaml")
    where = line_of(lines, f"{key}:")
    found = server.at("hover", file, where, lines[where].index(f"{key}:") + 1)
    assert text in str(found["contents"]).lower()
