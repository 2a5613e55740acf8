"""Calls: which functions of the changed modules each test calls, told by the functions themselves.

A function's first statement notes its call: a trace function would be asked about every call of pandas as well, and
made the unchanged tests several times slower. Does not belong here: what the notes are good for (see runner).
"""

import ast
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, field

#: Module and scope, as a mutant names them.
Function = tuple[str, str]
NOTE = "__note_call__"


@dataclass
class Calls:
    """`by_test`: the functions that each test called, by the test's node id."""

    by_test: dict[str, set[Function]] = field(default_factory=dict)
    _current: set[Function] | None = None

    @contextmanager
    def of(self, test: str) -> Generator[None]:
        """Calls made inside the with block are those of this test."""
        self._current = self.by_test.setdefault(test, set())
        try:
            yield
        finally:
            self._current = None

    def note(self, module: str, scope: str) -> None:
        if self._current is not None:
            self._current.add((module, scope))


def noting(module: str, tree: ast.Module) -> ast.Module:
    """The tree of a module, changed so that each function begins with a call of NOTE."""
    _add_notes(module, tree, "")
    return tree


def _add_notes(module: str, parent: ast.AST, scope: str) -> None:
    for node in ast.iter_child_nodes(parent):
        inner = f"{scope}.{node.name}".strip(".") if isinstance(node, ast.ClassDef | ast.FunctionDef) else scope
        _add_notes(module, node, inner)
        if isinstance(node, ast.FunctionDef):
            node.body.insert(1 if ast.get_docstring(node) else 0, _note(module, inner))


def _note(module: str, scope: str) -> ast.stmt:
    return ast.Expr(ast.Call(ast.Name(NOTE, ast.Load()), [ast.Constant(module), ast.Constant(scope)], []))
