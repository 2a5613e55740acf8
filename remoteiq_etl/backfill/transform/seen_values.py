"""The words that value maps and parsers met in one table: how often, and which for the first time.

Belongs here: counting and recording them. Does not belong here: what a word means (see values).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from psycopg import sql

from remoteiq_etl.backfill.context.report import TableReport
from remoteiq_etl.backfill.context.run_context import RunContext

#: The warning about a word that a value map or parser meets for the first time on a re-sync.
NEW_WORD = "word_seen_for_the_first_time"


@dataclass
class SourceValues:
    """The words of one table in one run, by the name of their value map."""

    run: RunContext
    counts: dict[str, dict[str, int]] = field(default_factory=dict)

    def add(self, words: Mapping[str, Mapping[str, int]]) -> None:
        """Add what a batch has met."""
        for name, counts in words.items():
            known = self.counts.setdefault(name, {})
            for word, count in counts.items():
                known[word] = known.get(word, 0) + count

    def tell(self, report: TableReport) -> None:
        """Tell the table's report which words were seen in its columns, and which of them no earlier run has seen.

        Where no earlier run has seen any, everything is new, and nothing is worth a warning.
        """
        report.words = self.counts
        query = sql.SQL("SELECT name, word, first_run < %s FROM {} WHERE source_id = %s AND name = ANY (%s)")
        rows = self.run.session.rows(
            query.format(self.run.state.name("words")), [self.run.id, self.run.source_record.id, list(self.counts)]
        )
        known, seen_before = {(name, word) for name, word, _ in rows}, {name for name, _, earlier in rows if earlier}
        for name in sorted(seen_before & self.counts.keys()):
            if new := sorted(word for word in self.counts[name] if (name, word) not in known):
                report.new_words[name] = new
                report.decision_warnings[NEW_WORD] += len(new)

    def write(self, *, add: bool) -> None:
        """Record the words; `add`: to the rows counted before, because not all rows were read."""
        run = self.run
        rows_before = 'known."rows" + ' if add else ""
        upsert = sql.SQL(
            'INSERT INTO {} AS known (source_id, name, word, "rows", first_run, last_run) VALUES (%s, %s, %s, %s, %s, %s)'
            ' ON CONFLICT (source_id, name, word) DO UPDATE SET "rows" = {}EXCLUDED."rows", last_run = EXCLUDED.last_run'
        ).format(run.state.name("words"), sql.SQL(rows_before))
        rows = [
            (run.source_record.id, name, word, count, run.id, run.id)
            for name, counts in self.counts.items()
            for word, count in counts.items()
        ]
        run.session.execute_many(upsert, rows)
