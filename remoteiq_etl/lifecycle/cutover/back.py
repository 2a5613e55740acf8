"""The way back from a cut-over: the switch and the fence taken back, while the new application has written nothing.

Belongs here: whether going back would lose anything, and doing it. Does not belong here: carrying back what was written.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from remoteiq_etl.errors import CutOverError, TargetWritten
from remoteiq_etl.lifecycle.cutover import settle, written
from remoteiq_etl.lifecycle.cutover.place import CutOverContext, CutOverPlace, opened
from remoteiq_etl.lifecycle.cutover.settle import Settled
from remoteiq_etl.lifecycle.cutover.watch import TableWrites
from remoteiq_etl.lifecycle.stages import store
from remoteiq_etl.state.cutovers import CutOverRecord, Phase

COMMAND = "cutover --back"
KEPT_IN = "cutover"
"""The folder below the home that keeps what is lost."""


@dataclass(frozen=True)
class BackReport:
    """What was taken back. `lost`: what the new application had written, kept in `file` and not carried; `late`: why what only a
    cut-over writes is still in the target, as the next run puts it back; `settled`: what became of an interrupted one instead.
    """

    number: int
    lost: Sequence[TableWrites] = ()
    file: Path | None = None
    late: str | None = None
    settled: Settled | None = None


def back(place: CutOverPlace, *, lose: bool = False) -> BackReport:
    """Take the last cut-over back, or end one that was interrupted.

    Raises StageError where nothing is cut over, and TargetWritten, with the tables and the file that keeps the rows, when the new
    application has written and nobody says `lose`.
    """
    with opened(place) as context, store.claim(*context.of_source, COMMAND):
        ended = settle.settle(context)
        if ended is not None and ended.phase is not Phase.DONE:
            return BackReport(ended.record.id, late=settle.write_as_before(context), settled=ended)
        store.require(*context.of_source, COMMAND)
        record = context.last
        if record is None:
            raise CutOverError("no cut-over of the source is recorded: there is nothing to take back.")
        return _take_back(context, record, lose=lose)


def _take_back(context: CutOverContext, record: CutOverRecord, *, lose: bool) -> BackReport:
    lost, file = _lost(context, record)
    if lost and not lose:
        listed = "\n".join(f"  {one}" for one in lost)
        raise TargetWritten(
            f"the new application has written since the cut-over {record.id}:\n{listed}\nTheir rows are kept in {file}, without"
            " secrets. Nothing was changed. --lose goes back all the same: the old application will not know of them."
        )
    settle.take_back(context, record)
    return BackReport(record.id, lost, file, settle.write_as_before(context))


def _lost(context: CutOverContext, record: CutOverRecord) -> tuple[list[TableWrites], Path | None]:
    """What the new application has written, and the file that keeps it."""
    names, migration = settle.names_of(record), context.place.migration
    session = settle.in_schema(context.control, names.target_after if names else migration.target.schema)
    marks = (record.marks or {}).get("target")
    lost = written.writes(session, marks)
    if not lost or marks is None:
        return [], None
    rows = written.written_rows(session, context.state, marks, lost)
    return lost, written.keep(rows, migration.settings.home / KEPT_IN, record.id)
