"""What is looked at beside single tables: the sequences of the state schema and of the legacy database.

Belongs here: checks that are about no target table. Does not belong here: those of one (see table).
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

from remoteiq_etl.verify.checks.constraints import ABOUT_SEQUENCES, SEQUENCES, of_sequence, sequences
from remoteiq_etl.verify.snapshots import SnapshotPair
from remoteiq_etl.verify.verdicts.model import CoverageNote, Finding, Label


@dataclass
class DatabaseLook:
    """What one look says of what is no table."""

    pair: SnapshotPair
    looked: dict[str, CoverageNote] = field(default_factory=dict, init=False)

    def findings(self) -> Iterator[Finding]:
        """Every difference with its label."""
        state, late = sequences(self.pair.session, self.pair.state.schema)
        yield from (of_sequence(one, Label.BUG, "the next run would fail") for one in late)
        schema = self.pair.verification_context.plan.legacy.schema
        legacy, behind = sequences(self.pair.legacy, schema)
        detail = "a fault of the legacy database that concerns its own application, no run"
        yield from (of_sequence(one, Label.EXPECTED, detail) for one in behind)
        self.looked[SEQUENCES] = CoverageNote(ABOUT_SEQUENCES, "sequences", state + legacy)
