"""What a first sync does to what is in the cluster already, for `plan` and the comment."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from generator.lint import Object
from generator.pipeline.bundles import KINDS, BundleId, Source, shared_bundles
from generator.report.markdown import cell
from generator.report.records import EffectRecord, FirstSync
from generator.report.tables import Screen
from generator.source.errors import CliError
from generator.source.line import visible
from generator.spec.quantities import plural

if TYPE_CHECKING:
    from generator.pipeline.session import Session
    from generator.plan.model_files import ModelFiles
    from generator.plan.values import Plan

_TITLE = "What a first sync does to what is there"


def query_cluster(
    session: Session,
    entries: Sequence[ModelFiles],
    environment: str,
    kubeconfig: Path | None,
    context: str | None,
) -> FirstSync:
    """Return what a first sync of some models and of their namespaces does in an environment's cluster.

    Raises:
        ClusterError: the server can't be queried.
    """
    from generator.cluster.first_sync import first_sync
    from generator.cluster.server import connect

    plans: dict[str, Plan] = {}
    for entry in entries:
        for planned in session.resolve(entry).plans:
            if planned.plan.identity.environment == environment:
                plans[entry.name] = planned.plan
    server = connect(kubeconfig, context)
    found = first_sync(list(_objects(session, plans, environment)), server)
    return {
        "environment": environment,
        "cluster": server.address,
        "effects": [{"namespace": one.namespace, "text": one.text} for one in found],
        "unplanned": [entry.name for entry in entries if entry.name not in plans],
    }


def _objects(session: Session, plans: dict[str, Plan], environment: str) -> Iterator[Object]:
    """Yield every rendered object of some models, their teams and the environment."""
    import yaml

    platform = session.require_platform(environment)
    source = Source(platform, session.templates, session.bentos, models=tuple(plans))
    teams = {name.partition("/")[0] for name in plans}
    bundles = [
        one for one in shared_bundles(session.platform_inputs, [environment]) if one.team in {"", *teams}
    ]
    rendered = [KINDS[one.kind].render(source, one) for one in bundles]
    for name, plan in plans.items():
        team, _, model = name.partition("/")
        own = Source(platform, session.templates, session.bentos, {environment: plan})
        mine = (BundleId(kind, environment, team, model) for kind in ("model", "application"))
        rendered += [KINDS[one.kind].render(own, one) for one in mine]
    for files in rendered:
        for name, text in files.items():
            if name.endswith(".yaml"):
                yield Object.read(yaml.load(text, Loader=yaml.CSafeLoader))


def read_first_sync(file: Path) -> FirstSync:
    """Read the report of another run: what `plan --cluster --format json` printed.

    Raises:
        CliError: the file is not such a report.
    """
    try:
        found = json.loads(file.read_text("utf-8"))["first_sync"]
        effects: list[EffectRecord] = [
            {"namespace": str(one["namespace"]), "text": str(one["text"])} for one in found["effects"]
        ]
        return {
            "environment": str(found["environment"]),
            "cluster": str(found["cluster"]),
            "effects": effects,
            "unplanned": [str(name) for name in found["unplanned"]],
        }
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        hint = "write it with `sluice plan --all --cluster --env NAME --format json > FILE`"
        raise CliError(f"{file} is not a report of a first sync", hint) from error


def lines(found: FirstSync) -> list[str]:
    """Return the effects in words, one each."""
    names = ", ".join(found["unplanned"])
    unplanned = [f"not compared, as they can't be planned: {names}"] if names else []
    effects = [f"{one['namespace'] or 'cluster'}: {one['text']}" for one in found["effects"]]
    return [*(effects or ["it adds objects, and touches nothing of others"]), *unplanned]


def as_text(found: FirstSync, screen: Screen) -> str:
    """Return the section for the terminal."""
    title = f"{_TITLE} ({found['environment']}, {found['cluster']})"
    body = screen.body([visible(line) for line in lines(found)])
    return "".join(f"{line}\n" for line in [*screen.title(title), *body])


def as_markdown(found: FirstSync) -> str:
    """Return the section for the comment."""
    count = plural(len(found["effects"]), "effect") if found["effects"] else "nothing"
    head = f"{_TITLE} in {found['environment']}: {count}"
    rows = "".join(f"- {cell(line)}\n" for line in lines(found))
    return f"### {cell(head)}\n\n{rows}"
