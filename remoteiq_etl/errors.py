"""The errors of this program.

    RemoteIQError
    ├── ConfigurationError        a setting is missing, unreadable or contradicts another
    ├── ConnectionFailed          a database cannot be reached or refuses us
    ├── EmbeddedServerError       the bundled PostgreSQL cannot be started, used or stopped
    │   ├── BinariesMissing       its programs are not installed for this machine
    │   ├── DirectoryNotOurs      its directory belongs to someone else or is open to others
    │   ├── DirectoryNotWritable  its directory cannot be created or written
    │   ├── DiskFull              the disk, or a quota, has no room left
    │   ├── IncompatibleData      its data were written by another major version
    │   └── SocketPathTooLong     no directory is short enough for a unix socket
    ├── DriftError                a live database differs from what we expect, and the difference blocks
    │   └── TableBlocked          the difference blocks one table, or one that it depends on
    ├── RunBlocked                what doctor finds keeps every table from being loaded or verified
    ├── ContractError             a contract itself is wrong, or a transform broke it for every row
    ├── ConservationError         rows read ≠ rows accounted for
    ├── ConflictError             rows were edited in the target and changed in legacy, and the policy is to fail
    ├── SnapshotLost              the exported snapshot of a run is gone
    ├── RunStopped                a run ended between two batches; the next one goes on from there
    │   ├── StopRequested         somebody told it to stop
    │   ├── SnapshotTooOld        its snapshot reached the age at which it must let go
    │   └── SourceWaits           sessions on the source waited too long for its locks
    ├── SourcePaused              the source is paused, no run may begin
    ├── LockTimeout               a lock that another session holds was not to be had in time
    ├── RightMissing              the role of a session lacks a right that a statement needs
    ├── StorageFailed             Dagster cannot read or write what it keeps in its home
    ├── LockedError               another run, or command, holds the source
    ├── FencedError               this run lost its lock to a later one and may not commit any more
    ├── StageError                a command, or a move, does not fit where the migration stands
    ├── GateError                 the gate of the cut-over cannot do what was asked of it
    ├── RehearsalError            a rehearsal has no scratch target
    ├── StateVersionError         the state schema was written by a newer program
    ├── UndoError                 an undo cannot be planned, or refuses to go on
    │   ├── UndoBlocked           something that is not in the plan depends on what would go
    │   └── UndoMoved             the target is not any more what the plan was computed from
    ├── CutOverError              a cut-over, or the way back from it, cannot begin or has ended early
    │   ├── FenceError            what keeps the old application from writing cannot be taken or given back
    │   ├── GateClosed            something that must be true before a cut-over is not
    │   ├── TransactionsOpen      transactions on the legacy database did not end in time
    │   ├── LegacyWritten         the legacy database was written although the fence stands
    │   └── TargetWritten         the new application has written, so that going back would lose something
    ├── CleanupError              legacy objects, or our own state, may not be dropped
    │   └── ArchiveBroken         an archive is not what was written
    ├── VerifyError               a verification cannot be made
    ├── SealingError              a sealed value cannot be opened
    │   ├── SealBroken            it is not what was sealed at its place
    │   └── SealingKeyMissing     the key that sealed it is not among those given
    ├── FixtureError              a generated database cannot be made as asked
    ├── ReportError               the migration report cannot be made or written
    │   └── UnknownTable          nothing has the name of the table whose row it is to explain
    ├── PrepareError              prepare or finalize cannot do, or could not undo, a change of the target
    ├── ApplicationError          what the new application needs cannot be made or taken away
    └── ViewsError                the legacy-shaped views cannot be made or dropped

Here belong classes only. A message says what was expected, what was found, where and what to do, and holds no secret.
"""


class RemoteIQError(Exception):
    """Base of every error that this program raises on purpose; the command line shows its text without a traceback."""


class ConfigurationError(RemoteIQError):
    """A setting is missing, unreadable or contradicts another."""


class ConnectionFailed(RemoteIQError):
    """A database cannot be reached or refuses us."""


class EmbeddedServerError(RemoteIQError):
    """The bundled PostgreSQL cannot be started, used or stopped."""


class BinariesMissing(EmbeddedServerError):
    """The bundled server's programs are not installed for this machine."""


class DirectoryNotOurs(EmbeddedServerError):
    """The server's directory belongs to someone else or is open to others."""


class DirectoryNotWritable(EmbeddedServerError):
    """The server's directory cannot be created or written."""


class DiskFull(EmbeddedServerError):
    """The disk, or a quota on it, has no room left."""


class IncompatibleData(EmbeddedServerError):
    """The data directory was written by another major version of PostgreSQL."""


class SocketPathTooLong(EmbeddedServerError):
    """No directory is short enough for a unix socket."""


class DriftError(RemoteIQError):
    """A live database differs from what we expect, and the difference blocks."""


class TableBlocked(DriftError):
    """One table cannot be loaded, because the legacy database lacks what it or one it depends on reads."""


class RunBlocked(RemoteIQError):
    """What doctor finds keeps every table from being loaded or verified."""


class ContractError(RemoteIQError):
    """A contract itself is wrong, or a transform broke it for every row."""


class ConservationError(RemoteIQError):
    """The rows read are not the rows accounted for."""


class ConflictError(RemoteIQError):
    """Rows were edited in the target and changed in legacy, and the policy of their table is to fail."""


class SnapshotLost(RemoteIQError):
    """The exported snapshot of a run is gone, so its readers would see another state than it did."""


class RunStopped(RemoteIQError):
    """A run ended between two batches. What was committed is kept, and the next run goes on from there."""


class StopRequested(RunStopped):
    """Somebody told the run to stop."""


class SnapshotTooOld(RunStopped):
    """The snapshot of the run reached the age at which it must let go of the source."""


class SourceWaits(RunStopped):
    """Sessions on the source waited too long for locks that the run holds there."""


class SourcePaused(RemoteIQError):
    """The source is paused, so no run may begin."""


class LockTimeout(RemoteIQError):
    """A lock that another session holds was not to be had in time."""


class RightMissing(RemoteIQError):
    """The role of a session lacks a right that a statement needs."""


class StorageFailed(RemoteIQError):
    """Dagster cannot read or write what it keeps in its home."""


class LockedError(RemoteIQError):
    """Another run, or another command, holds the source."""


class FencedError(RemoteIQError):
    """This run lost its lock to a later one and may not commit any more."""


class StageError(RemoteIQError):
    """A command, or a move, does not fit the stage in which the migration of a source is."""


class GateError(RemoteIQError):
    """The gate of the cut-over cannot do what was asked of it."""


class RehearsalError(RemoteIQError):
    """A rehearsal cannot begin: there is no scratch target, or it is in use."""


class StateVersionError(RemoteIQError):
    """The state schema was written by a newer program."""


class UndoError(RemoteIQError):
    """An undo cannot be planned, or refuses to go on."""


class UndoBlocked(UndoError):
    """Something that is not in the plan depends on what would go."""


class UndoMoved(UndoError):
    """The target is not any more what the plan was computed from."""


class CutOverError(RemoteIQError):
    """A cut-over, or the way back from it, cannot begin or has ended early."""


class FenceError(CutOverError):
    """What keeps the old application from writing to legacy cannot be taken or given back."""


class GateClosed(CutOverError):
    """Something that must be true before a cut-over is not."""


class TransactionsOpen(CutOverError):
    """Transactions that were open on the legacy database when the fence was taken did not end in time."""


class LegacyWritten(CutOverError):
    """The legacy database was written although the fence stands."""


class TargetWritten(CutOverError):
    """The new application has written to the target, so that going back would lose something."""


class CleanupError(RemoteIQError):
    """Legacy objects, or our own state, may not be dropped."""


class ArchiveBroken(CleanupError):
    """An archive is not what was written: a file is missing, changed or cannot be opened."""


class VerifyError(RemoteIQError):
    """A verification cannot be made: nothing was migrated, or what it compares is not there."""


class SealingError(RemoteIQError):
    """A sealed value cannot be opened."""


class SealBroken(SealingError):
    """A sealed value is not what was sealed at its place: changed, damaged, or moved from elsewhere."""


class SealingKeyMissing(SealingError):
    """The key that sealed a value is not among those given."""


class FixtureError(RemoteIQError):
    """A fixture cannot be made as asked: the row counts contradict each other, or the schema is not empty."""


class ReportError(RemoteIQError):
    """The migration report cannot be made or written."""


class UnknownTable(ReportError):
    """Nothing has the name of the table whose row the report is to explain."""


class PrepareError(RemoteIQError):
    """Prepare or finalize cannot do, or could not undo, a change of the target."""


class ApplicationError(RemoteIQError):
    """What the new application needs beyond the redesign cannot be made or taken away."""


class ViewsError(RemoteIQError):
    """The legacy-shaped views cannot be made or dropped, or are not there."""
