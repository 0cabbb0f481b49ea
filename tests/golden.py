"""Rendered files of small cases, kept in git: `python -m tests.golden` writes them, `--check` compares.

Each case is a folder `tests/golden/<case>` with `specs/` and the `rendered/` that came of it. Ledgers are left out: they
hold the hash of every file. The case `whole` keeps every file; the others keep what differs between cases, the bundles
and the Applications. The case `custom` keeps its bento; the tags of all other images are made of zeros, so that an edit
of a bento's template changes one case. The case `spinnaker` keeps what `sluice spinnaker` writes in place of bundles.
"""

from __future__ import annotations

import datetime
import shutil
import sys
import tempfile
from pathlib import Path

from generator.pipeline.evaluate import plans_of
from generator.pipeline.render import plan_render
from generator.pipeline.session import Session
from generator.pipeline.stale import RenderRequest
from generator.plan.bento import Bento
from generator.plan.resolve import no_digest
from generator.render.bento import Bentos
from generator.render.spinnaker.pipeline import Accounts, pipeline_files
from generator.rules.spinnaker import unsupported_features

CASES = Path(__file__).resolve().with_name("golden")
TODAY = datetime.date(2026, 11, 23)
_SHARED = ("argocd/projects", "argocd/platform", "platform")


def cases() -> list[str]:
    """Names of all cases, sorted."""
    return sorted(path.parent.name for path in CASES.glob("*/specs"))


def render(case: str, *, shared: bool = False) -> dict[str, str]:
    """What a case renders to: text by path below `rendered/`.

    Args:
        case: its name.
        shared: also what is left out because the case `whole` keeps it.

    Raises:
        ValueError: a spec of the case has an error.
    """
    root = CASES / case
    session = Session(root, TODAY)
    if not case.startswith("custom"):
        session.bentos = _ZeroTags(session.templates)
    if case.startswith("spinnaker"):
        return _pipelines(session)
    with tempfile.TemporaryDirectory() as empty:
        plan = plan_render(session, RenderRequest(Path(empty)))
        errors = [finding for finding in plan.findings if finding.severity == "error"]
        if errors:
            raise ValueError("; ".join(f"{f.place} {f.code} {f.message}" for f in errors))
        files = {f"{b.path}/{name}": text for b in plan.bundles() for name, text in b.files.items()}
    shared = shared or case == "whole"
    return {name: files[name] for name in sorted(files) if shared or _kept(name, case)}


class _ZeroTags(Bentos):
    """Services whose digest says nothing."""

    def digest(self, bento: Bento) -> str:
        return no_digest(bento)


def _pipelines(session: Session) -> dict[str, str]:
    """What `sluice spinnaker` writes for every model in every environment.

    Raises:
        ValueError: a plan can't be said as a pipeline.
    """
    found: dict[str, str] = {}
    for entry in session.entries:
        for planned in plans_of(session, entry, None):
            errors = [finding for finding in unsupported_features(planned) if finding.severity == "error"]
            if errors:
                raise ValueError("; ".join(f"{f.place} {f.code} {f.message}" for f in errors))
            accounts = Accounts("kubernetes", "prometheus")
            files = pipeline_files(planned.plan, session.templates, accounts)
            found |= {name: text.decode() for name, text in files.items()}
    return dict(sorted(found.items()))


def _kept(name: str, case: str) -> bool:
    environment, _, rest = name.partition("/")
    if environment == "bentos":
        return case.startswith("custom")
    return not rest.startswith(_SHARED) or (case == "observed" and rest.startswith("platform/overview"))


def kept(case: str) -> dict[str, str]:
    """What git keeps of a case."""
    root = CASES / case / "rendered"
    found = sorted(path for path in root.rglob("*") if path.is_file())
    return {path.relative_to(root).as_posix(): path.read_bytes().decode() for path in found}


def differences(case: str) -> list[str]:
    """Paths that are missing, too many or different."""
    now, before = render(case), kept(case)
    return [f"{case}/rendered/{name}" for name in sorted(now | before) if now.get(name) != before.get(name)]


def write(case: str) -> None:
    """Replace what git keeps of a case."""
    files = render(case)
    target = CASES / case / "rendered"
    shutil.rmtree(target, ignore_errors=True)
    for name, text in files.items():
        path = target / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text.encode())


def main(arguments: list[str]) -> int:
    """Write all cases, or with `--check` say which files differ."""
    if arguments not in ([], ["--check"]):
        print("usage: python -m tests.golden [--check]", file=sys.stderr)
        return 2
    changed = [path for case in cases() for path in differences(case)]
    for path in changed:
        print(path)
    if arguments:
        return int(bool(changed))
    for case in cases():
        write(case)
    print(f"{len(cases())} cases, {len(changed)} files changed")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
