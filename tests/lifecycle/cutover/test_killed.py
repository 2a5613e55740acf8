"""A cut-over, and the way back, killed at every so many statements: the next call gives back everything or completes it."""

import contextlib
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import psycopg
import pytest
from psycopg import sql

from remoteiq_etl.config.fence_kind import FenceKind
from remoteiq_etl.errors import RemoteIQError, StageError
from remoteiq_etl.lifecycle.cutover.back import back
from remoteiq_etl.lifecycle.cutover.execute import CutOverReport
from remoteiq_etl.lifecycle.cutover.settle import Settled
from remoteiq_etl.lifecycle.cutover.steps import CutOverStep
from tests.support.cutting_over import Ready

Make = Callable[..., Ready]
_RIGHTS = "SELECT relname, relacl::text FROM pg_class WHERE relname IN ('backup_jobs', 'devices') AND relkind = 'r' ORDER BY oid"


class Killed(RemoteIQError):
    """Stands for the end of the process."""


@dataclass
class DeadFrom:
    """An observer that lets no statement pass from the k-th on: of a process that is gone nothing follows."""

    k: int | None = None
    count: int = 0

    def __call__(self, _statement: str) -> None:
        self.count += 1
        if self.k is not None and self.count >= self.k:
            raise Killed(f"at statement {self.count}")


@dataclass(frozen=True)
class Kind:
    """A migration that can be made again and again, and what its legacy database grants."""

    make: Callable[[], Ready]
    rights: Any

    def killed(self, act: Callable[[Ready], object], at: int, ready: Ready | None = None) -> Ready:
        """The migration after a process was killed in the middle."""
        found = ready or self.make()
        with pytest.raises(RemoteIQError, match="at statement"):
            act(replace(found, observer=DeadFrom(at)))
        return found

    def assert_as_before(self, ready: Ready) -> None:
        """Nothing is kept from writing, and no backup is on; a run that only puts that back may still be due."""
        assert not ready.fence_stands()
        assert ready.in_legacy(_RIGHTS) == self.rights
        assert ready.in_target("SELECT (options ->> 'enabled')::boolean FROM backup_policies") == [(False,)]


@pytest.fixture(params=["two", "one"])
def kind(request: pytest.FixtureRequest) -> Kind:
    """read_only for two databases, revoke for two schemas of one."""
    make: Make = request.getfixturevalue(request.param)

    def made() -> Ready:
        found = make(
            fence=FenceKind.READ_ONLY if request.param == "two" else FenceKind.REVOKE,
            roles=() if request.param == "two" else ("killed_app",),
        )
        found.legacy.execute("GRANT INSERT, UPDATE ON backup_jobs, devices TO killed_app")
        return replace(found, tables=("backup_policies",), verifies=False)

    with contextlib.suppress(psycopg.errors.DuplicateObject):
        request.getfixturevalue("server").admin(sql.SQL("CREATE ROLE killed_app LOGIN"))
    return Kind(made, made().in_legacy(_RIGHTS))


@dataclass
class Counted(DeadFrom):
    """Counts statements, and those that had been when each step began."""

    begins: dict[CutOverStep, int] = field(default_factory=dict)

    def begun(self, step: CutOverStep) -> None:
        self.begins[step] = self.count

    def ended(self, step: CutOverStep, seconds: float) -> None:
        pass


def cut_over(ready: Ready) -> CutOverReport | Settled:
    return ready.cut_over()


def go_back(ready: Ready) -> object:
    with ready.place() as place:
        return back(place)


def test_a_killed_cut_over_is_taken_back_or_completed_by_the_next_call(kind: Kind) -> None:
    """At the first statements of each step, in its middle, and at its end."""
    ready, counted = kind.make(), Counted()
    replace(ready, observer=counted).cut_over(steps=counted)
    at = counted.begins
    phases = set()
    # Each kind is killed at every second of them.
    for number, statement in enumerate(
        [
            at[CutOverStep.WAIT] - 2,  # recorded, not taken
            at[CutOverStep.WAIT],  # taken, not recorded as such
            at[CutOverStep.WAIT] + 1,
            (at[CutOverStep.RESYNC] + at[CutOverStep.VERIFY]) // 2,
            at[CutOverStep.SWITCH] + 4,
            at[CutOverStep.RECORD],
            at[CutOverStep.RECORD] + 1,
            (at[CutOverStep.RECORD] + counted.count) // 2,
        ][ready.one_database :: 2]
    ):
        ready = kind.killed(cut_over, statement)
        phases.add(ready.phases()[-1])
        if number == 1:
            cut_over_after_all(ready)
        else:
            go_back(ready)
            kind.assert_as_before(ready)
    assert phases >= {"begun" if ready.one_database else "fenced", "switching"}


def cut_over_after_all(ready: Ready) -> None:
    """Complete now, or from the beginning: where its final run had moved the migration it is verified and finalized again."""
    found = None
    with contextlib.suppress(StageError):
        found = ready.cut_over()
    if found is None and ready.stage() != "cut over":
        assert not ready.fence_stands()
        ready.make_ready()
        ready.cut_over()
    assert (ready.stage(), ready.phases()[-1]) == ("cut over", "done")
    schema = "public" if ready.one_database else None
    assert ready.in_target("SELECT (options ->> 'enabled')::boolean FROM backup_policies", schema) == [(True,)]


def test_a_killed_way_back_is_gone_on_the_next_call(kind: Kind) -> None:
    ready, counter = kind.make(), DeadFrom()
    cut_over(ready)
    go_back(replace(ready, observer=counter))
    for part in (0.07, 0.14)[: 1 + ready.one_database]:  # the rest is the run that puts back what a cut-over writes
        ready = kind.make()
        cut_over(ready)
        kind.killed(go_back, int(counter.count * part), ready)
        if ready.phases() != ["taken back"]:
            go_back(ready)
        kind.assert_as_before(ready)
