"""Rendered text of small cases, kept in git one file per template: `python -m tests.golden` writes, `--check` compares.

Each case is a folder `tests/golden/<case>` with `specs/`. What all cases render to is in `tests/golden/outputs/rendered`: a file for
each template holds every text that it gave, under the names of the outputs that have it. A text that is like an earlier
one is kept as its differences from that one. So a change of one template changes one file, and shows it once.

Digests of content are zeros in these files: the tags of images, release keys, and what a Rollout says of its bundle.
Ledgers are left out: they hold the hash of every file. The case `whole` keeps every file; the others keep what differs between cases, the
bundles and the Applications. The case `custom` keeps its bento, the case `spinnaker` what `sluice spinnaker` writes.
"""

from __future__ import annotations

import datetime
import difflib
import hashlib
import re
import shutil
import sys
import tempfile
from collections import defaultdict
from collections.abc import Mapping
from functools import cache
from pathlib import Path

from generator.pipeline.evaluate import plans_of
from generator.pipeline.render import plan_render
from generator.pipeline.session import Session
from generator.pipeline.stale import RenderRequest
from generator.render.spinnaker.pipeline import Accounts, pipeline_files
from generator.rules.spinnaker import unsupported_features
from tests.tools import variables

CASES = Path(__file__).resolve().with_name("golden")
OUTPUTS = CASES / "outputs" / "rendered"
TODAY = datetime.date(2026, 11, 23)
_SHARED = ("argocd/projects", "argocd/platform", "platform")


VARIABLES: variables.Found = defaultdict(dict)
"""What the cases that were rendered in this process handed to templates."""


def cases() -> list[str]:
    """Names of all cases, sorted."""
    return sorted(path.parent.name for path in CASES.glob("*/specs"))


@cache
def files(case: str) -> dict[str, str]:
    """What a case renders to and git keeps: text by path below `rendered/`."""
    return render(case)


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
    if case.startswith("spinnaker"):
        return _pipelines(session)
    with tempfile.TemporaryDirectory() as empty, variables.recording(VARIABLES):
        plan = plan_render(session, RenderRequest(Path(empty)))
        errors = [finding for finding in plan.findings if finding.severity == "error"]
        errors = [finding for finding in errors if finding.code != "PLAT919"]  # as at the top of a repository
        if errors:
            raise ValueError("; ".join(f"{f.place} {f.code} {f.message}" for f in errors))
        files = {f"{b.path}/{name}": text for b in plan.bundles() for name, text in b.files.items()}
    shared = shared or case == "whole"
    return {name: files[name] for name in sorted(files) if shared or _kept(name, case)}


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
    more = {"observed": ("platform/overview",), "shared-namespace": ("platform/", "argocd/platform/")}
    return not rest.startswith(_SHARED) or (
        environment == "live" and case in more and rest.startswith(more[case])
    )


def outputs(rendered: Mapping[str, Mapping[str, str]]) -> dict[str, str]:
    """Return the text of every kept file, by name.

    Args:
        rendered: what each case renders to.
    """
    found: defaultdict[str, defaultdict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
    for case, texts in rendered.items():
        for name, text in texts.items():
            label = f"{case}/{_without_model(name)}"
            found[template_of(name, text)][_without_digests(text)].append(label)
    return {f"{name}.txt": _variants(found[name]) for name in sorted(found)}


_DIGESTS = (
    (re.compile(r"(\bregistry\.example\.com/models/[a-z/-]+:[\w.-]+-)[0-9a-f]{12}\b"), r"\g<1>000000000000"),
    # Quoted when it reads as a number.
    (re.compile(r'(\bsluice\.dev/release-key"?: "sha256:)[0-9a-f]{64}'), r"\g<1>" + "0" * 64),
    (re.compile(r'(\bsluice\.dev/bundle: )("?)[0-9a-f]{16}\2$', re.MULTILINE), r"\g<1>0000000000000000"),
    (re.compile(r'(\bsluice\.dev/release-key"?: "?sha256:)[0-9a-f]{64}\b'), rf"\g<1>{'0' * 64}"),
)
_TEMPLATES_OF_ONE_KIND = (
    "analysistemplate-preview",
    "configmap-dashboard",
    "deployment-shadow",
    "traefikservice-main",
)


def template_of(name: str, text: str) -> str:
    """Return the name of the kept file for a path below `rendered/`: area and template."""
    folder, _, file = name.rpartition("/")
    stem = file.partition(".")[0]
    if stem == "configmap-dashboard":  # of a model and of the overview
        folder = "models"
    area = next(
        (area for area in ("bentos", "gates", "argocd", "platform") if area in folder.split("/")[:2]),
        "models",
    )
    if not folder:
        area, file = "spinnaker", file.partition(".shop.ranker.")[2]
    elif area == "models" and stem.startswith("rollout-"):
        file = file.replace("main", "bluegreen" if "\n    blueGreen:" in text else "canary")
    elif area == "models" and not stem.startswith(_TEMPLATES_OF_ONE_KIND):
        file = file.replace(stem, stem.partition("-")[0])
    elif area == "argocd" and folder.endswith("/platform"):
        file = file.replace(stem, f"{stem}-platform")
    return f"{area}/{file}"


def _without_model(name: str) -> str:
    return name.replace("shop/ranker/", "")


def _without_digests(text: str) -> str:
    for pattern, zeros in _DIGESTS:
        text = pattern.sub(zeros, text)
    return text


def _variants(labels: Mapping[str, list[str]]) -> str:
    """Return every text of a template under its labels: whole, or as its differences from one that is whole."""
    parts: list[str] = []
    whole: list[tuple[str, list[str]]] = []
    for text, of_text in sorted(labels.items(), key=lambda item: item[1]):
        digest = hashlib.sha256(text.encode()).hexdigest()[:12]
        parts += [f"=== {label}\n" for label in of_text]
        lines = text.splitlines(keepends=True)
        base, changes = _closest(lines, whole)
        if len(changes) * 2 < len(lines):
            parts += [f"=== {digest}, like {base}, but:\n", *changes]
        else:
            whole.append((of_text[0], lines))
            parts += [f"=== {digest}\n", text]
    return "".join(parts)


def _closest(lines: list[str], whole: list[tuple[str, list[str]]]) -> tuple[str, list[str]]:
    """Return the label of the text that is most like these lines, and the differences from it; the lines if there is none.

    The places of differences have no line numbers: a line more in the whole text would change all of them. The digest
    above is there for what differences with a line around them cannot tell apart.
    """
    found = ("", lines)
    for label, other in whole:
        changes = list(difflib.unified_diff(other, lines, n=1))[2:]
        changes = ["@@\n" if line.startswith("@@") else line for line in changes]
        if len(changes) < len(found[1]) or not found[0]:
            found = (label, changes)
    return found


def expected() -> dict[str, str]:
    """Return what git should keep: text by name below `outputs/`."""
    return outputs({case: render(case) for case in cases()})


def kept() -> dict[str, str]:
    """Return what git keeps."""
    found = sorted(path for path in OUTPUTS.rglob("*") if path.is_file())
    return {path.relative_to(OUTPUTS).as_posix(): path.read_bytes().decode() for path in found}


def differences() -> list[str]:
    """Return the names of files that are missing, superfluous or different."""
    now, before = expected(), kept()
    return [name for name in sorted(now | before) if now.get(name) != before.get(name)]


def write() -> None:
    """Replace what git keeps."""
    texts = expected()
    for folder in CASES.glob("*/rendered"):
        shutil.rmtree(folder)
    for name, text in texts.items():
        path = OUTPUTS / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text.encode())


def main(arguments: list[str]) -> int:
    """Write all files, or with `--check` print which of them differ."""
    if arguments not in ([], ["--check"]):
        print("usage: python -m tests.golden [--check]", file=sys.stderr)
        return 2
    changed = differences()
    text = variables.page(VARIABLES)
    stale = not variables.PAGE.is_file() or variables.PAGE.read_text() != text
    for name in changed:
        print(f"outputs/rendered/{name}")
    if stale:
        print("docs/template-variables.md")
    if arguments:
        return int(bool(changed) or stale)
    write()
    variables.PAGE.write_text(text)
    print(f"{len(cases())} cases, {len(changed)} files changed")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
