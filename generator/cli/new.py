"""`sluice new`: the first spec of a model, from a few questions or flags."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from generator.cli.options import root_option
from generator.dataclass import dataclass
from generator.pipeline.atomic_write import existing, write_files
from generator.pipeline.repository_files import example_lock
from generator.pipeline.session import Session, open_session
from generator.pipeline.terminal import emit, is_terminal
from generator.plan.model_files import SPECS
from generator.source.document import Document
from generator.source.errors import CliError
from generator.source.reader import read
from generator.source.suggest import did_you_mean, nearest
from generator.spec.check import check_data
from generator.spec.frameworks import FRAMEWORKS
from generator.spec.model import ModelSource
from generator.spec.types import KEBAB
from generator.spec.units import duration

if TYPE_CHECKING:
    from generator.spec.platform import PlatformSpec, Team
from generator.spec.tier import Tier

_SWITCH = "blue-green"
_STRATEGIES = ("canary", _SWITCH)
_WEIGHTS = (5, 25, 50)
_SMALL, _FIRST, _LATER, _WATCH = 6 * 3600.0, 3600.0, 1200.0, 900.0
"""Seconds that a weight below 5%, one of 5%, and a later one are held; seconds of a watch."""
_TAG_COLONS = 2
_CLASSES = "models"
"""Folder of the classes that `--custom` writes, by team and model."""
_REFERENCE, _CURRENT = "dvc:data/train.parquet", "dvc:data/production.parquet"
_DATA = {"drift": (_REFERENCE, _CURRENT), "explain": (_REFERENCE, _CURRENT), "data": (_CURRENT,)}


@dataclass(frozen=True, slots=True)
class Answers:
    """The inputs of a new spec."""

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
@click.option("--strategy", type=click.Choice(_STRATEGIES), help="Rollout strategy; default: canary.")
@click.option("--sha256", help="Digest of the model's file; s3:// and https:// need it.")
@click.option(
    "--example-lock",
    is_flag=True,
    help="Write a lock with a made-up digest, to preview the plan; also for a spec that exists.",
)
@click.option(
    "--custom",
    is_flag=True,
    help="Write a class that loads the model, and its test; implies --framework custom.",
)
@click.option("--yes", is_flag=True, help="Use the defaults without asking.")
@root_option
def command(
    name: str, root: Path | None, *, example_lock: bool, custom: bool, yes: bool, **given: str | None
) -> None:
    """Write the first spec of a model.

    On a terminal it asks for missing options. The new spec is valid; nothing is overwritten.
    """
    session = open_session(root)
    platform = _platform(session)
    team, model = _split(name, platform)
    name = f"{team}/{model}"
    spec = f"{SPECS}/{team}/{model}.yaml"
    if custom and given["framework"] not in {None, "custom"}:
        raise CliError(f"`--custom` is for the framework custom, not for {given['framework']}")
    given["framework"] = "custom" if custom else given["framework"]
    if existing(session.root, [spec]):
        files = _lock_of_existing(session, team, model, wanted=example_lock)
        tier = ""
    else:
        ask = not yes and is_terminal(sys.stdin)
        answers = _answers(team, model, platform, given, ask=ask, yes=yes)
        files, tier = _files(session, platform, answers, lock=example_lock), answers.tier
        files |= _own_class(session, answers) if custom else {}
    taken = existing(session.root, list(files))
    if taken:
        raise CliError(f"{taken[0]} already exists; edit it, or remove it first")
    write_files(session.root, {path: text.encode() for path, text in files.items()})
    rules = platform.tiers[tier] if tier else None
    gated = rules is not None and "git" in rules.evidence and bool(rules.requires.gates)
    hashed = rules is not None and rules.requires.package_hashes
    emit(_next_steps(name, list(files), locked=example_lock, hashed=hashed, gated=gated))


def _platform(session: Session) -> PlatformSpec:
    platform = session.repository.platform
    if platform is None:
        raise CliError("specs/platform.yaml has errors; `sluice validate` shows them")
    return platform


def _split(name: str, platform: PlatformSpec) -> tuple[str, str]:
    """Return team and model; refuse an invalid name with a suggestion."""
    # The path of the spec is a usual way to name it.
    name = re.sub(r"(?:\.lock)?\.ya?ml$", "", name.removeprefix("./").removeprefix(f"{SPECS}/")).rstrip("/")
    team, slash, model = name.partition("/")
    teams = ", ".join(platform.teams)
    if not slash and team in platform.teams:
        raise CliError(f"`{team}` is a team; write TEAM/MODEL, for example `sluice new {team}/churn`")
    if not slash:
        right = f"{next(iter(platform.teams))}/{_kebab(team) or 'churn'}"
        raise CliError(f"`{name}` has no team; write TEAM/MODEL: `sluice new {right}` (teams: {teams})")
    if name != f"{team}/{model}" or not all(re.fullmatch(KEBAB, part) for part in (team, model)):
        right = f"{_kebab(team)}/{_kebab(model.replace('/', '-'))}".strip("/")
        raise CliError(
            f"`{name}` is not TEAM/MODEL: each is lower-case letters, digits and dashes; did you mean `{right}`?"
        )
    if team not in platform.teams:
        near = nearest(team, platform.teams)
        hint = f"did you mean `{near[0]}/{model}`?" if near else f"teams: {teams}"
        raise CliError(f"unknown team `{team}`; {hint}")
    return team, model


def _kebab(text: str) -> str:
    """Return a text as a valid name; empty if that is impossible."""
    from generator.spec.mistakes.amounts import Typed
    from generator.spec.mistakes.repairs import name

    found = (str(repair.value) for repair in name(Typed(text, "")))
    return next((text for text in found if re.fullmatch(KEBAB, text)), "")


def _lock_of_existing(session: Session, team: str, model: str, *, wanted: bool) -> dict[str, str]:
    """Return the example lock of an existing spec, if it was requested."""
    entry = session.repository.entry(team, model)
    if not wanted:
        raise CliError(
            f"{SPECS}/{team}/{model}.yaml already exists; edit it, or write only a lock: "
            f"`sluice new {entry.name} --example-lock`"
        )
    document = read(entry.spec, session.root)
    spec = document.data.get("spec") if isinstance(document.data, dict) else None
    source = spec.get("model") if isinstance(spec, dict) else None
    ref = source.get("ref") if isinstance(source, dict) else None
    if not isinstance(spec, dict) or not isinstance(ref, str):
        raise CliError(
            f"{document.file} has no `model.ref` to lock; `sluice validate {entry.name}` shows its errors"
        )
    return {f"{SPECS}/{entry.name}.lock.yaml": example_lock(session.templates, entry.name, ref, _data(spec))}


def _data(spec: dict[str, Any]) -> list[str]:
    """Return the data sets that the gates of a spec read."""
    gates = spec.get("gates")
    parts = [gate.get(key) for gate in gates or () if isinstance(gate, dict) for key in _DATA]
    found = {part for part in parts if isinstance(part, str)}
    for part in parts:
        if isinstance(part, dict):
            found |= {ref for key in ("reference", "current") if isinstance(ref := part.get(key), str)}
    return sorted(found)


def _answers(
    team: str, model: str, platform: PlatformSpec, given: dict[str, str | None], *, ask: bool, yes: bool
) -> Answers:
    """Return the inputs of the spec, from options, questions and defaults."""
    tiers = [tier for tier in platform.teams[team].tiers if tier in platform.tiers]
    switching = [tier for tier in tiers if _may_switch(platform.tiers[tier])]
    wanted = switching if given["strategy"] == _SWITCH and switching else tiers
    tier = given["tier"] or _asked("Tier", wanted[0], tiers, ask=ask)
    if tier not in tiers:
        raise CliError(
            f"the team {team} may not use the tier `{tier}`; {did_you_mean(tier, tiers, 'its tiers')}"
        )
    example = (
        f"dvc:{model}.bento" if given["framework"] == "bento" else f"bentoml:{model.replace('-', '_')}:1"
    )
    sha256 = given["sha256"]
    ref = given["ref"] or (example if yes else "")
    if not ref and not ask:
        raise CliError(
            "the reference of the model is missing: --ref mlflow:ranker@champion, or --yes for an example"
        )
    if not ref:
        ref = click.prompt("Where the model comes from", default=example, value_proc=_asking(_valid_ref))
    _valid_ref(ref)
    if ref.startswith(("s3://", "https://")) and sha256 is None:
        if not ask:
            raise CliError(
                f"the content of {ref} can change: add --sha256 with the digest that `sha256sum` prints"
            )
        sha256 = click.prompt("SHA-256 of its file", value_proc=_asking(_valid_sha256))
    if sha256 is not None:
        sha256 = _valid_sha256(sha256)
    framework = given["framework"] or _asked("Framework", "sklearn", tuple(FRAMEWORKS), ask=ask)
    if framework == "bento" and ref.startswith("bentoml:"):
        raise CliError("a bento is released from its export: name the stored file, as --ref dvc:ranker.bento")
    offered = _STRATEGIES if tier in switching else _STRATEGIES[:1]
    strategy = given["strategy"] or _asked("Strategy", "canary", offered, ask=ask)
    if strategy not in offered:
        allowed = platform.tiers[tier].ceilings.first_weight
        first = (
            f" {allowed}% of the users first" if allowed is not None else " only a part of the users at once"
        )
        raise CliError(
            f"the tier `{tier}` allows{first}, and a blue-green switch moves all of them; "
            "use --strategy canary" + (f", or --tier {switching[0]}" if switching else "")
        )
    return Answers(team, model, tier, ref, framework, strategy, sha256)


def _may_switch(tier: Tier) -> bool:
    """Return whether a tier lets a version have all users at once."""
    ceilings = tier.ceilings
    limits = (ceilings.first_weight, ceilings.largest_increase)
    return (
        all(limit in {None, 100} for limit in limits)
        and ceilings.max_exposed is None
        and ceilings.power is None
    )


def _asking(check: Callable[[str], str]) -> Callable[[str], str]:
    """Return a check of an answer after which click repeats the question."""

    def checked(answer: str) -> str:
        try:
            return check(answer)
        except CliError as error:
            raise click.UsageError(str(error)) from error

    return checked


def _asked(question: str, default: str, choices: Sequence[str], *, ask: bool) -> str:
    if not ask:
        return default
    answer: str = click.prompt(question, default=default, type=click.Choice(choices))
    return answer


def _valid_ref(ref: str) -> str:
    """Return a reference if it is valid.

    Raises:
        CliError: it is invalid; a question is repeated.
    """
    _check({"ref": ref, "framework": "sklearn"})
    if ref.startswith("bentoml:") and ref.count(":") != _TAG_COLONS:
        right = f"{':'.join(ref.split(':')[:_TAG_COLONS]).rstrip(':')}:1"
        raise CliError(
            f"`{ref}` has no version: a BentoML reference is bentoml:NAME:VERSION, for example `{right}`"
        )
    return ref


def _valid_sha256(text: str) -> str:
    digits = text.strip().removeprefix("sha256:").lower()
    if not re.fullmatch(r"[0-9a-f]{64}", digits):
        raise CliError(f"`{text}` is not a SHA-256 digest: it has 64 hexadecimal digits")
    return digits


def _check(source: dict[str, str]) -> None:
    """Refuse a model source with the message of `validate`."""
    document = Document("")
    _, findings = check_data(ModelSource, source, lambda path: (document, path))
    if findings:
        raise CliError(f"{findings[0].message}; {findings[0].hint}")


def _files(session: Session, platform: PlatformSpec, answers: Answers, *, lock: bool) -> dict[str, str]:
    tier, team = platform.tiers[answers.tier], platform.teams[answers.team]
    gates = list(dict.fromkeys(tier.requires.gates))
    path = f"{SPECS}/{answers.team}/{answers.model}"
    fairness = tier.ceilings.gates.fairness
    attributes = fairness.sensitive if fairness else []
    attributes = attributes or [next(iter(platform.attributes), "group")]
    context = _context(answers, tier, team, gates, attributes)
    files = {f"{path}.yaml": session.templates.render("new/spec.yaml.j2", context)}
    if lock:
        data = sorted({ref for kind in gates for ref in _DATA.get(kind, ())})
        name = f"{answers.team}/{answers.model}"
        files[f"{path}.lock.yaml"] = example_lock(session.templates, name, answers.ref, data)
    return files


def _own_class(session: Session, answers: Answers) -> dict[str, str]:
    """Return the class that loads a custom model, and its test."""
    module = answers.model.replace("-", "_")
    folder, context = f"{_CLASSES}/{answers.team}/{answers.model}", {"module": module, "model": answers.model}
    return {
        f"{folder}/{module}.py": session.templates.render("new/custom.py.j2", context),
        f"{folder}/test_{module}.py": session.templates.render("new/test_custom.py.j2", context),
    }


def _context(
    answers: Answers, tier: Tier, team: Team, gates: list[Any], attributes: list[str]
) -> dict[str, object]:
    source: dict[str, object] = {"ref": answers.ref, "framework": answers.framework}
    if answers.sha256:
        source["sha256"] = answers.sha256
    if FRAMEWORKS[answers.framework].own_class == "always":
        source["load"] = f"{answers.model.replace('-', '_')}:Model"
    if answers.framework == "bento":
        source["endpoints"] = ["/predict"]
    first = min(_WEIGHTS[0], tier.ceilings.first_weight or _WEIGHTS[0])
    return {
        "team": answers.team,
        "model": answers.model,
        "owner": team.owners[0],
        "tier": answers.tier,
        "source": source,
        "strategy": answers.strategy,
        "steps": [_step(weight, tier) for weight in sorted({first, *_WEIGHTS})],
        "watch": duration(max(_WATCH, tier.ceilings.shortest_hold or 0.0)),
        "gates": gates,
        "approvals": list(tier.requires.approvals),
        "attributes": attributes,
        "reference": _REFERENCE,
        "current": _CURRENT,
    }


def _step(weight: int, tier: Tier) -> dict[str, str]:
    """Return a step: the smaller its weight, the longer it takes to see enough requests."""
    usual = _SMALL if weight < _WEIGHTS[0] else _FIRST if weight == _WEIGHTS[0] else _LATER
    return {"weight": f"{weight}%", "hold": duration(max(usual, tier.ceilings.shortest_hold or 0.0))}


def _next_steps(name: str, files: list[str], *, locked: bool, hashed: bool, gated: bool) -> str:
    """Return the written files and the next commands, which work as printed."""
    preview = f"sluice new {name} --example-lock"
    steps = (
        [] if locked else [(preview, f"a made-up lock, to preview; `sluice pin {name}` writes the real one")]
    )
    if hashed:
        steps.append(
            (f"sluice pin --packages {name}", "its tier requires the packages of the service by hash")
        )
    steps += [(f"sluice validate {name}", ""), (f"sluice plan {name}", "")]
    if gated:
        steps.append((f"sluice gates run {name}", "its tier requires evidence before anything is rendered"))
    steps.append((f"sluice render {name}", ""))
    width = max(len(step) for step, why in steps if why) if any(why for _, why in steps) else 0
    lines = [f"  {step:<{width}}  # {why}" if why else f"  {step}" for step, why in steps]
    return f"wrote {' and '.join(files)}\nnext:\n" + "\n".join(lines) + "\n"
