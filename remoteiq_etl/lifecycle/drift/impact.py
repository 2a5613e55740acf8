"""What the drift of a live legacy database means for a run: what stops it, which tables it leaves out, what it archives.

Belongs here: the weight of each difference, given what the declarations read and what an operator accepted. Does not
belong here: finding differences (`differences`, `legacy_rows`), their texts (`verdicts`), archiving
(remoteiq_etl.backfill.outcomes.drift_archive).
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

import pandas as pd

from remoteiq_etl.backfill.context.plan import Extra
from remoteiq_etl.config.settings import ValueMapEntries
from remoteiq_etl.lifecycle.drift.catalogue import read_schema, schema_exists
from remoteiq_etl.lifecycle.drift.differences import DifferenceKind, SchemaDifference
from remoteiq_etl.lifecycle.drift.needs import Needs, Specs
from remoteiq_etl.lifecycle.drift.report import Drift, DriftReport, drift_of, judged
from remoteiq_etl.lifecycle.drift.row_checks import LegacyRows, Readable, rows_in_words
from remoteiq_etl.lifecycle.drift.shape import SchemaShape, describe
from remoteiq_etl.lifecycle.drift.verdicts import DriftScope
from remoteiq_etl.lifecycle.mapping.column_map import origins
from remoteiq_etl.postgres.database import Session
from remoteiq_etl.spec.table import Source, TableSpec
from remoteiq_etl.spec.value_map import ValueMap
from schemas import legacy

_WHOLE_TABLE = frozenset(
    {
        DifferenceKind.MISSING_TABLE,
        DifferenceKind.DIFFERING_TABLE,
        DifferenceKind.HIDDEN_ROWS,
        DifferenceKind.UNREADABLE_KEY,
    }
)
_ACCEPTED = "accepted: each run archives what it finds there (rule accepted_drift)"


@dataclass(frozen=True)
class LegacyDrift:
    """The drift of one live legacy schema and its consequences.

    `blocked`: the assets that cannot be loaded, and why; `absent`: by table the columns that are read as NULL;
    `accepted`: the differences that an acceptance covers; `extras`: what of them is archived; `unknown`: names that were
    accepted and that no difference has.
    """

    report: DriftReport
    blocked: Mapping[str, str]
    absent: Mapping[str, frozenset[str]]
    accepted: tuple[Drift, ...]
    extras: tuple[Extra, ...]
    unknown: tuple[str, ...] = ()

    @property
    def warnings(self) -> tuple[str, ...]:
        """What every run says: differences that block a table or change what is carried, and names that nothing has."""
        told = [str(drift) for drift in self.report.drifts if drift.warns or (drift.blocks and not drift.stops)]
        return (
            *told,
            *(f"accepted, but the legacy database has no difference of this name: {n}" for n in self.unknown),
        )


def examine(
    session: Session,
    schema: str,
    specs: Specs,
    words: ValueMapEntries,
    accepted: Collection[str] = (),
    remembered: Collection[str] = (),
) -> LegacyDrift:
    """Look at a live legacy schema. `words` extend the value maps; `accepted` are names that an operator accepts now.

    `remembered` were accepted for an earlier run and may be gone since. Reads the catalogue, and counts rows where it
    leaves open whether they keep their checks or use an unknown label.
    """
    found = _Examination(session, schema, specs, words, frozenset({*accepted, *remembered})).result()
    named = {drift.where for drift in found.report.drifts}
    return replace(found, unknown=tuple(sorted({*accepted} - named)))


class _Examination:
    def __init__(
        self, session: Session, schema: str, specs: Specs, words: ValueMapEntries, accepted: frozenset[str]
    ) -> None:
        self.specs, self.words, self.names = specs, words, accepted
        self.schema = schema
        self.expected = describe(legacy.metadata)
        self.found = read_schema(session.connection, schema)
        self.exists = schema_exists(session.connection, schema)
        self.readable = Readable.of(session, schema)
        self.rows = LegacyRows(session, schema, self.found, self.readable)
        self.needs = Needs(specs)
        self.absent: defaultdict[str, set[str]] = defaultdict(set)
        self.accepted: list[Drift] = []
        self.direct: defaultdict[str, list[str]] = defaultdict(list)

    def result(self) -> LegacyDrift:
        report = judged(self.expected, self.found, self.schema, "legacy", exists=self.exists)
        if any(drift.scope is DriftScope.RUN and drift.blocks for drift in report.drifts):
            return LegacyDrift(report, {}, {}, (), ())
        unseen = [*self.rows.hidden(self.expected), *self.rows.unreadable_keys(self._keys())]
        drifts = [*map(self._weighed, [*report.drifts, *self._judged(unseen)]), *self._broken_checks()]
        reasons = {asset: "; ".join(texts) for asset, texts in self.direct.items()}
        return LegacyDrift(
            DriftReport.of("legacy", self.schema, drifts),
            self.needs.with_dependants(reasons),
            {table: frozenset(columns) for table, columns in self.absent.items()},
            tuple(self.accepted),
            tuple(_extras(self.accepted, self.found, self._keys())),
        )

    # --- the weight of one difference ---------------------------------------------------------------------------

    def _weighed(self, drift: Drift) -> Drift:
        if drift.kind is DifferenceKind.EXTRA_LABEL:
            return self._label(drift)
        if drift.scope is DriftScope.ACCEPTANCE and drift.blocks:
            return self._extra(drift)
        return self._lacking(drift) if drift.scope is DriftScope.TABLE and drift.blocks else drift

    def _extra(self, drift: Drift) -> Drift:
        if drift.where not in self.names:
            return drift
        live = self.found.tables[str(drift.table)].columns
        if not self.readable.may_read(str(drift.table), [drift.column] if drift.column else live):
            advice = (
                "accepted, but not every row of it may be read; GRANT SELECT, and BYPASSRLS where a policy hides rows"
            )
            return replace(drift, reason=advice)
        accepted = replace(drift, blocks=False, warns=True, reason=_ACCEPTED)
        self.accepted.append(accepted)
        return accepted

    def _lacking(self, drift: Drift) -> Drift:
        table, column = str(drift.table), str(drift.column)
        spare = self.needs.retired if drift.kind is DifferenceKind.DIFFERING_TYPE else self.needs.spare
        if drift.kind not in _WHOLE_TABLE and f"{table}.{column}" in spare:
            self.absent[table].add(column)
            return replace(drift, blocks=False, warns=True, reason="no rule needs it: it is read as NULL")
        whole = drift.kind in _WHOLE_TABLE
        assets = self.needs.readers(table) if whole else self.needs.users(table, column)
        if not assets:
            return replace(drift, blocks=False, reason="nothing that is loaded here reads it")
        for asset in assets:
            self.direct[asset].append(str(drift))
        every = self.needs.with_dependants(dict.fromkeys(assets, ""))
        return replace(drift, reason=f"{drift.reason}. Until then these are not loaded: {', '.join(sorted(every))}")

    def _label(self, drift: Drift) -> Drift:
        enum, label = str(drift.table), str(drift.column)
        uses = list(self.rows.uses(enum, label))
        accepted = drift.where in self.names
        if accepted:
            self.accepted.append(drift)
        if not uses:
            return drift
        told = [self._use(table, column, label, rows) for table, column, rows in uses]
        return replace(drift, warns=not accepted, reason="; ".join(told))

    def _use(self, table: str, column: str, label: str, rows: int) -> str:
        maps = [value_map for spec in self.specs.values() for value_map in _maps_of(spec, table, column)]
        fates = [_fate(value_map.extended(self.words.get(value_map.name, {})), label) for value_map in maps]
        return f"{rows_in_words(rows)} of {table}.{column}: {'; '.join(fates) or 'no value map reads the word, it is carried as it is'}"

    # --- rows ---------------------------------------------------------------------------------------------------

    def _broken_checks(self) -> Iterator[Drift]:
        for drift in self._judged(self.rows.broken_checks(self.expected, self._keys())):
            yield replace(drift, warns=True)

    def _judged(self, items: Iterable[SchemaDifference]) -> Iterator[Drift]:
        return filter(None, (drift_of(item, self.schema, "legacy") for item in items))

    def _keys(self) -> dict[str, tuple[str, ...]]:
        """The key columns by which the rows of each legacy table are known: those of its primary target."""
        keys = {table.name: tuple(table.primary_key.columns.keys()) for table in legacy.metadata.tables.values()}
        sources = [source for spec in self.specs.values() for source in spec.sources if isinstance(source, Source)]
        return keys | {source.name: source.key_columns for source in sources if source.primary}


def _extras(accepted: list[Drift], found: SchemaShape, keys: Mapping[str, tuple[str, ...]]) -> Iterator[Extra]:
    """What to archive of accepted tables and columns. A table without a key of ours is known by its own primary key."""
    columns: defaultdict[str, list[str]] = defaultdict(list)
    for drift in accepted:
        if drift.kind is DifferenceKind.EXTRA_TABLE:
            yield Extra(str(drift.table), found.tables[str(drift.table)].primary_key)
        elif drift.kind is not DifferenceKind.EXTRA_LABEL:
            columns[str(drift.table)].append(str(drift.column))
    for table, names in columns.items():
        kept_apart = tuple(sorted(keys[table])) in found.tables[table].uniques
        yield Extra(table, keys[table] if kept_apart else (), tuple(names))


def _maps_of(spec: TableSpec, table: str, column: str) -> Iterator[ValueMap]:
    """The value maps through which a table takes a legacy column."""
    reads = any(isinstance(source, Source) and source.name == table for source in spec.sources)
    behind = origins(spec)
    for value_map in spec.value_maps:
        filled = value_map.name.rpartition(".")[2]
        if f"{table}.{column}" in behind.get(filled, ()) or (reads and filled == column):
            yield value_map


def _fate(value_map: ValueMap, label: str) -> str:
    meaning = value_map.apply(pd.Series([label])).iloc[0]
    if isinstance(meaning, str):
        return f"the value map {value_map.name} makes it {meaning!r}"
    return (
        f"the value map {value_map.name} does not know it, so they are quarantined until"
        f' [values."{value_map.name}"] in remoteiq.toml says what {label!r} means'
    )
