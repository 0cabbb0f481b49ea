"""The pages in a real browser: they fit, they are silent, they fetch nothing, and axe-core finds nothing to say."""

from __future__ import annotations

import os
import struct
import subprocess
import sys
from pathlib import Path

import pytest

from tests.browser.looking import Look, look
from tests.browser.pictures import FOLDER, PICTURES, WIDTH, site, take
from tests.browser.repositories import TODAY, examples, hostile

PAGES = (
    "index.html",
    "shop/recommender/index.html",
    "risk/fraud/index.html",
    "support/ticket-classifier/index.html",
)
HOSTILE_PAGES = ("index.html", "shop/recommender/index.html", "risk/fraud/index.html")
VIEWS = ((360, "light"), (360, "dark"), (1440, "light"), (1440, "dark"))


@pytest.fixture(scope="module")
def pages(tmp_path_factory):
    return site(examples(tmp_path_factory.mktemp("examples")), tmp_path_factory.mktemp("pages"))


@pytest.fixture(scope="module")
def hostile_pages(tmp_path_factory):
    return site(hostile(tmp_path_factory.mktemp("hostile")), tmp_path_factory.mktemp("hostile-pages"))


@pytest.fixture(scope="module")
def seen(pages, hostile_pages):
    looks = [Look(str(pages / page), width, scheme) for page in PAGES for width, scheme in VIEWS]
    looks += [Look(str(hostile_pages / page), 360, "dark") for page in HOSTILE_PAGES]
    looks += [Look(str(pages / page), 1440, axe=False, open=False, keys=True) for page in PAGES[:2]]
    return dict(zip(looks, look(looks), strict=True))


def test_no_page_overflows_complains_or_fetches(seen):
    for one, saw in seen.items():
        assert saw["scroll"] <= one.width, (one, saw["wide"])
        assert saw["wide"] == [], one
        assert saw["told"] == [], one
        assert saw["scripts"] == 0, one
        assert saw["requests"] == [Path(one.page).as_uri()], one


def test_axe_finds_nothing(seen):
    judged = {one: saw["violations"] for one, saw in seen.items() if one.axe}
    assert len(judged) == len(PAGES) * len(VIEWS) + len(HOSTILE_PAGES)
    assert {one: found for one, found in judged.items() if found} == {}


def test_axe_would_find_something(tmp_path):
    page = tmp_path / "bad.html"
    page.write_text(
        "<!doctype html><title>t</title><p style='color:#bbb;width:2000px'>pale and wide</p><img src=x>\n"
    )
    (saw,) = look([Look(str(page), 360)])
    assert {violation.partition(":")[0] for violation in saw["violations"]} >= {"color-contrast", "image-alt"}
    assert saw["scroll"] > 360
    assert saw["wide"]
    assert any("ERR_FILE_NOT_FOUND" in message for message in saw["told"])


def test_everything_is_reached_with_the_keyboard(seen):
    walks = {Path(one.page).parent.name: saw["reached"] for one, saw in seen.items() if one.keys}
    plan = walks["recommender"]
    assert plan[:2] == ["#main", "../../index.html"]
    assert {"#timeline", "#odds", "#values", "The same in words, and who can stop it"} <= set(plan)
    assert "Odds of each guard: a table that scrolls" in plan
    (index,) = (walk for name, walk in walks.items() if name != "recommender")
    assert {"shop/recommender/index.html", "risk/fraud/index.html", "#waivers"} <= set(index)


def test_headings_tell_what_is_asked_for(seen):
    saw = next(saw for one, saw in seen.items() if "recommender" in one.page)
    assert saw["headings"][0] == "H1 recommender"
    wanted = {
        "What changes", "Timeline", "Power and exposure, step by step", "Odds of each guard", "Gates and evidence",
        "What an abort does", "Who may do what", "Where each value comes from", "Not covered",
    }  # fmt: skip
    assert wanted <= {heading.removeprefix("H2 ") for heading in saw["headings"]}


def test_hostile_text_is_text(hostile_pages):
    text = (hostile_pages / "shop/recommender/index.html").read_text()
    assert text.count("&lt;script&gt;alert(1)&lt;/script&gt;") >= 3
    assert "<script" not in text
    assert "{{ 7 * 7 }}" in text
    index = (hostile_pages / "index.html").read_text()
    assert "<script" not in index
    assert "can’t be planned" in index


def size(picture: Path) -> tuple[int, int]:
    data = picture.read_bytes()
    assert data.startswith(b"\x89PNG\r\n\x1a\n")
    return struct.unpack(">II", data[16:24])


def test_the_pictures_of_the_documentation_are_those_of_these_pages(pages, tmp_path):
    """Pixels depend on fonts, so only sizes are compared; a picture of an empty page would be tiny."""
    take(pages, tmp_path)
    for name, (_, _, height) in PICTURES.items():
        assert size(tmp_path / name) == size(FOLDER / name) == (WIDTH, height)
        assert (tmp_path / name).stat().st_size > 30_000


def test_equal_input_gives_equal_bytes(tmp_path):
    root = examples(tmp_path / "repository")
    sluice = "from generator.cli.main import run; run()"
    command = [
        sys.executable,
        "-c",
        sluice,
        "plan",
        "shop/recommender",
        "--format",
        "html",
        "--root",
        str(root),
    ]
    made = set()
    for seed in ("1", "2"):
        variables = os.environ | {"PYTHONHASHSEED": seed, "SOURCE_DATE_EPOCH": TODAY, "TZ": f"Etc/GMT+{seed}"}
        made.add(subprocess.run(command, env=variables, check=True, capture_output=True).stdout)
    (page,) = made
    assert b"<h1>recommender</h1>" in page
