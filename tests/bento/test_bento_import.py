"""Only the pinned artifact reaches the model store."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from generator.plan.bento import Bento
from tests.bento.bentos import BENTOS
from tests.bento.serving import GetBuilt, checked, run, tree_sha256, write

pytestmark = pytest.mark.slow


@pytest.fixture
def artifact(tmp_path: Path) -> Path:
    folder = tmp_path / "artifact"
    (folder / "sub").mkdir(parents=True)
    (folder / "sub" / "base.txt").write_text("40")
    (folder / "sub-1.py").write_text("class Rules: ...")
    (folder / "ümlaut name").write_bytes(b"\0\1")
    return folder


def imported(
    python: Path, tmp_path: Path, bento: Bento, artifact: Path, source: str = "1"
) -> tuple[int, str]:
    """Exit code and complaint of the rendered import."""
    folder = tmp_path / source
    write(bento, folder)
    done = run(python, tmp_path / "home", "import_model.py", str(artifact), cwd=folder)
    assert "Traceback" not in done.stderr
    return done.returncode, done.stderr


def stored(python: Path, tmp_path: Path) -> str:
    return checked(run(python, tmp_path / "home", "-m", "bentoml", "models", "list", "-o", "json"))


def test_the_pinned_folder_is_stored_once(python: Path, tmp_path: Path, artifact: Path) -> None:
    bento = replace(BENTOS["rules"], digest=tree_sha256(artifact))
    assert imported(python, tmp_path, bento, artifact) == (0, "")
    assert '"rules:1"' in stored(python, tmp_path)
    code, complaint = imported(python, tmp_path, bento, artifact, "2")
    assert code == 1
    assert complaint.startswith("refused: ")


@pytest.mark.parametrize("change", ["content", "name", "extra", "link"])
def test_a_changed_folder_is_refused(python: Path, tmp_path: Path, artifact: Path, change: str) -> None:
    bento = replace(BENTOS["rules"], digest=tree_sha256(artifact))
    changes: dict[str, Callable[[], object]] = {
        "content": lambda: (artifact / "sub" / "base.txt").write_text("41"),
        "name": lambda: (artifact / "sub-1.py").rename(artifact / "sub-2.py"),
        "extra": lambda: (artifact / "sitecustomize.py").write_text(""),
        "link": lambda: (artifact / "link").symlink_to("sub"),
    }
    changes[change]()
    code, complaint = imported(python, tmp_path, bento, artifact)
    assert code == 1
    assert complaint.startswith("refused: ")
    assert '"rules:1"' not in stored(python, tmp_path)


def test_an_export_under_another_tag_is_refused(built: GetBuilt, tmp_path: Path) -> None:
    ticket = built("ticket")
    artifact = ticket.folder / "trained" / "artifact.bentomodel"
    bento = replace(ticket.bento, tag="ticket_classifier:8", digest=tree_sha256(artifact))
    code, complaint = imported(ticket.python, tmp_path, bento, artifact)
    assert (code, "ticket_classifier:7" in complaint) == (1, True)
    assert "ticket_classifier" not in stored(ticket.python, tmp_path)
