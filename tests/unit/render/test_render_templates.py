"""Templates of a platform team: used one by one, in a sandbox, and mistakes in them are reported as theirs."""

from __future__ import annotations

import re

import pytest
from jinja2 import UndefinedError

from generator.render.environment import TemplateError, Templates
from generator.source.shipped import builtin_folder
from tests.system.repositories import read_tree, sluice, small, write_tree

NAME = "kubernetes/serviceaccount.yaml.j2"
OURS = (builtin_folder() / NAME).read_text()


def repository(tmp_path, *texts: str, name: str = NAME):
    small(tmp_path)
    for text in texts:
        write_tree(tmp_path, {f"templates/{name}": text})
    return tmp_path


def account(root) -> str:
    return (root / "rendered/live/shop/ranker/serviceaccount-main.yaml").read_text()


def test_an_override_is_used_and_the_others_stay(tmp_path):
    plain = sluice(repository(tmp_path / "a"), "render")
    changed = sluice(
        repository(tmp_path / "b", OURS + 'imagePullSecrets:\n  - name: {{ "007" }}\n'), "render"
    )
    assert (plain.code, changed.code) == (0, 0), changed.text
    ours, theirs = read_tree(tmp_path / "a/rendered"), read_tree(tmp_path / "b/rendered")
    bundle = "live/shop/ranker"
    assert 'name: "007"' in account(tmp_path / "b")
    differing = {
        name for name in ours | theirs if ours.get(name) != theirs.get(name) and not name.endswith(".sluice")
    }
    assert differing == {f"{bundle}/serviceaccount-main.yaml", f"{bundle}/rollout-main.yaml"}


def test_an_override_may_include_ours_and_ours_may_include_theirs(tmp_path):
    include = '{% include "kubernetes/_own.yaml.j2" %}\n'
    root = repository(tmp_path, OURS + include)
    write_tree(root, {"templates/kubernetes/_own.yaml.j2": "secrets:\n  - name: {{ plan.identity.model }}"})
    assert sluice(root, "render").code == 0
    assert account(root).endswith("secrets:\n  - name: ranker\n")


def test_a_template_that_is_not_there_is_told_by_name(tmp_path):
    ran = sluice(repository(tmp_path, OURS + '{% include "kubernetes/_onw.yaml.j2" %}\n'), "render")
    assert ran.code == 2
    assert (
        f"templates/{NAME}: no such template: kubernetes/_onw.yaml.j2; `sluice templates` lists them"
        in ran.err
    )


def test_a_changed_override_makes_everything_stale(tmp_path):
    root = repository(tmp_path)
    assert sluice(root, "render").code == 0
    assert sluice(root, "render", "--check").code == 0
    repository(
        root, OURS.replace("automountServiceAccountToken: false", "automountServiceAccountToken: true")
    )
    assert sluice(root, "render", "--check").code == 1
    assert sluice(root, "render").code == 0
    assert "automountServiceAccountToken: true" in account(root)


# What a sandbox must not let through. Each is an expression; anything that prints or writes is an escape.
ATTACKS = [
    "''.__class__",
    "plan.__class__",
    "plan['__class__']",
    "plan | attr('__class__')",
    "(plan | attr)('__class__')",
    "''.__class__.__mro__[1].__subclasses__()",
    "self.__init__.__globals__",
    "self._TemplateReference__context",
    "cycler.__init__.__globals__.os.popen('touch pwned').read()",
    "lipsum.__globals__['os'].popen('touch pwned').read()",
    "namespace.__init__.__globals__",
    "joiner.__init__.__globals__",
    "plan.__init__.__globals__",
    "plan.identity.__reduce__()",
    "names.gates.__func__.__globals__",
    "names.gates.__globals__['__builtins__']",
    "'{0.__class__}'.format(plan)",
    "'{0.__init__.__globals__}'.format(plan)",
    "'{a.__class__}'.format_map({'a': plan})",
    "('{0.__cl' ~ 'ass__}').format(plan)",
    "plan.bento.__post_init__.__globals__",
    "[].append.__self__.__class__",
    "(1).__class__",
    "range(10 ** 9) | list",
    "labels.update({'x': 'y'})",
    "plan.__setattr__('gate_key', 'x')",
    "loop.__class__",
    "request.__class__",
    "get_flashed_messages.__globals__",
    "dict.__base__",
    "dict.mro()",
    "plan.rollout.steps.__class__.__base__.__subclasses__()",
    "(names.gates | map('attr', '__globals__')) | list",
    "[plan] | map(attribute='__class__') | list",
    "[plan] | groupby('__class__')",
    "[plan] | sum(attribute='__class__')",
    "[plan] | sort(attribute='__class__.__name__')",
]


@pytest.mark.parametrize("attack", ATTACKS)
def test_the_sandbox_holds(attack, tmp_path):
    own = repository(tmp_path, f"{OURS}# {{{{ {attack} }}}}\n")
    found = refused_in_process(own)
    assert found is not None, account(own) if (own / "rendered").exists() else "rendered"
    assert not list(tmp_path.rglob("pwned"))
    assert not re.search("class '|<function|<module|subprocess", str(found))


def refused_in_process(root) -> BaseException | None:
    """What the sandbox answers; the program is asked below, once for each kind of mistake."""
    from tests.system.repositories import resolve_one

    (planned,) = resolve_one(root).plans
    templates = Templates(root / "templates")
    from generator.plan.names import Names, labels

    context = {"plan": planned.plan, "names": Names("ranker"), "labels": labels(planned.plan.identity)}
    try:
        templates.render(NAME, context)
    except TemplateError as error:
        return error
    return None


MISTAKES = {
    "undefined": ("a: {{ plan.nothing }}\n", "nothing"),
    "undefined name": ("a: {{ nothing }}\n", "nothing"),
    "undefined in a test": ("{% if nothing %}a: b{% endif %}\n", "nothing"),
    "undefined in a loop": ("{% for x in nothing %}a: b{% endfor %}\n", "nothing"),
    "undefined in a filter": ("a: {{ nothing | lines(2) }}\n", "nothing"),
    "syntax": ("a: {{ \n", "line"),
    "unknown filter": ("a: {{ plan | nothing }}\n", "nothing"),
    "unknown tag": ("{% nothing %}\n", "nothing"),
    "unknown include": ('{% include "nothing.yaml.j2" %}\n', "nothing.yaml.j2"),
    "no YAML": ("a: [\n", "YAML"),
    "no object": ("a: b\n", "apiVersion"),
    "a list": ("- a\n", NAME),
    "empty": ("", NAME),
    "two documents": (OURS + "---\n" + OURS, NAME),
    "an unknown field": (OURS + "nothing: 1\n", "nothing"),
    "a wrong type": (OURS.replace("false", '"false"'), "automountServiceAccountToken"),
    "no form in YAML": ("a: {{ plan }}\n", NAME),
    "division": ("a: {{ 1 / 0 }}\n", NAME),
    "recursion": ('{% include "kubernetes/serviceaccount.yaml.j2" %}\n', NAME),
    "class": ("a: {{ ''.__class__ }}\n", "__class__"),
    "subprocess": ("a: {{ cycler.__init__.__globals__.os.popen('id').read() }}\n", "__init__"),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_in_an_override_is_the_platforms_and_told_with_its_file(mistake, tmp_path):
    text, named = MISTAKES[mistake]
    ran = sluice(repository(tmp_path, text), "render")
    assert ran.code in {1, 2}, ran.text
    assert "Traceback" not in ran.text
    assert "mistake is its own" not in ran.text
    assert named in ran.text
    assert NAME.rpartition("/")[2] in ran.text


def test_a_template_that_is_no_text(tmp_path):
    root = repository(tmp_path)
    write_tree(root, {f"templates/{NAME}": b"\xff\xfe"})
    ran = sluice(root, "render")
    assert ran.code == 2
    assert "UTF-8" in ran.err


def test_a_folder_in_place_of_a_template(tmp_path):
    root = repository(tmp_path)
    (root / "templates" / NAME).mkdir(parents=True)
    assert sluice(root, "render").code == 0


def test_a_link_in_place_of_a_template(tmp_path):
    root = repository(tmp_path)
    (root / "templates/kubernetes").mkdir(parents=True)
    (root / "templates" / NAME).symlink_to("nothing")
    ran = sluice(root, "render")
    assert ran.code == 2
    assert NAME.rpartition("/")[2] in ran.err


def test_our_own_templates_are_not_sandboxed_against_us(tmp_path):
    assert Templates(tmp_path / "no templates here").files == Templates(None).files
    assert all(not file.own for file in Templates(None).files.values())


@pytest.mark.parametrize("name", sorted(Templates(None).files))
def test_every_template_ends_its_lines_and_has_no_trailing_blanks(name):
    text = Templates(None).text(name)
    assert text.endswith("\n")
    assert "\r" not in text
    assert "\t" not in text
    assert not re.search(r" +\n", text)


def test_who_is_blamed_is_who_takes_part(tmp_path):
    """A platform team with one overridden template is blamed for that one, not for a mistake elsewhere."""
    part = "kubernetes/_part.yaml.j2"
    root = repository(tmp_path, f'a: {{% include "{part}" %}}\n')
    write_tree(root, {f"templates/{part}": "{{ 1 / 0 }}", "templates/kubernetes/_other.yaml.j2": "x"})
    templates = Templates(root / "templates")
    with pytest.raises(TemplateError) as told:
        templates.render(NAME, {})
    assert str(told.value).startswith(f"{root / 'templates' / part}: ")
    assert [source.name for source in templates.suspects(NAME)] == [part, NAME]
    # This is a built-in template that includes none of theirs: a failure is our bug, and is reported as one.
    ours = "kubernetes/configmap.yaml.j2"
    assert templates.wrong(ours, "why") is None
    with pytest.raises(UndefinedError):
        templates.render(ours, {})


def test_a_computed_include_may_be_any_of_theirs(tmp_path):
    root = repository(tmp_path, "{% include which %}\n")
    write_tree(root, {"templates/kubernetes/_other.yaml.j2": "x"})
    names = [source.name for source in Templates(root / "templates").suspects(NAME)]
    assert names == ["kubernetes/_other.yaml.j2", NAME]


def test_a_folder_of_templates_that_is_a_link_out_of_the_repository_is_refused(tmp_path):
    outside = write_tree(tmp_path / "outside", {NAME: OURS})
    root = repository(tmp_path / "inside")
    (root / "templates").symlink_to(outside)
    ran = sluice(root, "render")
    assert ran.code == 2
    assert "leads out of the repository" in ran.err


def test_a_template_whose_name_is_not_utf8_is_counted(tmp_path):
    root = repository(tmp_path, OURS)
    (root / "templates/kubernetes/\udcff.yaml.j2").write_text("a: b\n")
    ran = sluice(root, "render")
    assert (ran.code, "\udcff" in ran.text) == (0, False), ran.text
