"""`sluice new`: the first spec of a model, from a few questions or flags."""

from __future__ import annotations

import re
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from generator.pipeline.example import example_lock
from generator.pipeline.session import Session, open_session, root_option
from generator.pipeline.terminal import emit, is_terminal
from generator.pipeline.writing import existing, write_files
from generator.plan.entries import SPECS
from generator.source.errors import CliError
from generator.source.suggest import did_you_mean
from generator.spec.frameworks import FRAMEWORKS
from generator.spec.model import ModelSource
from generator.spec.types import KEBAB

if TYPE_CHECKING:
    from generator.spec.platform import PlatformSpec, Team
from generator.spec.tier import Tier

_STRATEGIES = ("canary", "blue-green")
_WEIGHTS = (5, 25, 50)
_TAG_COLONS = 2
_REFERENCE, _CURRENT = "dvc:data/train.parquet", "dvc:data/production.parquet"
_DATA = {"drift": (_REFERENCE, _CURRENT), "explain": (_REFERENCE, _CURRENT), "data": (_CURRENT,)}


@dataclass(frozen=True, slots=True)
class Answers:
    """What a new spec is made of."""

    team: str
    model: str
    tier: str
    ref: str
    framework: str
    strategy: str
    sha256: str | None


@click.command("new")
@click.argument("name", metavar="TEAM/MODEL")
@click.option("--tier", help="Class of the model; default: the team's first.")
@click.option("--ref", help="Where the model comes from, such as mlflow:ranker@champion.")
@click.option(
    "--framework", type=click.Choice(tuple(FRAMEWORKS)), help="How the service loads it; default: sklearn."
)
@click.option(
    "--strategy", type=click.Choice(_STRATEGIES), help="How a new version takes over; default: canary."
)
@click.option("--sha256", help="Digest that the producer gave; models from s3:// and https:// need it.")
@click.option(
    "--example-lock", is_flag=True, help="Also write a lock with a made-up digest, to preview the plan."
)
@click.option("--yes", is_flag=True, help="Take defaults, ask nothing.")
@root_option
def command(name: str, root: Path | None, *, example_lock: bool, yes: bool, **given: str | None) -> None:
    """Write the first spec of a model.

    What no flag says is asked on a terminal. The spec is valid as it is written; nothing is overwritten.
    """
    session = open_session(root)
    platform = _platform(session)
    team, model = _split(name, platform)
    answers = _answers(team, model, platform, given, ask=not yes and is_terminal(sys.stdin), yes=yes)
    files = _files(session, platform, answers, lock=example_lock)
    taken = existing(session.root, list(files))
    if taken:
        raise CliError(f"{taken[0]} exists already; remove it first, or edit it")
    write_files(session.root, {path: text.encode() for path, text in files.items()})
    rules = platform.tiers[answers.tier]
    judged = "git" in rules.evidence and bool(rules.requires.gates)
    emit(_told(name, list(files), lock=example_lock, judged=judged))


def _platform(session: Session) -> PlatformSpec:
    platform = session.repository.platform
    if platform is None:
        raise CliError("specs/platform.yaml can't be used: see `sluice validate`")
    return platform


def _split(name: str, platform: PlatformSpec) -> tuple[str, str]:
    team, slash, model = name.partition("/")
    if not slash or not all(re.fullmatch(KEBAB, part) for part in (team, model)):
        raise CliError(f"{name} is no TEAM/MODEL in kebab-case, such as shop/recommender")
    if team not in platform.teams:
        raise CliError(
            f"the team {team} is not known to the platform; {did_you_mean(team, list(platform.teams))}"
        )
    return team, model


def _answers(
    team: str, model: str, platform: PlatformSpec, given: dict[str, str | None], *, ask: bool, yes: bool
) -> Answers:
    tiers = platform.teams[team].tiers
    tier = given["tier"] or _asked("Tier", tiers[0], tiers, ask=ask)
    if tier not in tiers or tier not in platform.tiers:
        raise CliError(f"the team {team} may not use the tier {tier}; {did_you_mean(tier, tiers)}")
    example = f"bentoml:{model.replace('-', '_')}:1"
    ref = given["ref"] or (_asked("Where the model comes from", example, ask=ask) if ask or yes else "")
    if not ref:
        raise CliError("say where the model comes from: --ref mlflow:ranker@champion; --yes takes an example")
    _check_ref(ref, given["sha256"])
    framework = given["framework"] or _asked("Framework", "sklearn", tuple(FRAMEWORKS), ask=ask)
    strategy = given["strategy"] or _asked("Strategy", "canary", _STRATEGIES, ask=ask)
    return Answers(team, model, tier, ref, framework, strategy, given["sha256"])


def _asked(question: str, default: str, choices: Any = None, *, ask: bool) -> str:
    if not ask:
        return default
    answer: str = click.prompt(question, default=default, type=click.Choice(choices) if choices else str)
    return answer


def _check_ref(ref: str, sha256: str | None) -> None:
    """Refuse a reference that the spec language does not have, in its words."""
    from pydantic import ValidationError

    try:
        ModelSource.model_validate({"ref": ref, "framework": "sklearn", "sha256": sha256})
    except ValidationError as error:
        wrong = "--sha256 is 64 hexadecimal digits" if error.errors()[0]["loc"] == ("sha256",) else (
            f"{ref} is no reference of a model: it starts with bentoml:, mlflow:, dvc:, hf:, oci://, s3:// or https://"
        )  # fmt: skip
        raise CliError(wrong) from error
    if ref.startswith(("s3://", "https://")) and sha256 is None:
        raise CliError("an address alone does not say which bytes: give --sha256 too")
    if ref.startswith("bentoml:") and ref.count(":") != _TAG_COLONS:
        raise CliError("a BentoML reference names one version: bentoml:name:version")


def _files(session: Session, platform: PlatformSpec, answers: Answers, *, lock: bool) -> dict[str, str]:
    tier, team = platform.tiers[answers.tier], platform.teams[answers.team]
    gates = list(dict.fromkeys(tier.requires.gates))
    path = f"{SPECS}/{answers.team}/{answers.model}"
    context = _context(answers, tier, team, gates, next(iter(platform.attributes), "group"))
    files = {f"{path}.yaml": session.templates.render("new/spec.yaml.j2", context)}
    if lock:
        data = sorted({ref for kind in gates for ref in _DATA.get(kind, ())})
        name = f"{answers.team}/{answers.model}"
        files[f"{path}.lock.yaml"] = example_lock(session.templates, name, answers.ref, data)
    return files


def _context(answers: Answers, tier: Tier, team: Team, gates: list[Any], attribute: str) -> dict[str, object]:
    source = {"ref": answers.ref, "framework": answers.framework}
    if answers.sha256:
        source["sha256"] = answers.sha256
    if FRAMEWORKS[answers.framework].own_class:
        source["load"] = "my_model:Model"
    first = min(_WEIGHTS[0], tier.ceilings.first_weight or _WEIGHTS[0])
    return {
        "team": answers.team,
        "model": answers.model,
        "owner": team.owners[0],
        "tier": answers.tier,
        "source": source,
        "strategy": answers.strategy,
        "weights": sorted({first, *_WEIGHTS}),
        "gates": gates,
        "approvals": list(tier.requires.approvals),
        "attribute": attribute,
        "reference": _REFERENCE,
        "current": _CURRENT,
    }


def _told(name: str, files: list[str], *, lock: bool, judged: bool) -> str:
    missing = "" if lock else "  (asks for the lock: what the reference was resolved to)"
    gates = f"  sluice gates run {name}  (its tier renders nothing without evidence)\n" if judged else ""
    return (
        f"wrote {' and '.join(files)}\nnext:\n  sluice validate {name}{missing}\n"
        f"  sluice plan {name}\n{gates}  sluice render {name}\n"
    )
