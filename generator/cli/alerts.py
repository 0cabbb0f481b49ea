"""`sluice alerts`: the alerts of released models as files for promtool."""

from __future__ import annotations

from pathlib import Path

import click
import yaml

from generator.cli.options import export_name, export_options, root_option
from generator.pipeline.atomic_write import write_files
from generator.pipeline.evaluate import plans_of
from generator.pipeline.selection import select
from generator.pipeline.session import open_session
from generator.pipeline.terminal import emit
from generator.source.errors import CliError
from generator.source.line import visible


@click.command("alerts")
@click.argument("paths", nargs=-1, metavar="[PATH]...")
@export_options("alerts")
@root_option
def command(paths: tuple[str, ...], environment: str | None, output: Path, root: Path | None) -> None:
    """Write alerts for released models, and unit tests for them.

    Each alert has one test in which it fires and one in which it almost fires. `promtool test rules DIR/*.test.yaml`
    runs them; `promtool check rules DIR/*.rules.yaml` checks the rules. The alerts are those of the rendered
    PrometheusRules.
    """
    session = open_session(root)
    if session.require_platform(environment).monitoring.alerts is None:
        raise CliError(
            "the platform has no alerts configured: add `monitoring: {alerts: {}}` to specs/platform.yaml"
        )
    from generator.render.promtool import rule_file, unit_tests

    files: dict[str, bytes] = {}
    for entry in select(session, paths).entries:
        for planned in plans_of(session, entry, environment):
            name = export_name(planned.plan.identity)
            files[f"{name}.rules.yaml"] = _yaml(rule_file(planned.plan))
            files[f"{name}.test.yaml"] = _yaml(unit_tests(planned.plan, f"{name}.rules.yaml"))
    write_files(output, files)
    shown = visible(str(output))
    emit(f"wrote {len(files)} files to {shown}; next: promtool test rules {shown}/*.test.yaml\n")


def _yaml(document: object) -> bytes:
    return yaml.safe_dump(document, sort_keys=False, width=1000).encode()
