"""`sluice try` fetches every model of a service by the repository's own script."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

from generator.pipeline.trial import Trial
from generator.source.content import joint_digest, joint_path_digest, path_digest

FETCH = 'mkdir -p "$2"; echo "$1" > "$2/weights"; echo "$2/weights"\n'


def test_all_models_of_a_service_are_fetched_each_into_its_folder(tmp_path: Path) -> None:
    (tmp_path / "ci/pins").mkdir(parents=True)
    (tmp_path / "ci/fetch-model.sh").write_text(FETCH)
    bento = SimpleNamespace(references=(("second", "mlflow:second/2"),))
    plan = SimpleNamespace(version=SimpleNamespace(resolved="mlflow:ranker/3"), bento=bento)
    folder = tmp_path / "scratch"
    folder.mkdir()
    found = Trial(SimpleNamespace(root=tmp_path), [plan], 1.0)._fetched(folder)
    texts = {name: (found / name / "weights").read_text() for name in ("model", "second")}
    assert texts == {"model": "mlflow:ranker/3\n", "second": "mlflow:second/2\n"}
    digests = {name: path_digest(found / name / "weights", name) for name in texts}
    assert joint_path_digest(found, texts) == joint_digest(digests)
    bento.references = ()
    (tmp_path / "alone").mkdir()
    assert Trial(SimpleNamespace(root=tmp_path), [plan], 1.0)._fetched(tmp_path / "alone").name == "weights"
