"""The raw loop: the same templates, the same text, no validation. `python -m tests.bench.raw record|render ROOT FILE`.

`record` renders a repository once and keeps the context of every file. `render` loads those contexts, which is not
timed, and then does what a shell script with Jinja would do: load each spec, render each file, open and write it. It
prints the seconds of that, the import of Jinja and the compilation of the templates included.
"""

from __future__ import annotations

import pickle
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

from generator.render.environment import Templates

Job = tuple[str, list[tuple[str, str, str, Any]]]
"""A spec, and for each of its files: path, template, what stands before the rendered text, context."""


class Recorder(Templates):
    """Templates that record which values they use; in a recorded context they are plain ones."""

    rendered: ClassVar[list[tuple[str, str, Any]]] = []

    def render(self, name: str, context: Mapping[str, object]) -> str:
        text = super().render(name, context)
        self.rendered.append((text, name, dict(context)))
        return text

    def __reduce__(self) -> Any:
        return Templates, (None,)


def record(root: Path, file: Path) -> None:
    """Render a repository to memory and keep what every file was rendered from."""
    from generator.pipeline.render import plan_render
    from generator.pipeline.session import Session, today
    from generator.pipeline.stale import RenderRequest

    rendered = Recorder.rendered
    session = Session(root, today())
    session.templates = Recorder(None)
    plan = plan_render(session, RenderRequest(root / "no such folder"))
    specs = {bundle.path: str(job.entry.spec) for job in plan.models for bundle in job.bundles}
    jobs: dict[str, list[tuple[str, str, str, Any]]] = {}
    for bundle in plan.bundles():
        jobs.setdefault(specs.get(bundle.path, ""), []).extend(_files(bundle, rendered))
        rendered.clear()
    file.write_bytes(pickle.dumps(list(jobs.items())))


def _files(bundle: Any, rendered: list[tuple[str, str, Any]]) -> Any:
    known = {text: (name, context) for text, name, context in rendered}
    for file, text in bundle.files.items():
        head, _, body = text.partition("\n")
        for before, part in (("", text), (f"{head}\n", body)):
            if part in known:
                yield f"{bundle.path}/{file}", known[part][0], before, known[part][1]
                break
        else:
            yield f"{bundle.path}/{file}", "", text, None


def render(target: Path, file: Path) -> None:
    """Write every file, and print the seconds that took."""
    jobs: list[Job] = pickle.loads(file.read_bytes())
    started = time.perf_counter()
    import yaml

    templates = Templates(None)
    for spec, files in jobs:
        if spec:
            with open(spec, "rb") as stream:  # noqa: PTH123 - plain open, as a script would
                yaml.load(stream, Loader=yaml.CSafeLoader)
        for path, template, before, context in files:
            text = before + (templates.render(template, context) if template else "")
            out = target / path
            out.parent.mkdir(parents=True, exist_ok=True)
            with open(out, "w", encoding="utf-8") as stream:  # noqa: PTH123 - the same
                stream.write(text)
    print(time.perf_counter() - started)


if __name__ == "__main__":
    verb, folder, contexts = sys.argv[1:]
    {"record": record, "render": render}[verb](Path(folder), Path(contexts))
