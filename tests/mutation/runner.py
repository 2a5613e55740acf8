"""Runner: one process that has everything loaded forks a child for each mutant; the child tells whether a test failed.

In the child the changed module and all that import it are loaded anew, so nothing holds on to the original; the child
ends afterwards, so nothing has to be put back. Does not belong here: which mutants there are (see operators).
"""

import ast
import contextlib
import gc
import importlib
import importlib.abc
import importlib.machinery
import importlib.util
import os
import signal
import sys
from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from types import ModuleType

import pytest

from tests.mutation import imports
from tests.mutation.calls import NOTE, Calls, noting
from tests.mutation.operators import Mutant, mutants

# A mutant that takes this long does not end: no unchanged test takes a second.
TIMEOUT_SECONDS = 30
KILLED, SURVIVED = 0, 1
OPTIONS = (
    *("-o", "addopts=--import-mode=importlib --strict-markers --strict-config", "-s", "--rootdir", str(imports.ROOT)),
    *(option for plugin in ("cacheprovider", "xdist", "terminal", "logging") for option in ("-p", f"no:{plugin}")),
)


class NotRunnable(Exception):
    """The unchanged module does not pass its own tests: nothing can be said about its mutants."""


@dataclass
class Runner:
    """Runs inside a pytest session that collects nothing itself; `survivors` is filled as it goes."""

    chosen: Sequence[tuple[str, Sequence[str]]]
    verbose: bool = False
    survivors: list[str] = field(default_factory=list)
    killed: int = 0
    calls: Calls = field(default_factory=Calls)
    unchanged: bool = True

    def pytest_collection(self) -> bool:
        return True

    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        from hypothesis import settings  # pytest wants to be the first to import its plugins

        settings.register_profile("mutation", derandomize=True, database=None, deadline=None)
        settings.load_profile("mutation")
        self._run_unchanged(session)
        gc.freeze()
        for module, names in self.chosen:
            self._judge(session, module, frozenset(names))
        return True

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_makereport(self, item: pytest.Item, call: pytest.CallInfo[None]) -> None:
        if call.excinfo:
            raise TestFailed(item.nodeid)  # before pytest spends time on telling why

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_call(self, item: pytest.Item) -> Generator[None]:
        """While the tests run unchanged, remember which functions each of them calls."""
        if not self.unchanged:
            return (yield)
        with self.calls.of(item.nodeid):
            return (yield)

    def _run_unchanged(self, session: pytest.Session) -> None:
        """Every test passes on the unchanged modules, loaded as a changed one is; all else stays loaded for the children."""
        for module, _ in self.chosen:
            importlib.import_module(module)
        finder = _replace({module: noting(module, _tree(module)) for module, _ in self.chosen}, self.calls)
        for file in dict.fromkeys(file for module, _ in self.chosen for file in imports.tests_of(module)):
            _run(session, _items(session, file))
        sys.meta_path.remove(finder)
        self.unchanged = False

    def _judge(self, session: pytest.Session, module: str, names: frozenset[str]) -> None:
        tree = _tree(module)
        for mutant in mutants(module, tree):
            if mutant.name in names:
                self._count(mutant, self._in_child(session, tree, mutant))

    def _count(self, mutant: Mutant, outcome: int) -> None:
        self.killed += outcome != SURVIVED
        if outcome == SURVIVED:
            self.survivors.append(f"{mutant.name}  (line {mutant.line})")
        if self.verbose:
            sys.stderr.write(f"{'SURVIVED' if outcome == SURVIVED else 'killed'}  {mutant.name}  ({mutant.line})\n")

    def _in_child(self, session: pytest.Session, tree: ast.Module, mutant: Mutant) -> int:
        pid = os.fork()
        if not pid:
            signal.alarm(TIMEOUT_SECONDS)
            os._exit(self._outcome(session, tree, mutant))
        return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])

    def _outcome(self, session: pytest.Session, tree: ast.Module, mutant: Mutant) -> int:
        _silence()
        mutant.apply()
        changed, called = (mutant.module, mutant.scope), self.calls.by_test
        # First the tests that call the changed function, and of those the ones that call little else.
        order = {test: (changed not in calls, len(calls)) for test, calls in called.items()}
        try:
            _replace({mutant.module: tree})
            for file in imports.tests_of(mutant.module):
                _run(session, sorted(_items(session, file), key=lambda item: order[item.nodeid]))
        except (TestFailed, Exception):  # noqa: BLE001 - a module that cannot even be loaded fails every test
            return KILLED
        return SURVIVED


def run(chosen: Sequence[tuple[str, Sequence[str]]], *, verbose: bool = False) -> Runner:
    """Run the chosen mutants (module → names) one after another in children of this process."""
    runner = Runner(chosen, verbose)
    code = pytest.main([*OPTIONS, str(imports.ROOT / "tests/assets")], plugins=[runner])
    if code not in (pytest.ExitCode.OK, pytest.ExitCode.NO_TESTS_COLLECTED):
        raise NotRunnable(f"pytest ended with {code!r}; see what it wrote above")
    return runner


class TestFailed(BaseException):
    """A test failed; no further test is run."""


def _items(session: pytest.Session, file: Path) -> list[pytest.Item]:
    """The tests of a file that need no server. Raises NotRunnable when the file cannot be imported, which pytest only notes."""
    if not (found := session.perform_collect([str(file)])):
        raise NotRunnable(f"{file} has no test, or cannot be imported")
    return [item for item in found if "server" not in item.fixturenames]


def _run(session: pytest.Session, items: Sequence[pytest.Item]) -> None:
    for item, following in pairwise([*items, None]):
        session.config.hook.pytest_runtest_protocol(item=item, nextitem=following)


def _tree(module: str) -> ast.Module:
    return ast.parse(imports.source(module).read_bytes())


def _replace(trees: Mapping[str, ast.Module], calls: Calls | None = None) -> importlib.abc.MetaPathFinder:
    """Forget modules and all that import them; the next import of one executes its tree, which may note its calls."""
    for name in {name for module in trees for name in imports.dependents(module)}:
        if sys.modules.pop(name, None):
            package, _, attribute = name.rpartition(".")
            with contextlib.suppress(KeyError, AttributeError):
                delattr(sys.modules[package], attribute)
    finder = _Finder(trees, calls)
    sys.meta_path.insert(0, finder)
    return finder


class _Finder(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    def __init__(self, trees: Mapping[str, ast.Module], calls: Calls | None) -> None:
        self.trees = trees
        self.calls = calls

    def find_spec(self, fullname: str, path: object, target: object = None) -> importlib.machinery.ModuleSpec | None:
        if fullname not in self.trees:
            return None
        return importlib.util.spec_from_file_location(fullname, imports.source(fullname), loader=self)

    def exec_module(self, module: ModuleType) -> None:
        tree = ast.fix_missing_locations(self.trees[module.__name__])
        if self.calls is not None:
            module.__dict__[NOTE] = self.calls.note
        code = compile(tree, str(imports.source(module.__name__)), "exec")
        exec(code, module.__dict__)  # noqa: S102 - our own module, one rule of it changed


def _silence() -> None:
    """What a failing test writes is of no interest."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.dup2(nowhere, 2)
