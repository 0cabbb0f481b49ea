"""The list of a service's packages: what it may contain, when it fits, and what is rendered from it."""

from __future__ import annotations

from pathlib import Path

import pytest

from generator.plan.packages import PackageList, PackageListError, outdated, read_packages, write_packages
from generator.plan.repository import Repository
from generator.plan.resolve import no_digest, resolve
from generator.render.bento import render_bento
from generator.render.environment import Templates
from tests.system.repositories import PLATFORM, small

CHOSEN = "https://packages.example.com"
HASH = f"--hash=sha256:{'a' * 64}"
HEAD = "# All packages of the service, for Python 3.11 on Linux (x86_64), with the hashes of their files.\n"
NAMED = ("bentoml==1.4.39", "numpy==2.4.6", "scikit-learn==1.9.1")
FITS = HEAD + "".join(f"{line} \\\n    {HASH}\n" for line in (*NAMED, "idna==3.1"))
LIST = "specs/shop/ranker.requirements.txt"


def found(root: Path, text: str | None, platform: str = PLATFORM) -> tuple[list[str], PackageList | None]:
    """The codes of findings about a model with a list, and the list of its service if there is a plan."""
    repository = small(root, platform=platform)
    if text is not None:
        (root / LIST).write_text(text)
    loaded = Repository(repository)
    (entry,) = loaded.entries
    resolved = resolve(loaded, entry, no_digest)
    packages = resolved.plans[0].plan.bento.packages if resolved.plans else None
    return [finding.code for finding in resolved.findings], packages


def test_a_list_that_fits_is_the_service_s(tmp_path: Path) -> None:
    codes, packages = found(tmp_path, FITS)
    assert codes == []
    assert packages is not None
    assert packages.lines == tuple(f"{line} {HASH}" for line in (*NAMED, "idna==3.1"))
    assert found(tmp_path / "without", None) == ([], None)


@pytest.mark.parametrize(
    ("line", "why"),
    [
        (f"--index-url {CHOSEN}", "not a package"),
        (f"--extra-index-url={CHOSEN}", "not a package"),
        ("-r other.txt", "not a package"),
        ("-e .", "not a package"),
        ("./zz-evil.whl", "not a package"),
        ("zz-evil @ https://x/zz_evil-1.0-py3-none-any.whl", "not a package"),
        (f"zz-evil @ https://x/zz_evil-1.0-py3-none-any.whl {HASH}", "not a package"),
        ("https://x/zz_evil-1.0-py3-none-any.whl", "not a package"),
        (f"idna>=3 {HASH}", "not a package"),
        (f"idna==3.* {HASH}", "not a package"),
        ("idna==3.1", "has no `--hash"),
        ("idna==3.1 --hash=md5:aaaa", "has no `--hash"),
        (f"idna==3.1 {HASH} --no-binary", "has no `--hash"),
        (f"idna==3.1 {HASH}\\", "cut off"),
        (f"idna==3.1 \\\n# a comment {HASH}", "has no `--hash"),
        (f"idna==3.1;python_version>'3' {HASH}", "not a package"),
    ],
)
def test_a_list_contains_nothing_but_packages_with_hashes(tmp_path: Path, line: str, why: str) -> None:
    with pytest.raises(PackageListError, match=why):
        read_packages(f"{FITS}{line}\n")
    assert found(tmp_path, f"{FITS}{line}\n")[0] == ["LOCK211"]


@pytest.mark.parametrize("text", ["", "\n", FITS.removeprefix(HEAD), "# Python 3.11\n"])
def test_a_list_names_its_python(tmp_path: Path, text: str) -> None:
    assert found(tmp_path, text)[0] == ["LOCK211"]


@pytest.mark.parametrize(
    ("old", "new", "why"),
    [
        ("Python 3.11", "Python 3.13", "it is for Python 3.13, and the image has Python 3.11"),
        ("numpy==2.4.6", "numpy==2.4.5", "it has numpy 2.4.5, and the service names numpy==2.4.6"),
        (f"numpy==2.4.6 \\\n    {HASH}\n", "", "it does not have numpy, and the service names numpy==2.4.6"),
        (
            HEAD,
            f"{HEAD}# Built from source: idna.\n",
            "it builds idna from source, which the platform does not allow",
        ),
    ],
)
def test_a_list_for_another_service_is_refused(tmp_path: Path, old: str, new: str, why: str) -> None:
    text = FITS.replace(old, new, 1)
    assert outdated(read_packages(text), "3.11", NAMED, ()) == why
    assert found(tmp_path, text)[0] == ["LOCK212"]


def test_the_platform_allows_packages_from_source_by_name(tmp_path: Path) -> None:
    text = FITS.replace(HEAD, f"{HEAD}# Built from source: idna.\n")
    codes, packages = found(tmp_path, text, PLATFORM + "  images: {fromSource: [idna]}\n")
    assert codes == []
    assert packages is not None
    assert packages.requirements[:3] == ("--require-hashes", "--only-binary :all:", "--no-binary idna")


def test_other_spellings_of_a_name_are_the_same_package() -> None:
    listed = PackageList("3.11", (), (f"Scikit_Learn==1.9.1 {HASH}", f"bentoml[io]==1.4.39 {HASH}"))
    assert outdated(listed, "3.11", ["scikit-learn==1.9.1", "bentoml==1.4.39"], ()) == ""


def test_what_is_written_is_read_again() -> None:
    listed = PackageList(
        "3.13", ("docopt", "idna"), (f"docopt==0.6.2 {HASH}", f"idna==3.1 {HASH} {HASH[:-1]}b")
    )
    assert read_packages(write_packages(listed)) == listed


def test_a_link_in_the_place_of_a_list_is_refused(tmp_path: Path) -> None:
    repository = small(tmp_path)
    (tmp_path / "elsewhere.txt").write_text(FITS)
    (tmp_path / LIST).symlink_to(tmp_path / "elsewhere.txt")
    loaded = Repository(repository)
    packages, findings = loaded.packages(loaded.entries[0])
    assert packages is None
    assert [(each.code, each.message.partition(",")[0]) for each in findings] == [
        ("LOCK211", "a link leads to this file")
    ]


def test_a_service_is_rendered_with_the_whole_list(tmp_path: Path) -> None:
    repository = small(tmp_path)
    (tmp_path / LIST).write_text(FITS)
    loaded = Repository(repository)
    (entry,) = loaded.entries
    files = render_bento(resolve(loaded, entry, no_digest).plans[0].plan.bento, Templates())
    lines = files["requirements.txt"].splitlines()
    assert lines[:2] == ["--require-hashes", "--only-binary :all:"]
    assert lines[2:] == [f"{line} {HASH}" for line in (*NAMED, "idna==3.1")]
    assert "cp requirements.txt context/env/python/requirements.txt" in files["README.md"]


INDEXED = FITS.replace(HEAD, f"{HEAD}# From the index internal: idna.\n")


@pytest.mark.parametrize(
    ("text", "indexes", "why"),
    [
        (INDEXED, {"internal": ["idna", "more"]}, ""),
        (FITS, {"internal": ["more"]}, ""),
        (
            FITS,
            {"internal": ["idna"]},
            "it has idna from the usual index, and the service gets it from the index `internal`",
        ),
        (INDEXED, {}, "it has idna from the index `internal`, and the service gets it from the usual index"),
        (
            INDEXED,
            {"other": ["idna"]},
            "it has idna from the index `internal`, and the service gets it from the index `other`",
        ),
        (FITS.replace(HEAD, f"{HEAD}numpy==1.0 {HASH}\n# From the index internal: idna.\n"), {}, ""),
    ],
)
def test_a_list_says_which_index_a_package_is_from(
    text: str, indexes: dict[str, list[str]], why: str
) -> None:
    listed = read_packages(text.replace("numpy==1.0", "pytz==1.0"))
    assert outdated(listed, "3.11", NAMED, (), indexes) == why
    assert read_packages(write_packages(listed)) == listed


@pytest.mark.parametrize(
    ("named", "listed", "fits"),
    [
        ("2.15.0", "2.15.0+cpu", True),
        ("2.15.0+cpu", "2.15.0+cpu", True),
        ("2.15.0+cpu", "2.15.0", False),
        ("2.15.0+cpu", "2.15.0+cu128", False),
        ("2.15.0", "2.15.01+cpu", False),
    ],
)
def test_a_version_accepts_a_local_build_of_it(named: str, listed: str, fits: bool) -> None:
    found = PackageList("3.11", (), (f"torch=={listed} {HASH}",))
    assert (outdated(found, "3.11", [f"torch=={named}"], ()) == "") is fits


def test_the_readme_of_a_service_names_the_indexes_of_its_packages(tmp_path: Path) -> None:
    small(
        tmp_path,
        platform=PLATFORM + '  indexes: {internal: {url: "https://x.example.com", packages: [idna]}}\n',
    )
    spec = tmp_path / "specs/shop/ranker.yaml"
    spec.write_text(spec.read_text().rstrip("\n") + "\n  service: {indexes: [internal]}\n")
    (tmp_path / LIST).write_text(INDEXED)
    loaded = Repository(tmp_path)
    resolved = resolve(loaded, loaded.entries[0], no_digest)
    assert resolved.findings == []
    bento = resolved.plans[0].plan.bento
    assert bento is not None
    files = render_bento(bento, Templates())
    assert "- `internal`: idna\n" in files["README.md"]
    assert "x.example.com" not in "".join(files.values())
