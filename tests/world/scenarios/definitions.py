"""The tables of kinds are what the projects publish: `make kinds` would change no byte."""

from __future__ import annotations

from pathlib import Path

from tests.tools.kinds.build import TARGET, pack, published
from tests.tools.kinds.gather import TOOLCHAIN
from tests.tools.kinds.sources import KUBERNETES, PROJECTS
from tests.world.scenario import Result, Scenario


def run(folder: Path) -> Result:
    """Gather every definition again and compare it with the committed file."""
    made = folder / TARGET.name
    made.write_text(pack(published()), encoding="utf-8", newline="\n")
    assert made.read_bytes() == TARGET.read_bytes(), f"{TARGET.name} differs from {made}: run `make kinds`"
    head = made.read_text(encoding="utf-8").partition("\n\n")[0]
    releases = sum(len(project.versions) for project in (KUBERNETES, *PROJECTS))
    figures = {
        "projects": 1 + len(PROJECTS),
        "releases": releases,
        "kinds": len(head.splitlines()),
        "bytes": made.stat().st_size,
    }
    return Result(figures, {"Go": TOOLCHAIN.removeprefix("go")})


SCENARIO = Scenario(
    title="The tables of Kubernetes, Argo and Gateway kinds agree with the published definitions",
    covers=("generator/lint/kinds/definitions.txt", "tests/tools/kinds"),
    run=run,
)
