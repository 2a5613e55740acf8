"""Names of tables, value maps and labels in the configuration file, held against the declarations.

A misspelt name would silently choose nothing, and a label that the target does not know would stop every row. Belongs here:
what is wrong with them, as sentences. Does not belong here: reading the file (config), raising (migration), showing (drift).
"""

import difflib
from collections.abc import Callable, Collection, Iterator, Mapping

from sqlalchemy.dialects import postgresql as pg

from remoteiq_etl.config.settings import Settings
from remoteiq_etl.postgres.database import Session
from remoteiq_etl.spec.table import TableSpec

#: Labels of one enum type in the database, however they are declared.
_LIVE_LABELS = """
    SELECT l.enumlabel FROM pg_catalog.pg_attribute AS a
    JOIN pg_catalog.pg_enum AS l ON l.enumtypid = a.atttypid
    WHERE a.attrelid = pg_catalog.to_regclass(%s) AND a.attname = %s
    ORDER BY l.enumsortorder
"""

LiveLabels = Callable[[str, str], Collection[str]]
"""The labels that the column of a table has in the target; nothing where it is not there."""


def problems(settings: Settings, specs: Mapping[str, TableSpec], live: LiveLabels) -> list[str]:
    """What names of the configuration file nothing has, a sentence each. `live` is asked about labels of no declaration alone."""
    return [*_value_maps(settings, specs), *_labels(settings, specs, live), *_policies(settings, specs)]


def live_labels(session: Session, table: str, column: str) -> list[str]:
    """The labels of a column's enum type as the target has them."""
    name = session.database.table(table).as_string(session.connection)
    return [label for (label,) in session.rows(_LIVE_LABELS, [name, column])]


def _value_maps(settings: Settings, specs: Mapping[str, TableSpec]) -> Iterator[str]:
    known = sorted({value_map.name for spec in specs.values() for value_map in spec.value_maps})
    if unknown := sorted(settings.values.keys() - set(known)):
        yield f"no table has the value map {', '.join(unknown)}. The value maps are: {', '.join(known)}."


def _labels(settings: Settings, specs: Mapping[str, TableSpec], live: LiveLabels) -> Iterator[str]:
    for name, words in settings.values.items():
        declared = _declared_labels(name, specs)
        odd = {word: label for word, label in words.items() if label not in declared} if declared else {}
        legal = [*declared, *live(*name.split(".", 1))] if odd else []
        for word, label in odd.items():
            if label not in legal:
                yield (
                    f'[values."{name}"] gives {word!r} the meaning {label!r}, which is no label of that column.'
                    f" The labels are: {', '.join(dict.fromkeys(legal))}."
                )


def _declared_labels(name: str, specs: Mapping[str, TableSpec]) -> list[str]:
    """The labels of a value map's column; empty where it holds other texts than labels."""
    for spec in specs.values():
        column = spec.target.columns.get(name.partition(".")[2])
        if name in {value_map.name for value_map in spec.value_maps} and column is not None:
            return list(column.type.enums) if isinstance(column.type, pg.ENUM) else []
    return []


def _policies(settings: Settings, specs: Mapping[str, TableSpec]) -> Iterator[str]:
    for table in sorted(settings.conflicts.tables.keys() - specs.keys()):
        close = difflib.get_close_matches(table, specs, n=1)
        hint = f"{close[0]!r} is meant?" if close else "remoteiq-etl lineage lists the tables."
        yield f"[conflicts]: there is no table {table}. {hint}"
