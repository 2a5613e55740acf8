"""The tables of the report: what each accounts for, what it holds, and how far it is verified.

Belongs here: putting the facts of one table together. Does not belong here: the rows that wait (see waiting).
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from psycopg import sql

from remoteiq_etl.lifecycle.operations.overview import TableRow
from remoteiq_etl.postgres.statements import statements
from remoteiq_etl.report.model import Remark, ReportTable, TableAccount, Verified
from remoteiq_etl.report.reading import Reader
from remoteiq_etl.spec.table import Derived, Source, TableSpec
from schemas.state.maps import map_name

SQL = statements(__file__)

#: The outcomes of a key, in the order in which the law is written.
OUTCOMES = (
    "migrated", "adopted", "merged", "deleted in target", "taken back", "gone", "archived only", "filtered", "quarantined",
    "held",
)  # fmt: skip


@dataclass(frozen=True)
class TableAccounts:
    """Reads the facts of all target tables. `specs` by asset; `domains` likewise; `verified` by target table."""

    reader: Reader
    specs: Mapping[str, TableSpec]
    domains: Mapping[str, str]
    verified: Mapping[str, Verified]

    def tables(self, known: Iterable[TableRow]) -> list[ReportTable]:
        """Every target table, by domain and name. `known`: what the state schema knows of each."""
        rows, maps = {row.name: row for row in known}, self.reader.state.maps(self.reader.session)
        passes = {(name, legacy): count for name, legacy, count in self.reader.ask(SQL["passes"])}
        remarks = self.reader.ask_for(Remark, SQL["remarks"])
        present = {row[0] for row in self.reader.ask(SQL["tables"], {"schema": self.reader.session.database.schema})}
        return [
            self._table(
                [self.specs[asset] for asset in assets],
                self._accounts(assets, passes, map_name(name) in maps),
                self._rows(name) if name in present else None,
                self._managed(name) if map_name(name) in maps else 0,
                [rows[asset] for asset in dict.fromkeys([name, *assets]) if asset in rows],
                [remark for remark in remarks if remark.table == name],
            )
            for name, assets in sorted(self._assets().items(), key=lambda item: (self.domains[item[1][0]], item[0]))
        ]

    def _assets(self) -> dict[str, list[str]]:
        """The assets that write each target table, the one of its name first."""
        found: dict[str, list[str]] = {}
        for asset, spec in sorted(self.specs.items(), key=lambda item: (item[0] != item[1].name, item[0])):
            found.setdefault(spec.name, []).append(asset)
        return found

    def _table(
        self,
        specs: Sequence[TableSpec],
        accounts: Sequence[TableAccount],
        rows: int | None,
        managed: int,
        known: Sequence[TableRow],
        remarks: Sequence[Remark],
    ) -> ReportTable:
        main, last = specs[0], known[0] if known else None
        return ReportTable(
            name=main.name,
            domain=self.domains[main.asset],
            grain=main.grain,
            no_source=main.no_source,
            rows=rows,
            ours=managed,
            accounts=accounts,
            quarantined=sum(row.quarantined for row in known),
            held=sum(row.held for row in known),
            conflicts=sum(row.conflicts for row in known),
            last_run=max((row.last_run for row in known if row.last_run), default=None),
            passed_at=last.passed_at if last else None,
            full_pass_at=last.full_pass_at if last else None,
            swept_at=last.swept_at if last else None,
            remarks=remarks,
            verified=self.verified[main.name],
        )

    def _accounts(
        self, assets: Sequence[str], passes: Mapping[tuple[str, str], int], mapped: bool
    ) -> list[TableAccount]:
        return [
            TableAccount(
                name, primary, passes.get((asset, name)) if primary else None, self._outcomes(entity, name, mapped)
            )
            for asset in assets
            for entity, name, primary in _sources(self.specs[asset])
        ]

    def _outcomes(self, table: str, legacy_table: str, mapped: bool) -> dict[str, int]:
        parameters: dict[str, Any] = {"table": table, "legacy_table": legacy_table}
        if mapped:
            found = dict(self.reader.ask(SQL["accounts"], parameters, map=self.reader.state.name(map_name(table))))
        else:
            found = dict(self.reader.ask(SQL["accounts_unmapped"], parameters))
        return {
            outcome: found[outcome]
            for outcome in (*OUTCOMES, *sorted(found.keys() - set(OUTCOMES)))
            if outcome in found
        }

    def _rows(self, table: str) -> int:
        query = sql.SQL("SELECT count(*) FROM {}").format(self.reader.target(table))
        return int(self.reader.session.value(query))

    def _managed(self, table: str) -> int:
        """Rows that the map leads to, also those whose legacy row waits now, or is gone."""
        query = sql.SQL("SELECT count(*) FROM {} WHERE source_id = %s AND state = 'live'")
        return int(
            self.reader.session.value(query.format(self.reader.state.name(map_name(table))), [self.reader.source_id])
        )


def _sources(spec: TableSpec) -> Iterator[tuple[str, str, bool]]:
    """Target table, what its rows were made from, and whether the law counts those there."""
    for source in spec.sources:
        if isinstance(source, Source):
            yield spec.name, source.name, source.primary
        elif isinstance(source, Derived):
            yield spec.name, source.name, False
