"""What a template can reach: plain data, and the few objects of the engine that lead nowhere else."""

from __future__ import annotations

import io
import subprocess
from collections.abc import Iterator
from contextlib import redirect_stdout
from types import BuiltinMethodType, MethodType

import pytest
from jinja2 import Undefined
from jinja2.runtime import BlockReference, LoopContext, Macro, TemplateReference
from jinja2.utils import Cycler, Joiner, Namespace

from generator.cli.main import cli
from generator.render import plain
from generator.render.environment import TemplateError, Templates, builtin_folder, template_names
from generator.render.plain import SCALARS, Fields
from generator.render.sandbox import _GLOBALS, Sandbox
from tests.system.repositories import examples, write_tree


def committed(root):
    """The examples, in a repository with one commit, which the pages of plans compare with."""
    for arguments in (
        ("init", "-q"),
        ("add", "-A"),
        ("-c", "user.name=a", "-c", "user.email=a@b", "commit", "-qm", "x"),
    ):
        subprocess.run(["git", *arguments], cwd=root, check=True)
    return root


COLLECTIONS = (list, tuple, dict)


@pytest.fixture(scope="module")
def contexts(tmp_path_factory) -> dict[str, list[dict[str, object]]]:
    """The context of every template that the commands render, by the template's name."""
    root = tmp_path_factory.mktemp("contexts")
    found: dict[str, list[dict[str, object]]] = {}
    original = Templates.render

    def render(self, name, context):
        found.setdefault(name, []).append(plain.plain_context(context))
        return original(self, name, context)

    commands = (
        ("render",),
        ("plan", "--all", "--format", "html", "--output", str(root / "pages")),
        ("plan", "risk/fraud", "--env", "production", "--format", "html"),
        ("alerts",),
        ("spinnaker", "shop/recommender", "--env", "production", "--output", str(root / "spinnaker")),
        ("ci", "github"),
        ("ci", "gitlab"),
        ("ci", "images", "--format", "gitlab"),
        ("new", "shop/other", "--yes", "--example-lock"),
        ("init", str(root / "new")),
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Templates, "render", render)
        patch.chdir(committed(examples(root / "repository")))
        for command in commands:
            with redirect_stdout(io.StringIO()), pytest.raises(SystemExit):
                cli.main(list(command))
    return found


def test_a_context_holds_plain_data_and_nothing_else(contexts):
    for name, several in contexts.items():
        for context in several:
            for path, value in leaves(context, name):
                assert type(value) in SCALARS, f"{path} is a {type(value)}"


def test_every_template_that_is_rendered_by_name_is_walked(contexts):
    """Parts that start with `_` are included by others, with their context."""
    ours = template_names(builtin_folder())
    parts = {name for name in ours if name.rpartition("/")[2].startswith("_")}
    others = set(ours) - parts - contexts.keys()
    assert others == OTHERS, others ^ OTHERS


# Other frameworks and routers, destinations of models, records and pages about releases. Their contexts are those of the examples, and every rendering checks its context.
OTHERS = {
    "bento/frameworks/bento.py.j2",
    "bento/frameworks/catboost.py.j2",
    "bento/frameworks/custom.py.j2",
    "bento/frameworks/keras.py.j2",
    "bento/frameworks/lightgbm.py.j2",
    "bento/frameworks/mlflow.py.j2",
    "bento/frameworks/onnx.py.j2",
    "bento/frameworks/pytorch.py.j2",
    "bento/frameworks/skops.py.j2",
    "bento/frameworks/spacy.py.j2",
    "bento/frameworks/statsmodels.py.j2",
    "bento/frameworks/transformers.py.j2",
    "bento/kinds.py.j2",
    "bento/own/README.md.j2",
    "bento/own/messages.py.j2",
    "kubernetes/ingress-alb.yaml.j2",
    "kubernetes/ingress-nginx.yaml.j2",
    "kubernetes/ingress.yaml.j2",
    "kubernetes/ingressroute.yaml.j2",
    "kubernetes/rollout-canary-alb.yaml.j2",
    "kubernetes/rollout-canary-istio.yaml.j2",
    "kubernetes/rollout-canary-nginx.yaml.j2",
    "kubernetes/rollout-canary-traefik.yaml.j2",
    "kubernetes/rollout-canary.yaml.j2",
    "kubernetes/scaledobject.yaml.j2",
    "kubernetes/traefikservice-mirror.yaml.j2",
    "kubernetes/traefikservice.yaml.j2",
    "kubernetes/virtualservice.yaml.j2",
    "new/custom.py.j2",
    "new/imported-lock.yaml.j2",
    "new/imported-platform.yaml.j2",
    "new/imported-spec.yaml.j2",
    "new/test_custom.py.j2",
    "notifications/application.yaml.j2",
    "notifications/configmap.yaml.j2",
    "notifications/rollout.yaml.j2",
    "pages/postmortem.html.j2",
    "pages/track-record.html.j2",
    "platform/networkpolicy-egress.yaml.j2",
    "platform/networkpolicy-mesh.yaml.j2",
    "platform/role-record.yaml.j2",
    "platform/rolebinding-record.yaml.j2",
    "platform/serviceaccount-record.yaml.j2",
}


def leaves(value: object, path: str) -> Iterator[tuple[str, object]]:
    """Every value that is reached by attributes and items."""
    if type(value) is dict:
        for key, item in value.items():
            yield f"{path}[key]", key
            yield from leaves(item, f"{path}.{key}")
    elif type(value) in {list, tuple}:
        for index, item in enumerate(value):
            yield from leaves(item, f"{path}[{index}]")
    elif type(value) is Fields:
        yield from leaves(value.__dict__, path)
    else:
        yield path, value


def test_records_can_not_be_changed_and_have_no_methods():
    record = plain.plain(Fields({"a": 1}))
    with pytest.raises(AttributeError):
        record.a = 2
    assert [name for name in dir(record) if not name.startswith("__")] == ["a"]


@pytest.mark.parametrize("value", [print, object(), Templates(None), {"a": {1, 2}}, [len], b"x", pytest])
def test_what_is_not_plain_data_is_a_bug_of_ours(value):
    with pytest.raises(TypeError):
        plain.plain_context({"x": value})


# The engine's own objects, each passed to the filter `grab`.
ENGINE = """\
{% import "part.txt.j2" as part %}
{% macro m(x) %}{{ caller|grab }}{% endmacro %}
{% call m(1) %}{% endcall %}
{% block b %}{{ super|grab }}{% endblock %}
{% for a in [1, 2] recursive %}{{ loop|grab }}{% endfor %}
{% for a in plan.steps %}{{ loop|grab }}{% endfor %}
{{ part|grab }}{{ part.shown|grab }}{{ m|grab }}{{ self|grab }}{{ self.b|grab }}
{{ cycler|grab }}{{ cycler(1)|grab }}{{ joiner|grab }}{{ joiner(1)|grab }}
{{ namespace|grab }}{{ namespace(a=plan)|grab }}{{ range|grab }}{{ range(3)|grab }}{{ dict|grab }}{{ dict(a=1)|grab }}
{{ {"a": 1}.items()|grab }}{{ ([1]|map("string"))|grab }}{{ ([1]|batch(2))|grab }}{{ ([plan]|groupby("name"))|grab }}
{{ plan|grab }}{{ plan.name|grab }}{{ plan.steps|grab }}{{ plan.labels|grab }}{{ (1)|grab }}{{ (1.5)|grab }}{{ none|grab }}
{{ nothing|grab }}{{ plan.nothing|grab }}{{ ("<b>"|safe)|grab }}{{ ("a"|e)|grab }}{{ plan.name.split|grab }}
"""


def test_nothing_else_is_reachable_through_attributes_items_and_calls(tmp_path):
    write_tree(tmp_path, {
        "templates/x.txt.j2": '{% extends "base.txt.j2" %}' + ENGINE,
        "templates/base.txt.j2": ENGINE.replace("{{ super|grab }}", ""),
        "templates/part.txt.j2": "{% macro shown(x) %}{{ x }}{% endmacro %}{% set value = [1] %}",
    })  # fmt: skip
    templates = Templates(tmp_path / "templates")
    environment = templates._environment(".txt.j2")
    assert isinstance(environment, Sandbox)
    grabbed: list[object] = []
    environment.filters["grab"] = lambda value: grabbed.append(value) or ""
    context = {"plan": Fields({"name": "a", "steps": [{"weight": 1}], "labels": {"a": "b"}, "key": ("a", 1)})}
    templates.render("x.txt.j2", context)
    started = {type(value) for value in grabbed}
    assert {Macro, LoopContext, TemplateReference, BlockReference, Cycler, Joiner, Namespace} <= started
    reached = reach(environment, templates.get_template("x.txt.j2").new_context(context), grabbed)
    wrong = {kind for kind in reached if kind not in ALLOWED}
    assert not wrong


# A type appears here only if all that leads on from it has been walked.
ALLOWED = {
    *SCALARS, *COLLECTIONS, Fields, range, Macro, LoopContext, TemplateReference, BlockReference, Cycler, Joiner, Namespace,
    type({}.items()), type({}.keys()), type({}.values()), BuiltinMethodType, MethodType, type,
}  # fmt: skip
NAMES = (
    "__class__",
    "__dict__",
    "__globals__",
    "__self__",
    "__func__",
    "mro",
    "environment",
    "_context",
    "gi_frame",
    "f_back",
)


def reach(environment: Sandbox, context, start: list[object]) -> set[type]:
    """The types of all objects that a template gets from some objects: attributes, items, results of calls."""
    kinds: set[type] = set()
    seen: set[int] = set()
    left, kept = list(start), list(start)
    while left:
        value = left.pop()
        kind = type(value)
        if isinstance(value, Undefined) or id(value) in seen:
            continue
        seen.add(id(value))
        kinds.add({"Markup": str, "TemplateModule": Fields, "_GroupTuple": tuple}.get(kind.__name__, kind))
        if value in (safe for safe in _GLOBALS.values()):
            kinds.discard(kind)
        found = [*results(environment, context, value)]
        for name in (*object.__dir__(value), *NAMES, 0):
            found.append(environment.getitem(value, name))
            if isinstance(name, str):
                found.append(environment.getattr(value, name))
        if isinstance(value, COLLECTIONS):
            found += [*value, *(value.values() if isinstance(value, dict) else ())]
        found = [part for part in found if not isinstance(part, (str, int, float, type(None)))]
        kept += found  # so that no identity is used twice
        if len(seen) < 3000:
            left += found
    return kinds


def results(environment: Sandbox, context, value: object) -> Iterator[object]:
    if not callable(value):
        return
    for arguments in ((), ("a",), (1,), ([1],), ("a", "b")):
        try:
            yield environment.call(context, value, *arguments)
        except Exception:  # noqa: BLE001 - a call that fails leads nowhere
            continue


ESCAPES = [
    "images.templates.overrides.parent.joinpath('PWNED').write_text('x')",
    "images.templates.files",
    "images.reference('scipy')",
    "plan.bento.examples",
    "plan.routing.router",
    "plan.rollout.model_dump()",
    "plan.rollout.model_fields",
    "plan.identity.path.__class__",
    "self._TemplateReference__context.environment.loader",
    "self.__class__",
    "loop.__class__",
    "cycler.next.__func__",
    "joiner('a').__init__",
    "namespace(a=1).__class__",
    "range.mro()",
    "dict.fromkeys",
    "dict().__class__.__base__",
    "'a'.format",
    "'{0.__class__}'|format(1)",
    "'a'.encode('utf-8')",
    "'a'.join.__self__.__class__",
    "[1].append(2)",
    "labels.pop('a')",
    "labels|attr('pop')",
    "plan|attr('__dict__')",
    "[plan]|map(attribute='__dict__')|list",
    "plan|map('attr', '__init__')|list",
    "(1).to_bytes(9)",
    "lipsum()",
    "['a']|random",
    "labels|pprint",
    "'a'|urlize",
]


@pytest.mark.parametrize("escape", ESCAPES)
def test_no_escape_is_more_than_an_error(escape, tmp_path):
    name = "kubernetes/serviceaccount.yaml.j2"
    write_tree(tmp_path, {f"templates/{name}": f"a: {{{{ {escape} }}}}\n"})
    context = {
        "plan": {"identity": {"path": "a"}, "rollout": {}, "routing": {}, "bento": {}},
        "labels": {"a": "b"},
        "images": {},
    }
    with pytest.raises(TemplateError):
        Templates(tmp_path / "templates").render(name, context)
    assert [path.name for path in tmp_path.rglob("*") if path.is_file()] == ["serviceaccount.yaml.j2"]
