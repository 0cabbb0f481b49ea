"""Serves a built bento as its image will, sends it requests, measures it, and says what to set.

    python ci/try FACTS BENTO [--report FILE] [--seconds N]
    python ci/try FACTS --url URL [--report FILE]      a server that runs already
    python ci/try FACTS --failed STEP --log FILE       why a step before it failed

FACTS is `try.json` of the rendered bento: what the spec declares, and the series that its guards query. BENTO is the
exported bento, unpacked. It needs the Python of the service's packages and nothing else; the model's own code runs, so
the job has no secret. Exit code 1: something is wrong.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from dataclasses import asdict
from pathlib import Path

from cases import examples, try_feedback, try_requests
from measure import measure, propose
from metrics import try_metrics
from report import OTHER_VERSION, Report, cause, lines, tail
from server import Server

STARTS = 3
TAKEN = "Address already in use"


def started(facts: dict, options: argparse.Namespace, home: Path, report: Report) -> Server:
    """Return a server that is ready, or one that failed, with the problem; a port that was taken meanwhile is none."""
    for attempt in range(STARTS):
        folder = home / str(attempt)
        folder.mkdir()
        server = Server(facts, options.bento, options.url, folder)
        if server.wait(report) or TAKEN not in server.text() or attempt == STARTS - 1:
            break
        server.close()
        report.problems.clear()
    return server


def trial(facts: dict, options: argparse.Namespace, home: Path, report: Report) -> None:
    """Serve, send, read and measure."""
    server = started(facts, options, home, report)
    try:
        if report.problems:
            return
        rows, source = examples(server, options.bento)
        if not rows:
            report.notes.append("no rows were sent: declare `service.inputs`")
            return
        report.notes.append(f"the rows come from {source}")
        if not facts["columns"]:
            report.notes.append("no corner cases and no wrong types: `service.inputs` declares no columns")
        before = len(report.problems)
        try_requests(server, rows, report)
        try_feedback(server, rows, report)
        try_metrics(server, report)
        if len(report.problems) == before:
            measure(server, rows, report, options.seconds)
            propose(facts, report)
        if OTHER_VERSION in server.text():
            report.wrong("start", *cause(server.text(), OTHER_VERSION))
    finally:
        server.close()


def main() -> int:
    """Run the program. Return its exit code."""
    parser = argparse.ArgumentParser(prog="try")
    parser.add_argument("facts")
    parser.add_argument("bento", nargs="?")
    for name in ("--url", "--report", "--failed", "--log"):
        parser.add_argument(name)
    parser.add_argument("--seconds", type=float, default=2.0)
    options = parser.parse_args()
    facts = json.loads(Path(options.facts).read_text(encoding="utf-8"))
    report = Report(facts["model"])
    if options.failed:
        text = Path(options.log).read_text(encoding="utf-8", errors="replace")
        line, hint = cause(text)
        report.wrong(options.failed, line, hint, tail(text))
    else:
        with tempfile.TemporaryDirectory(prefix="sluice-try-", ignore_cleanup_errors=True) as home:
            trial(facts, options, Path(home), report)
    report.ok = not report.problems
    if options.report:
        Path(options.report).write_text(json.dumps(asdict(report), indent=2) + "\n", encoding="utf-8")
    print("\n".join(lines(facts, report)))
    return 0 if report.ok else 1


if __name__ == "__main__":
    sys.exit(main())
