"""The tools of `sluice mcp`: what commands print, as typed values for an assistant; nothing is written or sent."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final, NotRequired, TypedDict

from generator.dataclass import dataclass
from generator.report.codes import CodeRecord
from generator.report.formats.json_schema import Keywords, Node, schema_of
from generator.report.postmortems.json_document import IncidentFacts
from generator.report.schemas import SCHEMAS
from generator.source.errors import CliError, FindingsError, UserError

if TYPE_CHECKING:
    from mcp import types

_MODEL = Annotated[str, "The model, such as shop/recommender."]
_ENVIRONMENT = Annotated[str, "An environment; without it, any."]
_TREE = Annotated[str, "A folder or file with manifests, relative to the repository."]


class PlanArguments(TypedDict):
    """Arguments of `plan`."""

    model: _MODEL
    environment: NotRequired[_ENVIRONMENT]


class OddsArguments(TypedDict):
    """Arguments of `odds`."""

    tree: _TREE
    rps: NotRequired[
        Annotated[float, "Requests per second of both versions together.", Keywords(exclusiveMinimum=0)]
    ]
    baselines: NotRequired[
        Annotated[
            dict[str, Annotated[float, Keywords(exclusiveMinimum=0)]],
            'What is usual with the stable version, as fractions by event or metric: {"error": 0.005}.',
        ]
    ]


class ExplainArguments(TypedDict):
    """Arguments of `explain`."""

    code: Annotated[str, "The code of a finding, such as CAN102."]


class IncidentArguments(TypedDict):
    """Arguments of `why_rolled_back`."""

    model: _MODEL
    environment: NotRequired[_ENVIRONMENT]
    release: NotRequired[
        Annotated[str, "Start of a release key; without it, the newest release that was stopped."]
    ]


class VerifyArguments(TypedDict):
    """Arguments of `verify`."""

    tree: _TREE


class IncidentRecord(IncidentFacts):
    """What git knows of a release that was stopped or taken back, and the page about it."""

    page: Annotated[
        str, "Markdown: timeline, what each guard saw, what let it through, what would have caught it."
    ]


@dataclass(frozen=True, slots=True)
class Tool:
    """A tool.

    Args:
        text: what it is for.
        arguments: its arguments, as a `TypedDict`.
        result: the schema of its result.
        call: computes the result in a repository from arguments that fit.
    """

    text: str
    arguments: type
    result: Callable[[], Node]
    call: Callable[[Path, Mapping[str, Any]], dict[str, Any]]


def _plan(root: Path, given: Mapping[str, Any]) -> dict[str, Any]:
    from generator.pipeline.selection import select_one
    from generator.pipeline.session import open_session
    from generator.report.plan_output import PlanRequest, plan_output
    from generator.report.tables import PLAIN

    session = open_session(root, embedded=True)
    environment = given.get("environment")
    session.require_platform(environment)
    entries = (select_one(session, given["model"]),)
    request = PlanRequest(
        session, entries, every=False, environment=environment, compared=None, full=False, screen=PLAIN
    )
    return _loaded(plan_output(request, "json").text)


def _odds(root: Path, given: Mapping[str, Any]) -> dict[str, Any]:
    from generator.lint import read_releases
    from generator.odds.trees.better import with_better
    from generator.odds.trees.odds import tree_odds
    from generator.odds.trees.values import Known
    from generator.report.trees import render

    known = Known(given.get("rps"), given.get("baselines", {}))
    found = tree_odds(read_releases(_inside(root, given["tree"])), known)
    return _loaded(render(with_better(found, known), "json"))


def _explain(root: Path, given: Mapping[str, Any]) -> dict[str, Any]:
    from generator.report.codes import code_named, record

    del root
    return {**record(code_named(given["code"].upper()))}


def _incident(root: Path, given: Mapping[str, Any]) -> dict[str, Any]:
    from generator.gates.document import read_evidence
    from generator.gates.gate_status import gate_statuses
    from generator.pipeline.selection import select_one
    from generator.pipeline.session import open_session
    from generator.report.postmortems.document import as_markdown
    from generator.report.postmortems.incident import read_incident
    from generator.report.postmortems.json_document import facts
    from generator.report.postmortems.remedy import remedy
    from generator.report.postmortems.sections import sections, title

    session = open_session(root)
    session.require_platform(given.get("environment"))
    entry = select_one(session, given["model"])
    incident = read_incident(session, entry, given.get("release", ""), given.get("environment", ""))
    found = remedy(session, entry, incident, {}, None)
    evidence = read_evidence(entry.evidence, session.root, entry.name)
    gates = gate_statuses(found.today.plan, evidence) if found.today else ()
    page = as_markdown(title(incident), sections(incident, found, None, gates))
    return {**facts(incident), "page": page}


def _verify(root: Path, given: Mapping[str, Any]) -> dict[str, Any]:
    from generator.lint import verify
    from generator.report.formats import render

    found = verify(_inside(root, given["tree"]), "any")
    text = render(found.findings, "json", checked=found.files, noun="file", unchecked=len(found.unchecked))
    return _loaded(text)


TOOLS: Final[Mapping[str, Tool]] = {
    "plan": Tool(
        "What a release of a model will do: steps, weights, guards, and the odds that it stops good and bad versions.",
        PlanArguments,
        SCHEMAS["plan"],
        _plan,
    ),
    "odds": Tool(
        "What releases are worth, also those written by hand (Argo Rollouts, Flagger, KServe): how often they stop a "
        "good version, which harm they miss, and AnalysisTemplates with better limits.",
        OddsArguments,
        SCHEMAS["odds"],
        _odds,
    ),
    "explain": Tool(
        "What the code of a finding means, and how to fix it.",
        ExplainArguments,
        lambda: schema_of(CodeRecord),
        _explain,
    ),
    "why_rolled_back": Tool(
        "Why a release of a model was stopped or taken back, and which change of its spec would have caught it.",
        IncidentArguments,
        lambda: schema_of(IncidentRecord),
        _incident,
    ),
    "verify": Tool(
        "What is wrong with manifests of Argo and Kubernetes: findings with file, line and remedy.",
        VerifyArguments,
        SCHEMAS["findings"],
        _verify,
    ),
}
"""The tools, by name. None writes a file, opens a connection or reads outside of the repository."""


def _inside(root: Path, name: str) -> Path:
    """Return a path of the repository.

    Raises:
        CliError: it is outside, also by a link, or does not exist, or no path has this form.
    """
    try:
        path = (root / name).resolve()
        exists = path.exists()
    except (OSError, ValueError) as error:
        raise CliError(f"{name[:80]!r} is not a path") from error
    if not path.is_relative_to(root):
        raise CliError(f"{name} is outside of the repository {root}")
    if not exists:
        raise CliError(f"{name} does not exist in {root}")
    return path


def _loaded(text: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(text)
    return found


def call(root: Path, name: str, arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Return the result of a tool.

    Raises:
        UserError: the call can't be answered; a person can fix that.
    """
    try:
        return TOOLS[name].call(root, arguments)
    except FindingsError as error:
        found = "; ".join(f"{one.code} {one.place}: {one.message}" for one in error.findings[:20])
        raise UserError(f"{error}: {found}" if str(error) else found) from error


def serve(root: Path) -> None:
    """Answer an MCP client on standard input and output until it ends.

    Raises:
        CliError: the SDK is not installed.
    """
    try:
        from mcp.server.lowlevel import Server
        from mcp.server.stdio import stdio_server
    except ModuleNotFoundError as error:
        raise CliError(f"{error.name} is not installed", "pip install 'sluicegate[mcp]'") from error
    from generator import __version__

    server: Server[Any, Any] = Server(
        "sluice", __version__, instructions="Releases of the repository; read-only."
    )

    async def tools() -> list[types.Tool]:
        return [_described(name, tool) for name, tool in TOOLS.items()]

    async def called(name: str, arguments: dict[str, Any]) -> dict[str, Any]:
        if name not in TOOLS:
            raise CliError(f"there is no tool {name}")
        return await asyncio.to_thread(call, root, name, arguments)

    server.list_tools()(tools)  # type: ignore[no-untyped-call]
    server.call_tool()(called)

    async def run() -> None:
        async with stdio_server() as (read, write):
            await server.run(read, write, server.create_initialization_options())

    asyncio.run(run())


def _described(name: str, tool: Tool) -> types.Tool:
    from mcp import types

    return types.Tool(
        name=name,
        description=tool.text,
        inputSchema=schema_of(tool.arguments),
        outputSchema=tool.result(),
        annotations=types.ToolAnnotations(readOnlyHint=True, openWorldHint=False),
    )
