"""Checks that arrive under the name of a check template: they take its row over, because the name is there only once.

Belongs here: which ones do. Does not belong here: the templates (see assets.seeds), or names among migrated checks.
"""

from collections.abc import Iterable, Mapping
from dataclasses import replace

from assets.monitoring.rules.check_matches import Ref
from assets.shared.seed import SEED, entries, key_of, new_keys
from remoteiq_etl.spec.decisions import TAKES_ROW_OF, Decision
from remoteiq_etl.spec.transform_context import Context


def taken_over(names: Mapping[Ref, str], context: Context) -> dict[Ref, str]:
    """The checks that no earlier run wrote and whose name a template has, with the template's key."""
    migrated = {table: context.lookup("checks", table) for table in ("checks", "derived")}
    rows = {key for lookup in migrated.values() for key in new_keys(lookup)}
    seeds = {key for key, new in entries(context.lookup("checks", SEED)).items() if new not in rows}
    written = {(table, key) for table, lookup in migrated.items() for key in entries(lookup)}
    found = {ref: key_of(name) for ref, name in names.items() if ref not in written and key_of(name) in seeds}
    # Names are given once, but may differ in case alone: the first has the row.
    return {ref: key for key, ref in {key: ref for ref, key in reversed(found.items())}.items()}


def inheriting(decisions: Iterable[Decision], over: Mapping[Ref, str], context: Context) -> list[Decision]:
    """The decisions, with the row of its template for each check that takes one over."""
    seeds = entries(context.lookup("checks", SEED))
    return [
        replace(one, values={**one.values, TAKES_ROW_OF: [SEED, over[ref]]}, new_key=seeds[over[ref]])
        if (ref := (one.legacy_table, one.legacy_key)) in over
        else one
        for one in decisions
    ]
