"""`sluice postmortem`: what happened to a release, and which change of its spec would have caught it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from generator.cli.options import baseline_shares, root_option
from generator.pipeline.selection import select_one
from generator.pipeline.session import open_session
from generator.pipeline.terminal import emit, emit_page
from generator.source.errors import CliError

if TYPE_CHECKING:
    from generator.report.postmortems.incident import Incident
    from generator.report.postmortems.recorded import Recorded

_FILE = click.Path(path_type=Path, dir_okay=False)


@click.command("postmortem")
@click.argument("model", type=click.Path())
@click.option(
    "--release",
    "key",
    default="",
    metavar="KEY",
    help="Start of a release key; default: the newest incident.",
)
@click.option("--env", "environment", default="", metavar="NAME", help="Where it was; default: any.")
@click.option(
    "--harm", "harms", multiple=True, metavar="NAME:rise=40%",
    help="What happened to an outcome or a metric; default: what was recorded.",
)  # fmt: skip
@click.option(
    "--baseline",
    default="",
    metavar="NAME=SHARE,…",
    help="Usual share of the requests with the stable version, of a harm that nothing counts: false-positives=5%.",
)
@click.option(
    "--delay",
    default="",
    metavar="NAME=TIME,…",
    help="Mean time from a request to such an event: false-positives=2h.",
)
@click.option(
    "--data",
    type=_FILE,
    metavar="FILE",
    help="Counters recorded in a CSV or JSON file, as for `sluice replay`.",
)
@click.option("--start", metavar="TIME", help="With --data: when the first weight was set (ISO 8601).")
@click.option(
    "--prometheus",
    metavar="URL",
    help="The server that watched the release; its record has times and hashes.",
)
@click.option(
    "--format", "fmt", type=click.Choice(("markdown", "html", "json")), default="markdown", show_default=True,
    help="Output format.",
)  # fmt: skip
@root_option
def command(
    model: str, key: str, environment: str, harms: tuple[str, ...], baseline: str, delay: str, data: Path | None,
    start: str | None, prometheus: str | None, fmt: str, root: Path | None,
) -> None:  # fmt: skip
    """Write what happened to a release, and what would have caught it.

    MODEL is TEAM/MODEL, or its spec; the release is one that was aborted or taken back. The page has the timeline with
    who did what, what each guard saw and when it could have known, who was exposed, and which waiver, ceiling, missing
    guard or gate let it through. For the harms that are named or recorded it shows the change of today's spec that
    would have caught them, with its odds and a replay over the recorded traffic. A harm that nothing counts has odds
    with its --baseline: those of an outcome that counts it. Everything comes from git and from
    what is given; the page says what is missing.
    """
    from generator.gates.document import read_evidence
    from generator.gates.gate_status import gate_statuses
    from generator.odds.replay.simulate import ScenarioError, harm
    from generator.report.postmortems.document import as_html, as_markdown
    from generator.report.postmortems.incident import read_incident
    from generator.report.postmortems.json_document import as_json
    from generator.report.postmortems.remedy import Usual, remedy
    from generator.report.postmortems.sections import sections, title

    if data and prometheus:
        raise click.UsageError("choose one of --data and --prometheus")
    try:
        named = dict(harm(text) for text in harms)
    except ScenarioError as error:
        raise CliError(str(error)) from error
    usual = Usual(baseline_shares(baseline), _delays(delay))
    session = open_session(root)
    session.require_platform(environment or None)
    entry = select_one(session, model)
    incident = read_incident(session, entry, key, environment)
    recorded = _recorded(incident, data, start, prometheus)
    found = remedy(session, entry, incident, named, recorded, usual)
    evidence = read_evidence(entry.evidence, session.root, entry.name)
    gates = gate_statuses(found.today.plan, evidence) if found.today else ()
    parts = sections(incident, found, recorded, gates)
    if fmt == "json":
        emit(as_json(incident, found, parts))
    elif fmt == "html":
        emit_page(as_html(title(incident), parts, session.templates))
    else:
        emit(as_markdown(title(incident), parts))


def _delays(text: str) -> dict[str, float]:
    """Return the value of --delay as seconds by name.

    Raises:
        CliError: it is not of this form.
    """
    from pydantic import TypeAdapter, ValidationError

    from generator.spec.types import Duration

    found = {}
    for part in filter(None, (piece.strip() for piece in text.split(","))):
        name, _, time = part.partition("=")
        try:
            found[name.strip()] = TypeAdapter(Duration).validate_python(time.strip())
        except ValidationError as error:
            hint = "for example --delay false-positives=2h, at most 30d"
            raise CliError(f"--delay {part} is not of the form NAME=TIME", hint) from error
    return found


def _recorded(
    incident: Incident, data: Path | None, start: str | None, prometheus: str | None
) -> Recorded | None:
    from generator.odds.replay.recording import parse_time
    from generator.report.postmortems.recorded import from_file

    if data:
        begin = parse_time(start) if start else None
        if start and begin is None:
            raise CliError(f"--start is not a time: `{start}`; for example 2026-11-23T10:00:00Z")
        return from_file(data, [incident.planned.plan] if incident.planned else [], begin, None)
    return _watched(incident, prometheus) if prometheus else None


def _watched(incident: Incident, url: str) -> Recorded:
    from generator.cluster.prometheus import Prometheus
    from generator.report.postmortems.recorded import from_server
    from generator.report.replays.live import Live

    record, stable = incident.record, incident.stable_hash
    if record is None or not record.start or not stable:
        raise CliError(
            "git does not know when this release ran, or which one ran before it",
            "`sluice replay --prometheus` takes the times and hashes by hand",
        )
    start, end = (_seconds(text) for text in (record.start, record.end))
    return from_server(Live(Prometheus.at(url), record.rollout.pod_hash, stable, start, end))


def _seconds(text: str) -> float:
    import datetime as dt

    return dt.datetime.fromisoformat(text).timestamp()
