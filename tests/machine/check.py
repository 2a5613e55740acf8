"""What holds after every run: the target is as the model says, and every legacy row is accounted for."""

from collections.abc import Collection, Mapping

from tests.machine.model import TableState
from tests.machine.tables import Row
from tests.machine.world import World
from tests.support.books import UNBALANCED

UNACCOUNTED = """
SELECT run_id, table_name, legacy_table, batch FROM remoteiq_etl.ledger
WHERE primary_rows AND "read" <> (SELECT coalesce(sum(value::bigint), 0) FROM jsonb_each_text(outcomes))
"""


def check(world: World, loaded: Collection[str]) -> None:
    """Compare everything. `loaded`: the tables that a run has just completed, so that each of their rows must be known."""
    lists = {what: world.looked_at(what) for what in ("quarantine", "held", "left_out", "conflicts")}
    for name, state in world.model.tables.items():
        found = world.target_rows(name)
        assert found == state.target, differing(name, found, state.target)
        present = world.model.legacy.get(state.table.legacy, {}).keys()
        for place in ("quarantine", "held"):
            found = {key: rule for key, rule in lists[place][name].items() if key in present}
            wanted = {key: why.rule for key, why in state.waits.items() if why.place == place and key in present}
            assert found == wanted, (name, place)
        _check_conflicts(state, lists["conflicts"][name], present)
        _check_map(world, state)
        if name in loaded:
            _check_all_known(world, name, present, [lists[place][name] for place in ("quarantine", "held", "left_out")])
    assert world.application.execute(UNACCOUNTED).fetchall() == []
    assert world.application.execute(UNBALANCED).fetchall() == []


def differing(table: str, found: Mapping[str, Row], wanted: Mapping[str, Row]) -> str:
    """The cells that are not as the model says."""
    lines = []
    for key in sorted(found.keys() | wanted.keys()):
        one, other = found.get(key), wanted.get(key)
        if one is None or other is None:
            lines.append(f"{table} {key}: {'missing' if one is None else 'not expected'}")
        else:
            lines += [
                f"{table} {key} {name}: {cell!r}, not {other[name]!r}"
                for name, cell in one.items()
                if cell != other[name]
            ]
    return "\n".join(lines)


def _check_conflicts(state: TableState, found: Collection[str], present: Collection[str]) -> None:
    """An adopted row differs from legacy in what it lacks of us; that is listed once and is no edit."""
    followed = set(present) - state.adopted
    assert set(found) & followed == state.conflicts & followed, (state.table.name, "conflicts")


def _check_map(world: World, state: TableState) -> None:
    """A row once written keeps its id for good, and no two keys share one."""
    mapped = world.mapped(state.table.name)
    assert {key: new_key for key, (new_key, _) in mapped.items()} == state.ids, (state.table.name, "map")
    live = [new_key for new_key, kept in mapped.values() if kept == "live"]
    assert len(live) == len(set(live)), (state.table.name, "two keys for one row")


def _check_all_known(world: World, name: str, present: Collection[str], places: list[dict[str, str]]) -> None:
    known = world.mapped(name).keys() | {key for place in places for key in place}
    assert set(present) <= known, (name, "nobody knows", set(present) - known)
