"""The normal form of code: a hash over what a function computes, with all that it uses of its own package.

It is made from the syntax tree, so that it is the same under every version of Python. Comments, docstrings, annotations,
import lines and line numbers are no part of it, nor are the names and modules of the functions and constants that it
uses: each of these counts by its own normal form. What comes from outside the package counts by its name, and a
constant of the engine by its value. Belongs here:
the form of functions. Does not belong here: the declaration that names them (see code_fingerprint).
"""

import ast
import hashlib
import inspect
import sys
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from functools import cache, cached_property
from importlib.util import resolve_name
from types import ModuleType
from typing import Any

from sqlalchemy import Table

#: Packages of this program whose modules may move: of what comes from them the module does not count.
_OURS = ("remoteiq_etl", "schemas")
#: Types of constants of the engine that count by value.
_PLAIN = frozenset({str, bytes, int, float, bool})
#: Parts of a syntax tree that say nothing about what is computed.
_UNSEEN = frozenset({"annotation", "returns", "type_params", "type_comment", "kind", "ctx", "simple"})

#: Where a statement has the name that it defines.
_NAME_FIELD: dict[type[ast.stmt], str] = {
    ast.FunctionDef: "name",
    ast.AsyncFunctionDef: "name",
    ast.ClassDef: "name",
    ast.Assign: "targets",
    ast.AnnAssign: "targets",
    ast.AugAssign: "target",
}
_NAMED = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef


@dataclass(frozen=True)
class Module:
    """The statements of one module by the names that they define, and what its imports bring."""

    name: str

    @cached_property
    def tree(self) -> ast.Module:
        """Its syntax tree; that of a folder without a file of its own is empty."""
        module = sys.modules[self.name]
        return ast.parse(inspect.getsource(module) if getattr(module, "__file__", None) else "")

    @cached_property
    def made(self) -> dict[str, list[ast.stmt]]:
        """The statements that define each name. One that defines nothing may change anything: it belongs to all of them."""
        found: dict[str, list[ast.stmt]] = {name: [] for one in self._statements for name in sorted(_defined(one))}
        for statement in self._statements:
            for name in _defined(statement) or found:
                found[name].append(statement)
        return found

    @cached_property
    def imported(self) -> dict[str, tuple[str, ...]]:
        """Where each imported name comes from: module, and name in it unless it is the module itself."""
        package = str(sys.modules[self.name].__package__)
        return dict(pair for one in self.tree.body for pair in _imports(one, package))

    @property
    def _statements(self) -> list[ast.stmt]:
        return [one for one in self.tree.body if not isinstance(one, ast.Import | ast.ImportFrom) and not _is_text(one)]

    def at_line(self, line: int) -> str | None:
        """The name whose definition holds this line."""
        for name, statements in self.made.items():
            if any(_first_line(one) <= line <= (one.end_lineno or 0) for one in statements if name in _defined(one)):
                return name
        return None


@cache
def module_of(name: str) -> Module:
    """A module by its name: its text is read once."""
    return Module(name)


@cache
def function_hash(function: Callable[..., Any]) -> str:
    """The hash of one function, with all that it uses. Raises TypeError for what has no text of its own."""
    plain = inspect.unwrap(function)
    if not inspect.isfunction(plain):
        raise TypeError(f"expected a function, found {type(plain).__name__}: what it computes cannot be told")
    module = module_of(plain.__module__)
    name = module.at_line(plain.__code__.co_firstlineno)
    if name is None:
        raise TypeError(f"{plain.__module__}.{plain.__qualname__} is in no definition of its module")
    return _Hashes(plain.__module__.partition(".")[0]).of(module, name)


@dataclass
class _Hashes:
    """The hashes of what one function uses of its package; one that was made is not made again."""

    package: str
    made: dict[tuple[Module, str], str] = field(default_factory=dict)
    open: list[tuple[Module, str]] = field(default_factory=list)

    def of(self, module: Module, name: str) -> str:
        """The hash of a definition. One that is just being made (a recursion) counts by how far above it is."""
        definition = (module, name)
        if definition in self.open:
            return f"above {len(self.open) - self.open.index(definition)}"
        if definition not in self.made:
            self.open.append(definition)
            text = "\n".join(_Writer(self, module, one).definition(name) for one in module.made[name])
            self.open.pop()
            self.made[definition] = hashlib.sha256(text.encode()).hexdigest()
        return self.made[definition]

    def meaning(self, module: Module, path: list[str]) -> tuple[str, list[str]] | None:
        """What a dotted name stands for in a module, and what is left of it; None for a name that the module does not have."""
        first, *rest = path
        if first in module.made:
            return self.of(module, first), rest
        if first in module.imported:
            return self._imported(module.imported[first], rest)
        below = f"{module.name}.{first}"
        return self._in_module(below, rest) if below in sys.modules else None

    def _imported(self, origin: tuple[str, ...], rest: list[str]) -> tuple[str, list[str]] | None:
        source, *names = origin
        top = source.partition(".")[0]
        if top == self.package:
            return self._in_module(source, [*names, *rest])
        return _of_engine(source, [*names, *rest]) if top in _OURS else (".".join(origin), rest)

    def _in_module(self, name: str, path: list[str]) -> tuple[str, list[str]] | None:
        """What a dotted name stands for in a module of the package; a module itself stands for all that it defines."""
        module = module_of(name)
        if path:
            return self.meaning(module, path)
        whole = [f"{own} {self.of(module, own)}" for own in sorted(module.made)]
        return hashlib.sha256("\n".join(whole).encode()).hexdigest(), []


@dataclass
class _Writer:
    """Writes one statement of a module as text."""

    hashes: _Hashes
    module: Module
    statement: ast.stmt

    @cached_property
    def bound(self) -> set[str]:
        """The names that may be variables of its own."""
        return {name for part in ast.iter_child_nodes(self.statement) for name in _bound(part)}

    def definition(self, name: str) -> str:
        """The statement as the definition of a name, which counts only where it defines several."""
        several = len(_defined(self.statement)) > 1
        hidden = None if several else _NAME_FIELD.get(type(self.statement))
        return f"{name if several else ''} {self._node(self.statement, hidden)}"

    def _node(self, part: ast.AST, hidden: str | None = None) -> str:
        fields = [
            f"{name}={self._value(value)}"
            for name, value in ast.iter_fields(_plain(part))
            if name not in _UNSEEN and name != hidden and value is not None and value != []
        ]
        return f"{type(_plain(part)).__name__}({','.join(fields)})"

    def _value(self, part: object) -> str:
        if isinstance(part, list):
            return f"[{','.join(self._value(one) for one in part if not _is_text(one))}]"
        if isinstance(part, ast.Constant):
            return f"{type(part.value).__name__} {part.value!r}"
        if isinstance(part, ast.expr) and (path := _path(part)):
            return self._reference(path)
        return self._node(part) if isinstance(part, ast.AST) else repr(part)

    def _reference(self, path: list[str]) -> str:
        """A dotted name: by what it stands for; by its name, too, where the statement may mean a variable of its own."""
        found = self.hashes.meaning(self.module, path)
        if found is None:
            return ".".join(path)
        what, rest = found
        return ".".join([*([path[0]] if path[0] in self.bound else []), what, *rest])


def _plain(part: ast.AST) -> ast.AST:
    """An annotated assignment as one without; a formatted text without the empty pieces that Python 3.12 adds."""
    if isinstance(part, ast.AnnAssign) and part.value is not None:
        return ast.Assign([part.target], part.value)
    if isinstance(part, ast.JoinedStr):
        return ast.JoinedStr([one for one in part.values if not (isinstance(one, ast.Constant) and one.value == "")])
    return part


def _of_engine(module: str, path: list[str]) -> tuple[str, list[str]]:
    """What a name of the engine stands for, and what is left of it: a plain constant by its value, all else by its last name."""
    found: object = sys.modules[module]
    name, rest = module.rpartition(".")[2], [*path]
    while rest and isinstance(found, ModuleType):
        name = rest.pop(0)
        found = getattr(found, name)
    if isinstance(found, Table):
        return f"table {found.fullname}", rest
    return (f"{type(found).__name__} {found!r}" if type(found) in _PLAIN else name), rest


def _path(part: ast.expr) -> list[str]:
    """The parts of a dotted name; none for any other expression."""
    if isinstance(part, ast.Name):
        return [part.id]
    if isinstance(part, ast.Attribute) and (path := _path(part.value)):
        return [*path, part.attr]
    return []


def _is_text(part: object) -> bool:
    """Whether a statement is a text that stands for itself: a docstring."""
    return isinstance(part, ast.Expr) and isinstance(part.value, ast.Constant) and isinstance(part.value.value, str)


def _defined(statement: ast.stmt) -> set[str]:
    """The names that a statement of a module defines there."""
    if isinstance(statement, _NAMED):
        return {statement.name}
    if isinstance(statement, ast.Assign):
        return {name for target in statement.targets for name in _stored(target)}
    if isinstance(statement, ast.AnnAssign | ast.AugAssign):
        return set(_stored(statement.target))
    return set(_bound(statement))


def _stored(part: ast.AST) -> Iterator[str]:
    return (one.id for one in ast.walk(part) if isinstance(one, ast.Name) and isinstance(one.ctx, ast.Store))


def _bound(statement: ast.AST) -> Iterator[str]:
    """Every name that is bound anywhere in a statement."""
    yield from _stored(statement)
    for part in ast.walk(statement):
        yield from _bound_by(part)


def _bound_by(part: ast.AST) -> Iterable[str]:
    if isinstance(part, ast.arg):
        return [part.arg]
    if isinstance(part, ast.alias):
        return [(part.asname or part.name).partition(".")[0]]
    if isinstance(part, ast.MatchAs | ast.MatchStar | ast.ExceptHandler | _NAMED):
        return [part.name] if part.name else []
    return [part.rest] if isinstance(part, ast.MatchMapping) and part.rest else []


def _first_line(statement: ast.stmt) -> int:
    """The first line of a statement, decorators included."""
    decorators = statement.decorator_list if isinstance(statement, _NAMED) else []
    return min([statement.lineno, *(one.lineno for one in decorators)])


def _imports(statement: ast.stmt, package: str) -> Iterator[tuple[str, tuple[str, ...]]]:
    """The names that an import brings, and where each comes from."""
    if isinstance(statement, ast.Import):
        for one in statement.names:
            top = one.name.partition(".")[0]
            yield one.asname or top, (one.name if one.asname else top,)
    if isinstance(statement, ast.ImportFrom):
        source = resolve_name("." * statement.level + (statement.module or ""), package)
        for one in statement.names:
            yield one.asname or one.name, (source, one.name)
