"""Which images CI still has to build."""

from __future__ import annotations

from pathlib import Path

import pytest

from generator.pipeline.ci_files import MissingImage, missing_images
from generator.pipeline.session import Session
from generator.source.errors import CliError
from tests.system.repositories import DIGEST, LOCK, TODAY, resolve_one, small, write_tree

IMAGE_FILE = "rendered/bentos/shop/ranker/IMAGE"


def test_an_image_that_is_not_in_the_lock_is_missing(tmp_path: Path):
    root = small(tmp_path)  # one environment
    image = resolve_one(root).plans[0].plan.image.reference
    write_tree(root, {IMAGE_FILE: f"{image}\n"})
    assert missing_images(Session(root, TODAY)) == [
        MissingImage("shop/ranker", "shop.ranker", "mlflow:ranker/3", DIGEST, image, "3.11")
    ]


@pytest.mark.parametrize("content", [None, "registry.example.com/models/shop/ranker:3-0000deadbeef\n"])
def test_a_missing_or_old_bento_is_an_error(content: str | None, tmp_path: Path):
    root = small(tmp_path)
    write_tree(root, {IMAGE_FILE: content} if content else {})
    with pytest.raises(
        CliError, match="the bento of shop/ranker is missing or out of date; run `sluice render`"
    ):
        missing_images(Session(root, TODAY))


def test_an_image_in_the_lock_is_not_missing(tmp_path: Path):
    root = small(tmp_path)
    image = resolve_one(root).plans[0].plan.image.reference
    lock = LOCK + f'image: {{digest: "{DIGEST}", bento: "{image.rpartition("-")[2]}"}}\n'
    (root / "specs/shop/ranker.lock.yaml").write_text(lock)
    assert resolve_one(root).plans[0].plan.image.digest == DIGEST
    assert missing_images(Session(root, TODAY)) == []


def test_a_model_that_cannot_be_planned_is_left_to_validation(tmp_path: Path):
    root = small(tmp_path)
    (root / "specs/shop/ranker.yaml").write_text("spec: {}\n")
    assert missing_images(Session(root, TODAY)) == []
