"""Which pipelines of spaCy a service takes: those that answer something, read by the real library."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from generator.render.bento import render_bento
from generator.render.environment import Templates
from tests.bento.bentos import BENTOS
from tests.tools.environment import environment

pytestmark = pytest.mark.slow
PROGRAM = """
import sys
from pathlib import Path
import spacy
sys.path.insert(0, sys.argv[1])
from predictor import Predictor
pipeline = spacy.blank("en")
for part in sys.argv[3:]:
    pipeline.add_pipe(part)
if "entity_ruler" in sys.argv:
    pipeline.get_pipe("entity_ruler").add_patterns([{"label": "CITY", "pattern": "Graz"}])
pipeline.to_disk(sys.argv[2] + "/pipeline")
print(Predictor(Path(sys.argv[2])).predict(["I live in Graz"]))
"""


@pytest.mark.parametrize(
    ("parts", "answer"),
    [
        (["sentencizer"], "it has only: sentencizer"),
        ([], "it has only: no parts"),
        (["sentencizer", "entity_ruler"], "[[{'text': 'Graz', 'label': 'CITY', 'start': 10, 'end': 14}]]"),
    ],
)
def test_a_pipeline_that_answers_nothing_is_refused(tmp_path: Path, parts: list[str], answer: str) -> None:
    bento = next(bento for bento in BENTOS.values() if bento.framework == "spacy")
    (tmp_path / "src").mkdir()
    (tmp_path / "src/predictor.py").write_text(render_bento(bento, Templates())["predictor.py"])
    command = [environment("bento"), "-c", PROGRAM, str(tmp_path / "src"), str(tmp_path), *parts]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300)
    assert answer in (done.stdout if "entity_ruler" in parts else done.stderr), done.stderr
