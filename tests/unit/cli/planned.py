"""Plans of a repository, and what is rendered of them."""

from __future__ import annotations

from pathlib import Path

import yaml

from generator.pipeline.session import Session
from generator.plan.resolve import no_digest, resolve
from generator.plan.values import Plan
from generator.render.bundle import render_bundle


def plans(session: Session) -> list[Plan]:
    resolved = [resolve(session.repository, entry, no_digest) for entry in session.entries]
    assert not [finding for one in resolved for finding in one.findings]
    return [planned.plan for one in resolved for planned in one.plans]


def objects(session: Session, plan: Plan) -> dict[str, dict]:
    files = render_bundle(plan, session.templates, {})
    return {name: yaml.safe_load(text) for name, text in files.items() if name.endswith(".yaml")}


def change(root: Path, model: str, old: str, new: str) -> None:
    file = root / "specs" / f"{model}.yaml"
    text = file.read_text()
    assert old in text
    file.write_text(text.replace(old, new, 1))
