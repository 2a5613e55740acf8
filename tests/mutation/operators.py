"""Operators: every way in which one rule of a module is changed, as small replacements in its syntax tree.

Belongs here: what is changed, and what is left alone because it states no rule. Does not belong here: running tests.
"""

import ast
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

# Declarations: what is read, and from where, is shown by tests on a server, which are too slow to run per mutant.
DECLARATIONS = frozenset({"__all__", "TableSpec", "Source", "Derived", "Decide", "select", "func", "legacy", "target"})
# Said by the errors' own tests, or by the type checker.
UNTOUCHED = (ast.Import, ast.ImportFrom, ast.Raise, ast.Assert, ast.Global, ast.Nonlocal, ast.Pass)

COMPARISONS: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
}
OPERATORS: dict[type[ast.operator], type[ast.operator]] = {
    ast.BitAnd: ast.BitOr,
    ast.BitOr: ast.BitAnd,
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.FloorDiv,
}
OPPOSITES = dict(
    [
        *(("isna", "notna"), ("earliest", "latest"), ("min", "max"), ("any", "all"), ("where", "mask"), ("eq", "ne")),
        *(("notna", "isna"), ("latest", "earliest"), ("max", "min"), ("all", "any"), ("mask", "where"), ("ne", "eq")),
    ]
)
# The position of two arguments whose order is a rule.
ORDERED = {"first_of": (0, 1), "filled": (1, 3)}


@dataclass(frozen=True)
class Mutant:
    """One change: `apply` makes it in the tree that it was found in. `name` is the same in every run."""

    module: str
    scope: str
    line: int
    change: str
    apply: Callable[[], None]

    @property
    def name(self) -> str:
        return f"{self.module}: {self.label}"

    @property
    def label(self) -> str:
        """The name without its module."""
        return f"{self.scope}: {self.change}"

    @property
    def value_map(self) -> str | None:
        """The name of the value map that is changed, if it is one."""
        return self.change.split()[1] if self.change.startswith("word ") else None


def mutants(module: str, tree: ast.Module) -> list[Mutant]:
    """Every mutant of a module; equal names (the same change twice in one function) are numbered."""
    found, seen = [], dict[str, int]()
    for scope, line, change, apply in _in_body(tree.body, ""):
        seen[scope + change] = count = seen.get(scope + change, 0) + 1
        found.append(Mutant(module, scope or "module", line, change + (f" #{count}" if count > 1 else ""), apply))
    return found


Change = tuple[str, int, str, Callable[[], None]]


def _in_body(body: list[ast.stmt], scope: str) -> Iterator[Change]:
    for position, statement in enumerate(body):
        if isinstance(statement, UNTOUCHED) or _is_docstring(statement) or (not scope and _declares(statement)):
            continue
        if _is_effect(statement):
            yield scope, statement.lineno, f"drop {_text(statement)}", _putter(body, position, ast.Pass())
        yield from _in_node(statement, scope)


def _in_node(node: ast.AST, scope: str) -> Iterator[Change]:
    if isinstance(node, ast.ClassDef | ast.FunctionDef):
        yield from _in_body(node.body, f"{scope}.{node.name}".strip("."))
        return
    if isinstance(node, ast.Call) and _called(node) == "ValueMap":
        yield from ((scope, node.lineno, *change) for change in _words(node))
        return
    for old, put in _children(node):
        if isinstance(old, list):
            yield from _in_body(old, scope)
            continue
        for new in _replacements(old, node):
            yield scope, getattr(old, "lineno", 0), f"{_text(old)} -> {_text(new)}", _setter(put, new)
        yield from _in_node(old, scope)


def _children(node: ast.AST) -> Iterator[tuple[ast.AST | list[ast.stmt], Callable[[ast.AST], None]]]:
    """The parts of a node that can hold a rule, each with what puts another in its place; a body as a list."""
    for name, value in ast.iter_fields(node):
        if name in ("annotation", "returns", "decorator_list", "type_params", "args") and not isinstance(
            node, ast.Call
        ):
            continue
        if isinstance(value, ast.AST):
            yield value, lambda new, name=name: setattr(node, name, new)
        elif isinstance(value, list) and value and isinstance(value[0], ast.stmt):
            yield value, lambda new: None
        elif isinstance(value, list):
            for position, item in enumerate(value):
                if isinstance(item, ast.AST):
                    yield item, lambda new, value=value, position=position: value.__setitem__(position, new)


def _replacements(node: ast.AST, parent: ast.AST) -> Iterator[ast.AST]:
    """What may stand in the place of a node."""
    if isinstance(node, ast.Constant) and not _says_nothing_new(node, parent):
        yield from _constants(node)
    elif isinstance(node, ast.Call):
        yield from _calls(node)
    elif isinstance(node, ast.Dict | ast.Set | ast.List | ast.Tuple):
        yield from _shorter(node, parent)
    else:
        yield from _operators(node)
    if isinstance(parent, ast.If | ast.IfExp) and node is parent.test and not isinstance(node, ast.Compare):
        yield ast.UnaryOp(ast.Not(), node)


def _operators(node: ast.AST) -> Iterator[ast.AST]:
    if isinstance(node, ast.Compare) and type(node.ops[0]) in COMPARISONS:
        yield ast.Compare(node.left, [COMPARISONS[type(node.ops[0])](), *node.ops[1:]], node.comparators)
    elif isinstance(node, ast.BoolOp):
        yield ast.BoolOp(ast.Or() if isinstance(node.op, ast.And) else ast.And(), node.values)
    elif isinstance(node, ast.BinOp) and type(node.op) in OPERATORS:
        yield ast.BinOp(node.left, OPERATORS[type(node.op)](), node.right)
    elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not | ast.Invert):
        yield node.operand


def _constants(node: ast.Constant) -> Iterator[ast.AST]:
    if isinstance(node.value, bool):
        yield ast.Constant(not node.value)
    elif isinstance(node.value, str):
        yield ast.Constant(node.value + "~")
    elif isinstance(node.value, int | float):
        yield ast.Constant(node.value + 1)


def _calls(node: ast.Call) -> Iterator[ast.AST]:
    name, function = _called(node), node.func
    if name in OPPOSITES:
        other = OPPOSITES[name]
        renamed = (
            ast.Name(other, ast.Load())
            if isinstance(function, ast.Name)
            else ast.Attribute(function.value, other, ast.Load())
        )
        yield ast.Call(renamed, node.args, node.keywords)
    if name == "fillna" and isinstance(function, ast.Attribute) and not isinstance(node.args[0], ast.Constant):
        yield ast.Call(ast.Attribute(node.args[0], name, ast.Load()), [function.value], [])
    if name in ORDERED and len(node.args) > ORDERED[name][1]:
        args, (first, second) = list(node.args), ORDERED[name]
        args[first], args[second] = args[second], args[first]
        yield ast.Call(function, args, node.keywords)
    if name == "sort_values" and not any(keyword.arg == "ascending" for keyword in node.keywords):
        yield ast.Call(function, node.args, [*node.keywords, ast.keyword("ascending", ast.Constant(False))])
    if name == "sorted":
        yield ast.Call(function, node.args, [*node.keywords, ast.keyword("reverse", ast.Constant(True))])
    if name in ("drop_duplicates", "duplicated") and not any(keyword.arg == "keep" for keyword in node.keywords):
        yield ast.Call(function, node.args, [*node.keywords, ast.keyword("keep", ast.Constant("last"))])


def _shorter(node: ast.Dict | ast.Set | ast.List | ast.Tuple, parent: ast.AST) -> Iterator[ast.AST]:
    """The same collection without one of its entries. A tuple that is a record, not a collection, is left alone."""
    if isinstance(node, ast.Dict):
        for at in range(len(node.keys)):
            yield ast.Dict(_without(node.keys, at), _without(node.values, at))
    elif _is_collection(node, parent) and len(node.elts) > 1:
        for at in range(len(node.elts)):
            shorter = _without(node.elts, at)
            yield ast.Set(shorter) if isinstance(node, ast.Set) else type(node)(shorter, ast.Load())


def _words(call: ast.Call) -> Iterator[tuple[str, Callable[[], None]]]:
    """Each word of a value map under another label of it, and missing; each lossy word missing; other labels."""
    table = call.args[1]
    if not isinstance(table, ast.Dict):
        return
    labels = [*dict.fromkeys(ast.unparse(value) for value in table.values), "'another'"]
    for at, (key, value) in enumerate(zip(table.keys, table.values, strict=True)):
        other = next(label for label in labels if label != ast.unparse(value))
        word = f"word {ast.unparse(call.args[0])} {_text(key)}"
        yield f"{word}: {_text(value)} -> {other}", _putter(table.values, at, ast.parse(other, mode="eval").body)
        yield f"{word} dropped", _dropper(at, table.keys, table.values)
    for keyword in call.keywords:
        name = f"word {ast.unparse(call.args[0])} {keyword.arg}"
        if isinstance(keyword.value, ast.Call):  # frozenset({...})
            entries = keyword.value.args[0].elts
            yield from ((f"{name} {_text(entry)} dropped", _dropper(at, entries)) for at, entry in enumerate(entries))
        else:
            yield f"{name} dropped", lambda keyword=keyword: call.keywords.remove(keyword)


def _says_nothing_new(node: ast.Constant, parent: ast.AST) -> bool:
    """Whether dropping the constant's entry or statement says the same, a column is misspelt, or a guard or an index is off."""
    if isinstance(parent, ast.Subscript):
        return isinstance(node.value, str)
    if isinstance(parent, ast.BoolOp):
        return node.value == ""  # a key that no table has
    if isinstance(parent, ast.keyword):
        return parent.arg in ("strict", "drop", "ignore_index")
    if isinstance(parent, ast.Dict):
        return any(node is key for key in parent.keys)
    return isinstance(parent, ast.Set | ast.List) and len(parent.elts) > 1


def _is_collection(node: ast.Set | ast.List | ast.Tuple, parent: ast.AST) -> bool:
    if not isinstance(node, ast.Tuple):
        return isinstance(node, ast.Set) or isinstance(node.ctx, ast.Load)
    constants = all(isinstance(item, ast.Constant | ast.Tuple) for item in node.elts)
    return constants and not isinstance(parent, ast.Return | ast.Tuple | ast.List | ast.Dict | ast.Call)


def _is_effect(statement: ast.stmt) -> bool:
    if isinstance(statement, ast.Assign):
        return isinstance(statement.targets[0], ast.Subscript)
    return isinstance(statement, ast.AugAssign) or (
        isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Call)
    )


def _is_docstring(statement: ast.stmt) -> bool:
    return isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)


def _declares(statement: ast.stmt) -> bool:
    if isinstance(statement, ast.FunctionDef | ast.ClassDef):
        return False
    names = {_called(node) for node in ast.walk(statement) if isinstance(node, ast.Call)}
    names |= {node.id for node in ast.walk(statement) if isinstance(node, ast.Name)}
    return not names.isdisjoint(DECLARATIONS)


def _called(node: ast.Call) -> str:
    return getattr(node.func, "id", None) or getattr(node.func, "attr", "")


def _without(items: list[Any], at: int) -> list[Any]:
    return items[:at] + items[at + 1 :]


def _putter(items: list[ast.AST], at: int, new: ast.AST) -> Callable[[], None]:
    return lambda: items.__setitem__(at, new)


def _setter(put: Callable[[ast.AST], None], new: ast.AST) -> Callable[[], None]:
    return lambda: put(new)


def _dropper(at: int, *lists: list[ast.AST]) -> Callable[[], None]:
    return lambda: [items.pop(at) for items in lists] and None


def _text(node: ast.AST | None) -> str:
    try:
        text = ast.unparse(node) if node else "**"
    except AttributeError:
        text = type(node).__name__
    text = " ".join(text.split())
    return text if len(text) <= 160 else f"{text[:120]} … {text[-37:]}"
