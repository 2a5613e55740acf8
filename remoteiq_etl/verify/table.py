"""One table in one look: everything that is checked of it, difference by difference.

Belongs here: which checks a table has, in which order, and what each of them looked at. Does not belong here: when a
difference is believed (see engine).
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from psycopg import sql

from remoteiq_etl.backfill.source.selection import is_one_of
from remoteiq_etl.errors import VerifyError
from remoteiq_etl.postgres.statements import statements
from remoteiq_etl.spec.table import TableSpec
from remoteiq_etl.state import written_columns
from remoteiq_etl.state.target_access import statement_names
from remoteiq_etl.verify.causes import labels
from remoteiq_etl.verify.causes.evidence import CHUNK, EvidenceReader
from remoteiq_etl.verify.causes.row_changes import own_reasons
from remoteiq_etl.verify.causes.table_changes import TableChanges, options_of_table
from remoteiq_etl.verify.checks import aggregates, checksums, completeness, conservation, constraints, rules, unmanaged
from remoteiq_etl.verify.checks.aggregates import NamedRows, aggregates_of
from remoteiq_etl.verify.checks.checksums import checksums_of
from remoteiq_etl.verify.checks.completeness import Completeness
from remoteiq_etl.verify.checks.matrices import Matrices
from remoteiq_etl.verify.expected.compare import Asked, ask
from remoteiq_etl.verify.expected.expectation import Expectation, expectations
from remoteiq_etl.verify.incremental import increment, watermarks
from remoteiq_etl.verify.snapshots import SnapshotPair
from remoteiq_etl.verify.verdicts.model import Aggregate, CoverageNote, Finding, FindingKind, Label, TableVerdict

SQL = statements(__file__)

RULES = "rules"


_ABOUT_EXPECTATION = "every row is as the mapping says, told by SQL that shares nothing with the load"


_ABOUT_RULES = "every rule beyond single rows holds"

#: Of legacy tables that are compared a range of rows at a time: the legacy keys to look at.
Keys = Mapping[str, Sequence[str]]


@dataclass
class TableVerification:
    """What one look says of one table. `only`: of large tables, the rows to look at; None: all.

    `step` is called after each range of rows with how many there were. `quick`: where the checksums of both servers agree
    nothing else is looked at, where they do not only the rows that differ are. `former`: what the last look has kept, so
    that of a large table only rows of which something was written since are compared again, where these can be told. `fence`:
    the fencing token of the last run that it saw anything of.
    """

    pair: SnapshotPair
    table: str
    only: Keys | None = None
    step: Callable[[int], None] = lambda rows: None
    quick: bool = False
    former: TableVerdict | None = None
    looked: dict[str, CoverageNote] = field(default_factory=dict, init=False)
    rows: int = field(default=0, init=False)
    taken: Mapping[str, Any] | None = field(default=None, init=False)
    fence: int = field(default=0, init=False)
    matrices: Matrices = field(default_factory=Matrices, init=False)
    aggregates: list[Aggregate] = field(default_factory=list, init=False)
    is_increment: bool = field(default=False, init=False)
    _parents: str | None = field(default=None, init=False)

    def findings(self) -> Iterator[Finding]:
        """Every difference with its label. Raises VerifyError when no run has completed the table yet."""
        with self.pair.of_table(options_of_table(self.pair, self.table)):
            known = TableChanges(self.pair, self.table)
            self.fence = self.pair.fence()
            self._refuse_blocked()
            if not known.writers:
                raise VerifyError(
                    f"{self.table} cannot be verified: no run has completed it. remoteiq-etl run --table {self.table} does."
                )
            differing = self._differing()
            if self.quick and differing is not None:
                self.only = differing
                yield from self._of_rows(known) if any(differing.values()) else ()
                return
            self._take_increment(differing or {})
            named = NamedRows()
            yield from named.watch(self._of_rows(known))
            yield from named.watch(self._of_checksums(known, differing or {}, named))
            if self._is_whole:
                yield from self._of_aggregates(named)
                yield from self._of_constraints(known)
                yield from self._of_sequences()
                yield from self._of_ledger(known)
                yield from self._of_unmanaged()
            yield from self._of_rules(known)
            if self._is_whole:
                self.taken = watermarks.take(self.pair, watermarks.inputs_of(self.pair, self.table), self._parents)

    def _refuse_blocked(self) -> None:
        """What a run could not load cannot be compared either. Raises VerifyError."""
        if reason := self.pair.verification_context.plan.blocked.get(self.spec.asset):
            raise VerifyError(f"{self.table} cannot be verified: {reason}. remoteiq-etl doctor shows the drift.")

    @property
    def expectations(self) -> list[Expectation]:
        """The opinions about the table."""
        return [one for one in expectations() if one.target == self.table]

    @property
    def spec(self) -> TableSpec:
        """The declaration under the name of the table; that of its seeds where it has no other."""
        writers = self.pair.writers(self.table)
        return next((spec for spec in writers if spec.asset == self.table), writers[0])

    @property
    def _is_whole(self) -> bool:
        """Whether this look says something of every row: all were compared, or those that may have changed."""
        return self.only is None or self.is_increment

    def _take_increment(self, differing: Keys) -> None:
        """Choose the rows of which something was written since the last look, if they can be told."""
        places = increment.places(self.pair, self.table) if self.only is None else None
        if places is None:
            return
        self._parents = increment.parents(self.pair, self.table)
        if self.former is None:
            return
        found = increment.Increment(self.pair, self.table, places, self.former, self._parents).keys()
        if found is not None:
            self.only = {name: sorted(keys.union(differing.get(name, ()))) for name, keys in found.items()}
            self.is_increment = True

    def _count(self, check: str, about: str, count: int, unit: str = "rows") -> None:
        self.looked.setdefault(check, CoverageNote(about, unit)).count += count

    # --- checksums ------------------------------------------------------------------------------------------------

    def _differing(self) -> dict[str, list[str]] | None:
        """By legacy table the keys of rows whose checksums differ; None where nothing is carried unchanged."""
        whole = self.only is None
        further = [] if self.quick or not whole else [*(increment.places(self.pair, self.table) or {})]
        sums = checksums_of(self.pair, self.table, further) if whole else []
        found = {one.source.name: one.differing() for one in sums}
        for one in sums:
            self._count(checksums.CHECKSUMS, checksums.ABOUT, one.rows)
        if self.quick:
            self.rows = sum(one.rows for one in sums)
        return found if sums else None

    def _of_checksums(self, known: TableChanges, differing: Keys, named: NamedRows) -> Iterator[Finding]:
        """Rows whose checksums differ and of which nothing else was found: the two ways of comparing contradict each other."""
        detail = "the servers' checksums of what is carried unchanged differ, and nothing else tells why"
        for legacy_table, keys in differing.items():
            rest = [key for key in keys if not named.has(legacy_table, key)]
            moved = own_reasons(known, legacy_table, rest) if rest else {}
            for key in rest:
                since = moved.get(key)
                label = Label.CHANGED_IN_LEGACY if since else Label.BUG
                text = since or detail
                yield Finding(
                    self.table, checksums.CHECKSUMS, FindingKind.CHANGED, label, text, None, legacy_table, key
                )

    def _of_aggregates(self, named: NamedRows) -> Iterator[Finding]:
        """Columns whose sums differ. A quick look has no time for them."""
        for one in [] if self.quick else aggregates_of(self.pair, self.table):
            found = one.of_rows()
            self.aggregates += found
            self._count(aggregates.AGGREGATES, aggregates.ABOUT, len(found), "columns")
            yield from one.findings(found, named)

    # --- rows ---------------------------------------------------------------------------------------------------

    def _of_rows(self, known: TableChanges) -> Iterator[Finding]:
        accounts = {
            source.name: Completeness(known, spec, source)
            for spec in known.writers
            for source in spec.streamed
            if source.primary
        }
        named: set[str] = set()
        for expectation in self._asked(known):
            for finding in self._of_expectation(known, expectation, accounts):
                named |= {finding.key} if finding.key else set()
                yield finding
        for account in accounts.values():
            keys = self._keys(account.source.name)
            if not account.begun and keys is None:
                self.pair.legacy_copy.whole(account.source.name, account.source.key_columns)
                yield from account.of_copy()
            self._count(completeness.KEYS, completeness.ABOUT_KEYS, account.rows)
            if self._is_whole:
                yield from account.rest(keys)
        if self._is_whole:
            yield from self._removed(known, named)
            yield from self._edited(known, named)

    def _asked(self, known: TableChanges) -> Iterator[Expectation]:
        """The opinions that have a row to be asked about."""
        loaded = {source.name for spec in known.writers for source in spec.sources}
        for expectation in self.expectations:
            # The seeds of a table may come later than its rows: no run has completed then what their opinion is about.
            is_loaded = not expectation.covers or not loaded.isdisjoint(expectation.covers)
            if is_loaded and self._keys(expectation.rows) != []:
                yield expectation

    def _keys(self, legacy_table: str | None) -> list[str] | None:
        """Which rows of a legacy table are looked at; None: all."""
        keys = None if self.only is None or legacy_table is None else self.only.get(legacy_table)
        return None if keys is None else list(keys)

    def _of_expectation(
        self, known: TableChanges, expectation: Expectation, accounts: Mapping[str, Completeness]
    ) -> Iterator[Finding]:
        account = accounts.get(expectation.rows or "")
        counts = account is not None and not account.begun
        for asked in ask(expectation, self.pair.legacy_copy, self.pair.target.schema, self._condition(expectation)):
            self.rows += asked.expected
            self._count(labels.EXPECTATION, _ABOUT_EXPECTATION, asked.expected)
            yield from _judged(EvidenceReader(self.pair, known, self.spec, asked.columns, expectation), asked)
            if self.only is None:
                self.matrices.add(self.pair, self.spec, expectation, asked.columns)
            if account is not None and counts:
                yield from account.of_copy()
            self.step(asked.expected)
        if account is not None:
            account.begun = True  # also where there was no range at all

    def _condition(self, expectation: Expectation) -> sql.Composable | None:
        """Which rows of a large table are looked at."""
        keys = self._keys(expectation.rows)
        place = self.pair.source(self.table, expectation.rows or "")
        return None if place is None or keys is None else is_one_of(place[1], keys)

    def _removed(self, known: TableChanges, named: set[str]) -> Iterator[Finding]:
        """Rows that are not there although the map leads to them, beyond those that an opinion has missed."""
        detail = "deleted in the target since it was written"
        for legacy_table, legacy_key, new_key in completeness.removed(known, self.spec):
            if new_key not in named:
                yield Finding(
                    self.table,
                    completeness.KEYS,
                    FindingKind.REMOVED,
                    Label.EDITED_IN_TARGET,
                    detail,
                    new_key,
                    legacy_table,
                    legacy_key,
                )

    def _edited(self, known: TableChanges, named: set[str]) -> Iterator[Finding]:
        """Edits that no opinion tells: of columns and rows that it leaves as they are."""
        columns = [column.name for column in self.spec.target.columns]
        reader = EvidenceReader(self.pair, known, self.spec, columns)
        for legacy_table, legacy_key, new_key, edited in reader.edits(self.only):
            if new_key not in named:
                yield Finding(
                    self.table,
                    labels.EXPECTATION,
                    FindingKind.CHANGED,
                    Label.EDITED_IN_TARGET,
                    "edited in the target since it was written",
                    new_key,
                    legacy_table,
                    legacy_key,
                    tuple(edited),
                )

    # --- the table as a whole -----------------------------------------------------------------------------------

    def _of_constraints(self, known: TableChanges) -> Iterator[Finding]:
        found = constraints.Constraints(self.pair, self.spec.target)
        self._count(constraints.CONSTRAINTS, constraints.ABOUT_CONSTRAINTS, found.looked_at, "constraints")
        breaches = list(found.breaches())
        stale = known.surroundings(()) if breaches else None
        states = self._states(known, {breach.key for breach in breaches}, stale)
        for breach in breaches:
            label, detail, legacy = states.get(breach.key, _NOT_OURS)
            if breach.parent_deleted and label is Label.BUG:
                label, detail = Label.EXPECTED, "that one was deleted in the target"
            yield Finding(
                self.table,
                constraints.CONSTRAINTS,
                FindingKind.BROKEN,
                label,
                f"{breach.detail}; {detail}",
                breach.key,
                *legacy,
                breach.columns,
            )

    def _of_sequences(self) -> Iterator[Finding]:
        count, late = constraints.sequences(self.pair.session, self.pair.target.schema, self.table)
        self._count(constraints.SEQUENCES, constraints.ABOUT_SEQUENCES, count, "sequences")
        detail = "the next row of the new application would fail"
        return (constraints.of_sequence(one, Label.BUG, detail) for one in late)

    def _of_ledger(self, known: TableChanges) -> Iterator[Finding]:
        yield from conservation.findings(known, self.table)
        self._count(conservation.CONSERVATION, conservation.ABOUT, conservation.batches(known, self.table), "batches")

    def _of_unmanaged(self) -> Iterator[Finding]:
        self._count(unmanaged.UNMANAGED, unmanaged.ABOUT_UNMANAGED, 0)
        for one in unmanaged.findings(self.pair, self.spec):
            self._count(unmanaged.UNMANAGED, unmanaged.ABOUT_UNMANAGED, 1)
            yield one

    def _of_rules(self, known: TableChanges) -> Iterator[Finding]:
        about = rules.rules_about(self.table)
        if not about:
            return
        self._count(RULES, _ABOUT_RULES, len(about), "rules")
        found = [one for rule in about for one in rules.violations(rule, self.pair) if one.table == self.table]
        reads = sorted({name for rule in about for name in rule.looks_at})
        stale = known.surroundings(reads, frozenset().union(*(rule.maps for rule in about))) if found else None
        states = self._states(known, {one.key for one in found if one.key}, stale)
        unknown = (Label.CHANGED_IN_LEGACY, stale, _NOBODY) if stale else (Label.BUG, "nothing explains it", _NOBODY)
        for one in found:
            label, detail, legacy = states.get(one.key or "", unknown)
            text = f"{rules.sentence(one.rule)} {one.finding}; {detail}"
            yield Finding(self.table, RULES, FindingKind.BROKEN, label, text, one.key, *legacy)

    def _states(self, known: TableChanges, keys: set[str], stale: str | None) -> dict[str, "_State"]:
        """What explains that these target rows are not as they should be: edits, or what legacy has changed since.

        `stale`: what has changed that may concern any of them.
        """
        found: dict[str, _State] = {}
        edited = list(_edited_rows(self.pair, self.spec, keys)) if keys else []
        for legacy_table in sorted({table for _, table, _, _ in edited}):
            rows = [
                (key, legacy_key, as_written) for key, table, legacy_key, as_written in edited if table == legacy_table
            ]
            moved = own_reasons(known, legacy_table, [legacy_key for _, legacy_key, _ in rows])
            for key, legacy_key, as_written in rows:
                found[key] = (*_state(as_written, moved.get(legacy_key) or stale), (legacy_table, legacy_key))
        return found


def _state(as_written: bool | None, since: str | None) -> tuple[Label, str]:
    """Why one row is not as it should be, by whether it is as written and what has changed since."""
    if as_written is False:
        return Label.EDITED_IN_TARGET, "the row was edited in the target"
    return (Label.CHANGED_IN_LEGACY, since) if since else (Label.BUG, "the row is as it was written")


_State = tuple[Label, str, tuple[str | None, str | None]]


_NOBODY: tuple[str | None, str | None] = (None, None)


_NOT_OURS: _State = (Label.EXPECTED, "the row is none of ours", _NOBODY)


def _judged(reader: EvidenceReader, asked: Asked) -> Iterator[Finding]:
    for first in range(0, len(asked.differences), CHUNK):
        for difference, evidence in reader.gather(asked.differences[first : first + CHUNK]):
            yield from labels.findings(difference, evidence, reader.rules)


def _edited_rows(pair: SnapshotPair, spec: TableSpec, keys: set[str]) -> Iterator[tuple[str, str, str, bool | None]]:
    """Those of these target rows that are ours: key, legacy table and key, and whether each is as it was last written."""
    query = sql.SQL("SELECT DISTINCT legacy_table FROM {} WHERE source_id = %s AND table_name = %s")
    tables = pair.session.rows(query.format(pair.state.name("written_columns")), [pair.source_id, spec.name])
    for (legacy_table,) in tables:
        statement = SQL["edited_rows"].format(
            **statement_names(pair, spec, legacy_table),
            current_hash=written_columns.current_hash(pair, spec, legacy_table),
        )
        rows = pair.session.rows(statement, {"keys": sorted(keys)})
        yield from ((key, table, legacy_key, as_written) for key, table, legacy_key, as_written in rows)
