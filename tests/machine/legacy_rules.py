"""What the legacy application does: several sessions write at once, commit late or never. Does not belong here: the writes."""

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule

from tests.machine.world import World
from tests.machine.writes import WRITE, Write

#: Which session: 0 commits at once, the others' transactions stay open until they are ended.
SESSION = st.sampled_from([0, 1, 1, 2, 2])

Writes = list[tuple[int, bool, Write]]
WRITES = st.lists(st.tuples(SESSION, st.booleans(), WRITE), min_size=1, max_size=4)


class LegacyRules(RuleBasedStateMachine):
    """Rules of the legacy database."""

    world: World

    @rule(writes=WRITES)
    def legacy_sessions_write(self, writes: Writes) -> None:
        """Each write by its session, in a savepoint of its transaction or not."""
        for session, nested, write in writes:
            self.world.write(session, nested, write.statements(self.world))

    @rule(number=st.integers(1, 2), commit=st.sampled_from([True, True, False]))
    def a_legacy_transaction_ends(self, number: int, commit: bool) -> None:
        self.world.end(number, commit=commit)

    @rule(commit=st.booleans())
    def every_legacy_transaction_ends(self, commit: bool) -> None:
        for number in (1, 2):
            self.world.end(number, commit=commit)

    @rule(freeze=st.booleans())
    def old_rows_are_vacuumed(self, freeze: bool) -> None:
        self.world.looker.execute("VACUUM (FREEZE) users, tickets" if freeze else "VACUUM users, tickets, backup_jobs")
