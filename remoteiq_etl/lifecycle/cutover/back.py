"""The way back from a cut-over: the switch and the fence taken back, once nothing of what the new application wrote would be lost.

Belongs here: whether going back would lose anything, and doing it. Does not belong here: carrying what was written to the legacy
tables (remoteiq_etl.fallback, which is handed in).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from remoteiq_etl.errors import CutOverError, TargetWritten
from remoteiq_etl.lifecycle.cutover import settle, written
from remoteiq_etl.lifecycle.cutover.place import CutOverContext, CutOverPlace, opened
from remoteiq_etl.lifecycle.cutover.settle import Settled
from remoteiq_etl.lifecycle.cutover.watch import TableWrites
from remoteiq_etl.lifecycle.stages import store
from remoteiq_etl.postgres.database import Session
from remoteiq_etl.state.cutovers import CutOverRecord, Phase

COMMAND = "cutover --back"
KEPT_IN = "cutover"
"""The folder below the home that keeps what is lost."""


class CarriedBack(Protocol):
    """What a fall-back came to."""

    @property
    def rows(self) -> int:
        """Legacy rows that were written."""

    @property
    def stays(self) -> Sequence[str]:
        """What stays behind, by table and reason; empty where everything went."""

    def keep(self, directory: Path) -> Path:
        """Write what stays behind to a new file there, and return its path."""


Carry = Callable[[CutOverContext], CarriedBack]


@dataclass(frozen=True)
class BackReport:
    """What was taken back. `lost`: what the new application had written, kept in `file` and not carried; `carried`: what a
    fall-back came to, with what stays behind in `file`; `late`: why what only a cut-over writes is still in the target, as the next
    run puts it back; `settled`: what became of an interrupted one instead.
    """

    number: int
    lost: Sequence[TableWrites] = ()
    file: Path | None = None
    carried: CarriedBack | None = None
    late: str | None = None
    settled: Settled | None = None


def back(place: CutOverPlace, *, lose: bool = False, carry: Carry | None = None) -> BackReport:
    """Take the last cut-over back, or end one that was interrupted.

    `carry` carries to legacy what the new application has written, before the old one may write again. Raises StageError where
    nothing is cut over, and TargetWritten, with the tables and the file that keeps the rows, when something of it would be lost and
    nobody says `lose`.
    """
    with opened(place) as context, store.claim(*context.of_source, COMMAND):
        ended = settle.settle(context)
        if ended is not None and ended.phase is not Phase.DONE:
            return BackReport(ended.record.id, late=settle.write_as_before(context), settled=ended)
        store.require(*context.of_source, COMMAND)
        record = context.last
        if record is None:
            raise CutOverError("no cut-over of the source is recorded: there is nothing to take back.")
        if carry is not None and _written(context, record):
            return _carry_back(context, record, carry, lose=lose)
        return _take_back(context, record, lose=lose)


def _carry_back(context: CutOverContext, record: CutOverRecord, carry: Carry, *, lose: bool) -> BackReport:
    carried, file = carry(context), None
    if carried.stays:
        file = carried.keep(context.place.migration.settings.home / KEPT_IN)
        if not lose:
            listed = "\n".join(f"  {one}" for one in carried.stays)
            raise TargetWritten(
                f"{carried.rows:,} rows of the new application are in legacy now, and some cannot go there:\n{listed}\nTheir keys are"
                f" in {file}. The cut-over {record.id} stands. --lose goes back all the same: the old application will not know of them."
            )
    current = context.last or record
    settle.take_back(context, current)
    return BackReport(current.id, file=file, carried=carried, late=settle.write_as_before(context))


def _take_back(context: CutOverContext, record: CutOverRecord, *, lose: bool) -> BackReport:
    lost, file = _lost(context, record)
    if lost and not lose:
        listed = "\n".join(f"  {one}" for one in lost)
        raise TargetWritten(
            f"the new application has written since the cut-over {record.id}:\n{listed}\nTheir rows are kept in {file}, without"
            " secrets. Nothing was changed. --lose goes back all the same: the old application will not know of them."
        )
    settle.take_back(context, record)
    return BackReport(record.id, lost, file, late=settle.write_as_before(context))


def _written(context: CutOverContext, record: CutOverRecord) -> list[TableWrites]:
    """What the new application has written, by table."""
    return written.writes(_session(context, record), (record.marks or {}).get("target"))


def _lost(context: CutOverContext, record: CutOverRecord) -> tuple[list[TableWrites], Path | None]:
    """What the new application has written, and the file that keeps it."""
    lost, marks = _written(context, record), (record.marks or {}).get("target")
    if not lost or marks is None:
        return [], None
    rows = written.written_rows(_session(context, record), context.state, marks, lost)
    return lost, written.keep(rows, context.place.migration.settings.home / KEPT_IN, record.id)


def _session(context: CutOverContext, record: CutOverRecord) -> Session:
    """The session on the target, for its tables under the name that their schema has since the switch."""
    names = settle.names_of(record)
    return settle.in_schema(context.control, names.target_after if names else context.place.migration.target.schema)
