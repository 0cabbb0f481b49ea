"""Templates of a repository are bounded: what loops, grows or recurses without an end is an error with its name."""

from __future__ import annotations

import pytest

from generator.render import budget
from generator.render.budget import STEPS, Budget, LimitError
from generator.render.environment import TemplateError, Templates
from tests.system.repositories import sluice, write_tree
from tests.unit.render.test_render_templates import NAME, OURS, repository

DOUBLED = "{% set ns = namespace(x=START) %}{% for i in range(70) %}{% set ns.x = STEP %}{% endfor %}USE"


def doubled(start: str, step: str, use: str = "") -> str:
    return DOUBLED.replace("START", start).replace("STEP", step).replace("USE", use)


BOMBS = {
    "nested loops": "{% for a in range(99999) %}{% for b in range(99999) %}{% endfor %}{% endfor %}",
    "nested loops that use loop": "{% for a in range(99999) %}{% for b in range(99999) %}{{ loop.index }}{% endfor %}{% endfor %}",
    "filtered loops": "{% for a in range(99999) %}{% for b in range(99999) if b < 0 %}{% endfor %}{% endfor %}",
    "a recursive loop": "{% for a in [1] recursive %}{% for i in range(99) %}{{ loop([1, 2]) }}{% endfor %}{{ loop(range(99)) }}{{ loop(range(99)) }}{% endfor %}",
    "loops over text": "{% set x = 'a' * 100000 %}{% for a in x %}{% for b in x %}{% endfor %}{% endfor %}",
    "text in loops": "{% for a in range(99999) %}" + "x" * 50_000 + "{% endfor %}",
    "text in a macro": "{% macro m() %}"
    + "x" * 90_000
    + "{% endmacro %}{% for a in range(99999) %}{{ m() }}{% endfor %}",
    "text in a block": "{% set y %}{% for a in range(99999) %}" + "x" * 9_000 + "{% endfor %}{% endset %}",
    "repeated text": "{{ 'a' * 10**10 }}",
    "repeated text, other way round": "{{ 10**10 * 'a' }}",
    "repeated list": "{{ [1] * 10**10 }}",
    "repeated tuple": "{{ (1, 2) * 10**9 }}",
    "doubled text": doubled("'ab'", "ns.x ~ ns.x"),
    "added text": doubled("'ab'", "ns.x + ns.x"),
    "joined text": doubled("'ab'", "[ns.x, ns.x]|join"),
    "formatted text": doubled("'ab'", "'%s%s'|format(ns.x, ns.x)"),
    "doubled list": doubled("[1]", "ns.x + ns.x"),
    "a list of itself twice": doubled("[1]", "[ns.x, ns.x]", "{{ ns.x }}"),
    "a tuple of itself twice": doubled("(1,)", "(ns.x, ns.x)", "{{ ns.x == ns.x }}"),
    "a mapping of itself twice": doubled("{'a': 1}", "{'a': ns.x, 'b': ns.x}", "{{ ns.x|length }}"),
    "dict()": doubled("dict(a=1)", "dict(a=ns.x, b=ns.x)", "{{ ns.x }}"),
    "a namespace in a namespace": doubled("1", "namespace(a=ns.x, b=ns.x)", "{{ ns.x }}"),
    "a namespace in itself": "{% set ns = namespace(x=1) %}{% set ns.x = [ns, ns] %}{{ ns.x }}",
    "batches of batches": doubled("[1]", "(ns.x + ns.x)|batch(1)|list"),
    "a number with too many digits": "{{ " + "1" * 20_000 + " }}",
    "power": "{{ 10 ** (10 ** 10) }}",
    "power of floats and numbers": "{{ (2 ** 4000) ** 4000 }}",
    "squares": "{% set ns = namespace(x=10) %}{% for i in range(99) %}{% set ns.x = ns.x * ns.x %}{% endfor %}",
    "range": "{{ range(10 ** 9)|list }}",
    "center": "{{ 'a'|center(10**9) }}",
    "center, the method": "{{ 'a'.center(10**9) }}",
    "ljust": "{{ 'a'.ljust(10**9) }}",
    "zfill": "{{ 'a'.zfill(10**9) }}",
    "expandtabs": "{{ '\t'.expandtabs(10**9) }}",
    "indent": "{{ 'a\nb'|indent(10**9) }}",
    "indent by text": "{{ ('a\n' * 9999)|indent('b' * 9999) }}",
    "replace": "{{ ('a' * 99999)|replace('', 'b' * 99999) }}",
    "replace, the method": "{{ ('a' * 99999).replace('a', 'b' * 99999) }}",
    "join": "{{ range(99999)|join('b' * 99999) }}",
    "join, the method": "{{ ('b' * 99999).join(['a'] * 99999) }}",
    "batch": "{{ [1]|batch(10**9, 'x')|list }}",
    "slice": "{{ [1]|slice(10**9)|list }}",
    "map": "{{ range(99999)|map('center', 9999)|list }}",
    "select": "{% set x = 'a' * 99999 %}{% for i in range(99999) %}{{ [x]|select('in', [x ~ 'b'])|list }}{% endfor %}",
    "format": "{{ '%999999999d'|format(1) }}",
    "format, a star": "{{ '%*d'|format(999999999, 1) }}",
    "format, the operator": "{{ '%999999999d' % 1 }}",
    "format, the method": "{{ '{:>999999999}'.format(1) }}",
    "tojson": "{{ [[1]]|tojson(indent=10**9) }}",
    "round": "{{ 5|round(-10**9, 'floor') }}",
    "int": "{{ ('9' * 999999)|int }}",
    "lines": "{{ labels|lines(10**9) }}",
    "items": "{{ [1, 2]|items(10**9) }}",
    "text": "{{ 'a\nb'|text(10**9) }}",
    "sum of lists": "{{ [[1], [2]]|sum(start=[]) }}",
    "truncate": "{{ ('a' * 10**7)|truncate(10**9) }}",
    "macro": "{% macro m(n) %}{{ m(n) }}{{ m(n) }}{% endmacro %}{{ m(1) }}",
    "a macro that ends late": "{% macro m(n) %}{% if n %}{{ m(n - 1) }}{{ m(n - 1) }}{% endif %}{% endmacro %}{{ m(60) }}",
    "call blocks": "{% macro m(n) %}{% if n %}{% call m(n - 1) %}{% endcall %}{% call m(n - 1) %}{% endcall %}{% endif %}{% endmacro %}{{ m(60) }}",
    "include": '{% include "kubernetes/serviceaccount.yaml.j2" %}',
    "includes": '{% for i in range(9) %}{% include "kubernetes/_a.yaml.j2" %}{% endfor %}',
    "extends": '{% extends "kubernetes/serviceaccount.yaml.j2" %}',
    "import": '{% import "kubernetes/serviceaccount.yaml.j2" as x %}',
    "blocks": "{% block b %}{{ self.b() }}{{ self.b() }}{% endblock %}",
    "comparisons": "{% set x = ['a' * 999] * 999 %}{% set y = ['a' * 999] * 999 %}{% for i in range(99999) %}{% if x == y ~ '' %}{% endif %}{% if x in [y, y, y] %}{% endif %}{% endfor %}",
    "nesting": "{{ " + "(" * 20_000 + "1" + ")" * 20_000 + " }}",
    "nested lists": "{{ " + "[" * 20_000 + "]" * 20_000 + " }}",
    "nested ifs": "{% if 1 %}" * 3_000 + "{% endif %}" * 3_000,
    "sort": "{% for i in range(99999) %}{{ (range(99999)|sort(reverse=true))|first }}{% endfor %}",
}


@pytest.mark.parametrize("bomb", BOMBS)
def test_a_template_without_an_end_is_an_error_with_its_name(bomb, tmp_path, monkeypatch):
    monkeypatch.setattr(budget, "STEPS", 300_000)  # the same limit, sooner
    write_tree(tmp_path, {f"templates/{NAME}": OURS + BOMBS[bomb] + "\n", **PARTS})
    templates = Templates(tmp_path / "templates")
    with pytest.raises(TemplateError, match=r"templates/kubernetes/\w+\.yaml\.j2: "):
        templates.render(NAME, CONTEXT)


PARTS = {
    "templates/kubernetes/_a.yaml.j2": '{% for i in range(9) %}{% include "kubernetes/_b.yaml.j2" %}{% endfor %}',
    "templates/kubernetes/_b.yaml.j2": '{% for i in range(9) %}{% include "kubernetes/_a.yaml.j2" %}{% endfor %}',
}
CONTEXT = {
    "plan": {"identity": {"model": "ranker", "namespace": "shop"}},
    "names": {},
    "labels": {"a": "b", "c": "d"},
}


def test_the_program_ends_with_exit_code_2_and_the_templates_name(tmp_path):
    ran = sluice(repository(tmp_path, OURS + BOMBS["nested loops"] + "\n"), "render")
    assert ran.code == 2, ran.text
    assert f"templates/{NAME}: the template takes too many steps" in ran.err


def test_many_templates_share_one_budget():
    """A template that stays within its own limit can't be repeated for each of 10,000 models."""
    shared = Budget()
    for _ in range(4):
        shared.start()
        shared.charge(STEPS // 4)
    shared.start()
    with pytest.raises(LimitError):
        shared.charge(STEPS // 4)


FINE = {
    "{{ 'a' * 20 }}": "a" * 20,
    "{{ ('b'|center(5))|length }}": "5",
    "{{ [3, 1, 2]|sort|join('-') }}": "1-2-3",
    "{{ '%s-%03d'|format('a', 7) }}": "a-007",
    "{{ 'a-b-c'.split('-')|map('upper')|join }}": "ABC",
    "{{ 'a b'.replace(' ', '_') }}": "a_b",
    "{% for i in range(3) %}{{ loop.index }}{{ ',' if not loop.last }}{% endfor %}": "1,2,3",
    "{% for k, v in labels.items() %}{{ k ~ v }}{% endfor %}": "abcd",
    "{% macro m(x) %}<{{ x }}>{% endmacro %}{{ m(1) }}{{ m('b') }}": "<1><b>",
    "{% set ns = namespace(n=0) %}{% for i in range(5) %}{% set ns.n = ns.n + i %}{% endfor %}{{ ns.n }}": "10",
    "{{ (plan.identity.model ~ '-x') if plan.identity.model == 'ranker' else 'y' }}": "ranker-x",
    "{{ [{'a': 2}, {'a': 1}]|sort(attribute='a')|map(attribute='a')|join }}": "12",
    "{% filter upper %}abc{% endfilter %}": "ABC",
    "{% set c = cycler('a', 'b') %}{{ c.next() }}{{ c.next() }}{{ c.next() }}": "aba",
    "{{ 2 ** 10 }} {{ 7 // 2 }} {{ 7 % 4 }}": "1024 3 3",
    "{{ nothing|default('x') }}{{ nothing is defined }}": "xFalse",
    "{% block b %}x{% endblock %}{{ self.b() }}": "xx",
}


@pytest.mark.parametrize("text", FINE)
def test_what_templates_usually_do_works(text, tmp_path):
    write_tree(tmp_path, {"templates/x.txt.j2": text})
    assert Templates(tmp_path / "templates").render("x.txt.j2", CONTEXT) == FINE[text] + "\n"
