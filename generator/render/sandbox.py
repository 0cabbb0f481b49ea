"""The sandbox of templates that a repository brings: they reach plain data, and they are bounded in time and size.

CI renders the templates of a pull request before anyone has read them. What Jinja's own sandbox forbids is a list; here
it is the other way round: an attribute, a filter or a call works only if it is named here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import BuiltinMethodType, MethodType
from typing import Any, Final

from jinja2 import Template, nodes
from jinja2.exceptions import SecurityError
from jinja2.filters import _GroupTuple
from jinja2.runtime import BlockReference, Context, LoopContext, Macro, TemplateReference, Undefined
from jinja2.sandbox import ImmutableSandboxedEnvironment, safe_range
from jinja2.utils import Cycler, Joiner, Namespace, missing, pass_context
from jinja2.visitor import NodeTransformer

from generator.render.bounded import STRING_METHODS, check_method, filters, operate, tests
from generator.render.budget import Budget
from generator.render.plain import SCALARS, Fields

_ROUNDS, _WEIGH = "_rounds", "_weigh"
_CALL: Final = 4  # steps
_A_STEP: Final = 16  # characters of a template that are written in one step
_GLOBALS: Final[Mapping[str, Any]] = {
    "cycler": Cycler,
    "dict": dict,
    "joiner": Joiner,
    "namespace": Namespace,
    "range": safe_range,
}
_ATTRIBUTES: Final[Mapping[type, frozenset[str]]] = {
    dict: frozenset({"get", "items", "keys", "values"}),
    list: frozenset({"count", "index"}),
    tuple: frozenset({"count", "index"}),
    _GroupTuple: frozenset({"grouper", "list"}),
    LoopContext: frozenset({
        "changed", "cycle", "depth", "depth0", "first", "index", "index0", "last", "length", "nextitem", "previtem",
        "revindex", "revindex0",
    }),
    Cycler: frozenset({"current", "next", "reset"}),
    BlockReference: frozenset({"super"}),
}  # fmt: skip
"""The attributes of each type that a template may read, next to those of text, records, namespaces and modules."""
_CALLABLE: Final = (Macro, BlockReference, LoopContext, Joiner)
_PRINTED: Final = (str, list, tuple, dict)
_SUBSCRIPTED: Final = (dict, list, tuple, str, range, TemplateReference)


class Sandbox(ImmutableSandboxedEnvironment):
    """An environment whose templates reach plain data only, within a budget.

    Args:
        budget: what the templates may use together.
        own: our filters by name.
        finalize: writes a value as a literal of the file's language.
        settings: further arguments of `jinja2.Environment`.
    """

    intercepted_binops = frozenset({"+", "-", "*", "/", "//", "**", "%"})

    def __init__(
        self,
        budget: Budget,
        own: Mapping[str, Callable[..., Any]],
        finalize: Callable[[Any], str],
        **settings: Any,
    ) -> None:
        def write(value: Any) -> str:
            if type(value) not in SCALARS and not isinstance(value, (*_PRINTED, Undefined)):
                raise TypeError(f"{type(value).__name__} can't be written")
            text = finalize(budget.weigh(value))
            budget.charge(_CALL + len(text) // _A_STEP)
            return text

        super().__init__(finalize=write, **settings)
        self.budget = budget
        self.globals = dict(_GLOBALS)
        self.filters.clear()
        self.filters.update(filters(own, budget), **{_ROUNDS: _rounds, _WEIGH: _weigh})
        self.tests.clear()
        self.tests.update(tests(budget))

    def _parse(self, source: str, name: str | None, filename: str | None) -> nodes.Template:
        tree = super()._parse(source, name, filename)
        _Bounded().visit(tree)
        tree.set_environment(self)
        return tree

    def _load_template(self, name: str, globals: Any) -> Template:  # noqa: A002 - the name of Jinja's argument
        self.budget.charge(_CALL)
        return super()._load_template(name, globals)

    def getattr(self, obj: Any, attribute: str) -> Any:
        """Return an attribute that a template may read, or an item of this name."""
        value = self._attribute(obj, attribute)
        return self._item(obj, attribute) if value is missing else value

    def getitem(self, obj: Any, argument: Any) -> Any:
        """Return an item, or an attribute of this name that a template may read."""
        value = self._found(obj, argument)
        if value is missing and isinstance(argument, str):
            value = self._attribute(obj, str(argument))
        return self._item(obj, argument) if value is missing else value

    def is_safe_attribute(self, obj: Any, attr: str, value: Any) -> bool:
        """Check whether a template may read an attribute."""
        del value
        return self._attribute(obj, attr) is not missing

    def is_safe_callable(self, obj: Any) -> bool:
        """Check whether a template may call an object: a macro, a block, a method of plain data, or a global."""
        if isinstance(obj, _CALLABLE) or any(obj is known for known in _GLOBALS.values()):
            return True
        owner = getattr(obj, "__self__", None) if isinstance(obj, (BuiltinMethodType, MethodType)) else None
        if isinstance(owner, str):
            return obj.__name__ in STRING_METHODS
        return owner is not None and obj.__name__ in _ATTRIBUTES.get(type(owner), ())

    def call(__self, __context: Context, __obj: Any, *args: Any, **kwargs: Any) -> Any:  # noqa: N805, PYI063 - as in Jinja
        """Call what a template may call, with arguments and a result within the budget.

        Raises:
            SecurityError: a template may not call it.
        """
        budget = __self.budget
        budget.charge(_CALL)
        if not __self.is_safe_callable(__obj):
            raise SecurityError(f"a {type(__obj).__name__} can't be called here")
        passed = (*args, *(value for name, value in kwargs.items() if not name.startswith("_")))
        for value in passed:
            if not (isinstance(__obj, Macro) and type(value) is Namespace):
                budget.weigh(value)
        owner = getattr(__obj, "__self__", None)
        if isinstance(owner, str):
            check_method(__obj.__name__, owner, args)
        if isinstance(__obj, LoopContext) and args:
            args = (budget.rounds(args[0], 1), *args[1:])
        return budget.settle(__context.call(__obj, *args, **kwargs))

    def call_binop(self, context: Context, operator: str, left: Any, right: Any) -> Any:
        """Return the result of an operator, within the budget."""
        del context
        return self.budget.weigh(operate(operator, self.budget.weigh(left), self.budget.weigh(right)))

    def _attribute(self, obj: Any, name: str) -> Any:
        kind = type(obj)
        if isinstance(obj, Undefined):
            return obj._fail_with_undefined_error()  # noqa: SLF001 - its own error
        if name.startswith("_"):
            return missing
        if kind is Fields:
            return obj.__dict__.get(name, missing)
        if kind is Namespace:
            return getattr(obj, name, missing)
        if kind.__name__ == "TemplateModule":
            return obj.__dict__.get(name, missing)
        allowed = STRING_METHODS if isinstance(obj, str) else _ATTRIBUTES.get(kind, frozenset())
        return getattr(obj, name) if name in allowed else missing

    def _found(self, obj: Any, key: Any) -> Any:
        """Return the item of a collection, of a text, or of `self`; `missing` without one."""
        if not isinstance(obj, _SUBSCRIPTED) or isinstance(key, (tuple, Undefined)):
            return missing
        try:
            return obj[key]
        except (TypeError, LookupError):
            return missing

    def _item(self, obj: Any, key: Any) -> Any:
        value = self._found(obj, key)
        if value is not missing:
            return value
        if isinstance(key, str) and hasattr(type(obj), key):
            return self.unsafe_undefined(obj, key)
        return self.undefined(obj=obj, name=key)


class _Bounded(NodeTransformer):
    """Adds what counts and weighs to a template: rounds of loops, and values that are made without a call."""

    def visit_For(self, node: nodes.For) -> nodes.Node:  # noqa: N802 - Jinja's name for a visitor
        self.generic_visit(node)
        written = sum(len(data.data) for data in node.find_all(nodes.TemplateData))
        node.iter = _filtered(node.iter, _ROUNDS, nodes.Const(1 + written // _A_STEP))
        return node

    def visit_List(self, node: nodes.List) -> nodes.Node:  # noqa: N802
        return self._made(node, node.items)

    def visit_Tuple(self, node: nodes.Tuple) -> nodes.Node:  # noqa: N802
        return self._made(node, node.items) if node.ctx == "load" else self.generic_visit(node)

    def visit_Dict(self, node: nodes.Dict) -> nodes.Node:  # noqa: N802
        return self._made(node, [part for pair in node.items for part in (pair.key, pair.value)])

    def visit_Concat(self, node: nodes.Concat) -> nodes.Node:  # noqa: N802
        self.generic_visit(node)
        node.nodes = [_weighed(part) for part in node.nodes]
        return _weighed(node)

    def visit_Compare(self, node: nodes.Compare) -> nodes.Node:  # noqa: N802
        self.generic_visit(node)
        sides = (node.expr, *(operand.expr for operand in node.ops))
        cheap = all(operand.op in {"eq", "ne"} for operand in node.ops)
        if cheap and any(isinstance(side, nodes.Const) for side in sides):
            return node  # one side is in the text of the template, so it is short
        node.expr = _weighed(node.expr)
        for operand in node.ops:
            operand.expr = _weighed(operand.expr)
        return node

    def _made(self, node: nodes.Expr, parts: list[nodes.Expr]) -> nodes.Node:
        constant = all(isinstance(part, nodes.Const) for part in parts)
        self.generic_visit(node)
        return node if constant else _weighed(node)


def _weighed(node: nodes.Expr) -> nodes.Expr:
    return node if isinstance(node, nodes.Const) else _filtered(node, _WEIGH)


def _filtered(node: nodes.Node, name: str, *args: nodes.Expr) -> nodes.Filter:
    return nodes.Filter(node, name, list(args), [], None, None, lineno=node.lineno)


@pass_context
def _rounds(context: Context, items: Any, steps: int) -> Any:
    budget: Budget = context.environment.budget  # type: ignore[attr-defined]
    return budget.rounds(items, steps)


@pass_context
def _weigh(context: Context, value: Any) -> Any:
    budget: Budget = context.environment.budget  # type: ignore[attr-defined]
    return budget.weigh(value)
