"""`sluice mcp`, asked by the client of the official SDK over standard input and output."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

import pytest
from mcp import ClientSession, StdioServerParameters
from mcp.client.stdio import stdio_client

from generator.report import mcp_server
from generator.source.errors import CliError, UserError
from tests.unit.cli.test_cli_postmortem import ABORT, START, Repository
from tests.unit.odds.trees.trees import ERRORS, canary

EPOCH = str(START + 10 * 86_400)


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Repository:
    monkeypatch.setenv("SOURCE_DATE_EPOCH", EPOCH)
    made = Repository(tmp_path / "repository")
    made.record(2, ABORT)
    (made.root / "trees").mkdir()
    text = canary(ERRORS, 'successCondition: "len(result) == 0 || result[0] < 0.02"')
    (made.root / "trees/rollout.yaml").write_text(text)
    return made


def contents(root: Path) -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in sorted(root.rglob("*")) if path.is_file()}


async def asked(root: Path, calls: list[tuple[str, dict]]):
    parameters = StdioServerParameters(
        command=sys.executable,
        args=["-m", "generator", "mcp", "--root", str(root)],
        cwd=Path(__file__).parents[3],
        env={"SOURCE_DATE_EPOCH": EPOCH, "PATH": "/usr/local/bin:/usr/bin:/bin"},
    )
    async with stdio_client(parameters) as (read, write), ClientSession(read, write) as session:
        await session.initialize()
        tools = (await session.list_tools()).tools
        return tools, [await session.call_tool(name, arguments) for name, arguments in calls]


def test_a_client_gets_typed_answers_and_nothing_is_written(repository: Repository):
    """The client compares each result with the schema that the server announced."""
    before = contents(repository.root)
    calls = [
        ("plan", {"model": "shop/recommender", "environment": "production"}),
        ("odds", {"tree": "trees", "rps": 50, "baselines": {"error": 0.01}}),
        ("explain", {"code": "odds112"}),
        ("why_rolled_back", {"model": "shop/recommender"}),
        ("verify", {"tree": "trees/rollout.yaml"}),
        ("verify", {"tree": "../outside"}),
        ("plan", {"model": "shop/recomender"}),
        ("odds", {"tree": "trees", "rps": "many"}),
    ]
    tools, results = asyncio.run(asked(repository.root, calls))
    assert {tool.name for tool in tools} == set(mcp_server.TOOLS)
    assert all(tool.annotations.readOnlyHint and not tool.annotations.openWorldHint for tool in tools)
    plan, odds, explained, why, verified = (result.structuredContent for result in results[:5])
    assert plan["plans"][0]["release"]["model"] == "recommender"
    (metric,) = odds["releases"][0]["metrics"]
    assert [trap["code"] for trap in metric["traps"]] == ["ODDS112"]
    assert explained["title"] == "a result without data passes"
    assert (why["environment"], why["taken_back"]) == ("production", "")
    assert "aborted in production" in why["page"]
    assert "ANA410" in {finding["code"] for finding in verified["findings"]}
    assert [result.isError for result in results] == [False] * 5 + [True] * 3
    texts = [result.content[0].text for result in results[5:]]
    assert "outside of the repository" in texts[0]
    assert "did you mean shop/recommender?" in texts[1]
    assert "Input validation error" in texts[2]
    assert contents(repository.root) == before


@pytest.mark.parametrize("tree", ["..", "/etc", "trees/../..", "link", "trees/link.yaml", "missing"])
def test_no_path_leads_out_of_the_repository(tmp_path: Path, tree: str):
    root = tmp_path / "root"
    (root / "trees").mkdir(parents=True)
    (tmp_path / "secret.yaml").write_text(canary(ERRORS, "count: 1"))
    (root / "link").symlink_to(tmp_path)
    (root / "trees/link.yaml").symlink_to(tmp_path / "secret.yaml")
    with pytest.raises(CliError, match=r"outside of the repository|does not exist"):
        mcp_server.call(root, "odds", {"tree": tree})
    assert mcp_server.call(root, "odds", {"tree": "trees"})["releases"] == []


@pytest.mark.parametrize("tree", ["nul\0", "x" * 5000])
def test_what_is_not_a_path_is_refused(tmp_path: Path, tree: str):
    with pytest.raises(CliError, match=r"is not a path|does not exist"):
        mcp_server.call(tmp_path, "odds", {"tree": tree})


@pytest.mark.parametrize("rps", [1e308, float("inf"), float("nan")])
def test_requests_that_no_service_has_are_refused(tmp_path: Path, rps: float):
    with pytest.raises(UserError, match="odds are computed"):
        mcp_server.call(tmp_path, "odds", {"tree": ".", "rps": rps})


def test_a_repository_without_specs_has_no_plans(tmp_path: Path):
    with pytest.raises(UserError, match=r"no specs/platform.yaml"):
        mcp_server.call(tmp_path, "plan", {"model": "shop/recommender"})


def test_a_missing_sdk_is_named_with_the_command_that_installs_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
):
    monkeypatch.setitem(sys.modules, "mcp.server.lowlevel", None)
    with pytest.raises(CliError) as caught:
        mcp_server.serve(tmp_path)
    assert "pip install 'sluicegate[mcp]'" in caught.value.hint
