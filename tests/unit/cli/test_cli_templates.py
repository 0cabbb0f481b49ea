"""`sluice templates`: copying a built-in template to change it, without the trap of an empty file."""

from __future__ import annotations

from generator.source.shipped import builtin_folder

POD = "kubernetes/_pod.yaml.j2"


def test_copy_writes_the_built_in_template_once(repository, sluice):
    copied = repository / "templates" / POD
    assert sluice("templates", "--copy", "kubernetes/_pod.yaml", "--root", repository).exit_code == 0
    assert copied.read_text() == (builtin_folder() / POD).read_text()
    copied.write_text("# mine\n")
    again = sluice("templates", "--copy", POD, "--root", repository)
    assert again.exit_code == 2
    assert "exists already" in again.stderr
    assert copied.read_text() == "# mine\n"


def test_show_into_the_file_that_it_reads_gives_the_built_in_template(repository, sluice):
    """The shell makes the file, empty, before the command starts."""
    empty = repository / "templates" / POD
    empty.parent.mkdir(parents=True)
    empty.write_text("")
    shown = sluice("templates", "--show", POD, "--root", repository)
    assert shown.stdout.strip() == (builtin_folder() / POD).read_text().strip()


def test_an_empty_or_broken_override_is_refused_and_nothing_is_written(repository, sluice):
    before = {path: path.read_bytes() for path in (repository / "rendered").rglob("*") if path.is_file()}
    empty = repository / "templates" / POD
    empty.parent.mkdir(parents=True)
    empty.write_text("\n")
    done = sluice("render", "--root", repository)
    assert done.exit_code == 2
    assert f"sluice templates --copy {POD}" in done.stderr
    # One that fails on the objects of a model, after the namespaces of the platform, which another one changes.
    empty.with_name("httproute.yaml.j2").write_text("kind: Nothing\n")
    empty.unlink()
    space = builtin_folder() / "platform/namespace.yaml.j2"
    (repository / "templates/platform").mkdir()
    (repository / "templates/platform/namespace.yaml.j2").write_text(space.read_text() + "# ours\n")
    done = sluice("render", "--root", repository)
    assert done.exit_code == 2
    assert "httproute.yaml.j2: the result is not a valid object" in done.stderr
    after = {path: path.read_bytes() for path in (repository / "rendered").rglob("*") if path.is_file()}
    assert after == before
