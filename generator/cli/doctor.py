"""`sluice doctor`: what is missing for what the specs need, and the commands that fix it."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from generator.cli.options import check_cluster_options, cluster_options, json_option, root_option
from generator.pipeline.session import open_session
from generator.pipeline.terminal import emit, note


@click.command("doctor")
@click.option("--env", "environment", metavar="NAME", help="One environment; default: all.")
@cluster_options("Also query the clusters of the environments. Nothing is written.", several=True)
@click.option("--prometheus", metavar="URL", help="Also query this Prometheus: does it scrape the models?")
@json_option
@click.option("--strict", is_flag=True, help="Treat warnings as errors.")
@root_option
def command(
    environment: str | None, contexts: tuple[str, ...], kubeconfig: Path | None, prometheus: str | None,
    fmt: str, root: Path | None, *, cluster: bool, strict: bool,
) -> None:  # fmt: skip
    """Show what is missing for what the specs need, and how to fix it.

    It looks at the repository and this machine; with --cluster at controllers, kinds, permissions, Secrets (their names
    only), Gateways and Applications; with --prometheus at the scrapes of pods. What gave no answer is never fine:
    it counts as an error. PROMETHEUS_TOKEN and PROMETHEUS_ORG_ID are sent as `sluice verify --prometheus` sends them.
    Exit code 1: an error was found.
    """
    from generator.pipeline.doctor import DoctorRequest, diagnoses
    from generator.pipeline.status import Servers
    from generator.report.doctor import as_json, text
    from generator.report.tables import Screen

    check_cluster_options({"--context": contexts, "--kubeconfig": kubeconfig}, cluster=cluster)
    session = open_session(root)
    platform = session.require_platform(environment)
    environments = [environment] if environment else list(platform.environments)
    servers = Servers.of(kubeconfig, contexts, environments) if cluster else None
    found = list(diagnoses(session, DoctorRequest(environments, servers, prometheus)))
    emit(as_json(found) if fmt == "json" else text(found, Screen.of(sys.stdout)))
    if not cluster or prometheus is None:
        left = [*([] if cluster else ["--cluster"]), *([] if prometheus else ["--prometheus URL"])]
        note(f"not looked at: what {' and '.join(left)} would show")
    note(
        "not visible from here: the rules that protect the branch; require code owners' reviews on the git host"
    )
    refusing = {"error", "warning"} if strict else {"error"}
    click.get_current_context().exit(int(any(one.severity in refusing for one in found)))
