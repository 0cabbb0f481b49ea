"""CI judges what a change touches: errors that main has, too, about other models, are warnings."""

from __future__ import annotations

import pytest

from tests.unit.history.story import Story, digest

CHECKS = (("validate",), ("render", "--check"))
BROKEN = "shop/other"


@pytest.fixture
def broken(two: Story) -> Story:
    """A repository whose main has an error about another model: its version is in quarantine since yesterday."""
    two.write(9, "other")
    assert two.run("render").exit_code == 0
    entry = f'{{model: {BROKEN}, digest: "{digest(9)}", reason: it answered 500, since: 2026-11-20}}'
    platform = two.root / "specs/platform.yaml"
    platform.write_text(f"{platform.read_text()}  quarantine:\n    - {entry}\n")
    two.run("render")
    two.commit("Another model is rejected", "2026-11-20T10:00:00+00:00")
    two.git("checkout", "--quiet", "-b", "change")
    return two


def codes(broken: Story) -> list[int]:
    assert [broken.run(*check).exit_code for check in CHECKS] == [1, 1]  # main itself is red
    return [broken.run(*check, "--against", "main").exit_code for check in CHECKS]


def rewritten(broken: Story, file: str, old: str, new: str) -> None:
    path = broken.root / file
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


def test_another_models_error_does_not_stop_a_change(broken: Story) -> None:
    rewritten(broken, "specs/shop/ranker.yaml", "service: {", "service: {threads: 3, ")
    broken.run("render")
    assert codes(broken) == [0, 0]
    told = broken.run("validate", "--against", "main").output
    assert "WAIV705" in told
    assert "main has this error, too, and this change leaves it alone" in told


@pytest.mark.parametrize(
    "file",
    [
        "specs/shop/other.yaml",
        f"rendered/production/{BROKEN}/service-active.yaml",
        "specs/shop/other.lock.yaml",
    ],
)
def test_a_change_of_the_models_files_is_judged(broken: Story, file: str) -> None:
    path = broken.root / file
    path.write_text(f"{path.read_text()}# a change\n")
    assert codes(broken) == [1, 1]


def test_a_new_file_of_the_model_is_judged(broken: Story) -> None:
    (broken.root / f"rendered/production/{BROKEN}/more.yaml").write_text("a: 1\n")
    assert codes(broken) == [1, 1]


def test_an_error_that_the_change_causes_counts(broken: Story) -> None:
    """The entry is in the platform's file: the error about the ranker is new on this branch."""
    entry = f'{{model: shop/ranker, digest: "{digest(2)}", reason: worse, since: 2026-11-20}}'
    platform = broken.root / "specs/platform.yaml"
    platform.write_text(f"{platform.read_text()}    - {entry}\n")
    assert codes(broken) == [1, 1]


def test_without_such_a_revision_every_error_counts(broken: Story) -> None:
    done = broken.run("validate", "--against", "nowhere")
    assert done.exit_code == 1
    assert "every error counts, since nowhere can't be evaluated" in done.output


def test_only_checks_compare(broken: Story) -> None:
    assert "add --check" in broken.run("render", "--against", "main").output
    assert "remove --fix" in broken.run("validate", "--fix", "--against", "main").output
