"""Every legacy column with its one disposition, and every target column with what fills it.

Made of what each table declares (sources, lineage, rules, dispositions) and of nothing else; what Dagster, the command
line and docs/mapping.md show comes from here. Belongs here: putting it together, and what is wrong with it. Does not
belong here: any column's name.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from sqlalchemy import Column, Table

from remoteiq_etl.spec.dispositions import Disposition, DispositionKind, archived
from remoteiq_etl.spec.table import Source, TableSpec
from schemas import legacy, target
from schemas.target.optional import OPTIONAL_COLUMNS

UNCHANGED = "unchanged"
MAPPED = Disposition(DispositionKind.MAPPED, "")
IN_THE_MAP = Disposition(DispositionKind.MAPPED, "the legacy key, kept in the map")
OPTIONAL = archived("the redesign has no such column; filled where the target has one", "no_optional_column")
# The columns of these kinds say nothing to a target column that happens to have their name.
_SILENT = frozenset({DispositionKind.RETIRED, DispositionKind.MERGED})

Specs = Mapping[str, TableSpec]


@dataclass(frozen=True)
class LegacyColumn:
    """What becomes of one legacy column: exactly one disposition, unless something is wrong.

    `targets` and `optional` are target columns (table.column); `map` is the map in which a legacy key is kept.
    """

    table: str
    name: str
    dispositions: tuple[Disposition, ...]
    targets: tuple[str, ...] = ()
    optional: tuple[str, ...] = ()
    map: str | None = None

    @property
    def place(self) -> str:
        """Table and name: table.column."""
        return f"{self.table}.{self.name}"

    @property
    def filled(self) -> tuple[str, ...]:
        """Everything that the column fills, columns that only some targets have marked as such."""
        return (*self.targets, *(f"{place} (optional)" for place in self.optional))

    @property
    def disposition(self) -> Disposition | None:
        """The one disposition; None where there is none or more than one."""
        return self.dispositions[0] if len(self.dispositions) == 1 else None


@dataclass(frozen=True)
class TargetColumn:
    """What fills one target column: legacy columns (table.column) by a rule, or the rule alone. None: nothing is known."""

    table: str
    name: str
    sources: tuple[str, ...]
    rule: str | None
    optional: bool = False

    @property
    def place(self) -> str:
        """Table and name: table.column."""
        return f"{self.table}.{self.name}"


@dataclass(frozen=True)
class ColumnMap:
    """The columns of both sides by table.column, in the order of the schemas; `problems` is empty where all is well."""

    legacy: Mapping[str, LegacyColumn]
    target: Mapping[str, TargetColumn]
    problems: tuple[str, ...]

    @property
    def accounted(self) -> int:
        """How many legacy columns have exactly one disposition."""
        return sum(column.disposition is not None for column in self.legacy.values())


def column_map(specs: Specs) -> ColumnMap:
    """The map of all columns of both schemas, as these declarations (by name of the table) have it. Seeds say nothing."""
    specs = {name: spec for name, spec in specs.items() if name == spec.target.name}
    to = {
        f"{table.name}.{column.name}": _target_column(specs.get(table.name), column)
        for table, column in _columns(target)
    }
    to |= {column.place: column for spec in specs.values() for column in _optional_columns(spec)}
    legacy_columns = {column.place: column for column in _legacy_columns(specs, to)}
    return ColumnMap(legacy_columns, to, tuple(_problems(specs, legacy_columns, to)))


def of_table(spec: TableSpec) -> list[TargetColumn]:
    """What fills the columns of one target table, the optional ones last."""
    return [*(_target_column(spec, column) for column in spec.target.columns), *_optional_columns(spec)]


def origins(spec: TableSpec) -> dict[str, tuple[str, ...]]:
    """The columns (table.column) behind each column of a target table: those of equal name, and those it declares."""
    names = [*(column.name for column in spec.target.columns), *OPTIONAL_COLUMNS.get(spec.name, ())]
    found = {name: tuple(dict.fromkeys([*_equal_named(spec, name), *spec.lineage.get(name, ())])) for name in names}
    return {name: places for name, places in found.items() if places}


def _equal_named(spec: TableSpec, name: str) -> Iterator[str]:
    for source in spec.sources:
        if isinstance(source, Source) and name in source.table.columns:
            place = f"{source.table.name}.{name}"
            declared = spec.dispositions.get(place)
            if declared is None or declared.kind not in _SILENT:
                yield place


def _columns(schema: object) -> Iterator[tuple[Table, Column[object]]]:
    for table in schema.metadata.tables.values():  # type: ignore[attr-defined]  # both schema packages have metadata
        for column in table.columns:
            yield table, column


# --- what fills a target column -----------------------------------------------------------------------------------


def _target_column(spec: TableSpec | None, column: Column[object]) -> TargetColumn:
    table = column.table.name
    if spec is None:
        return TargetColumn(table, column.name, (), None)
    sources = origins(spec).get(column.name, ())
    return TargetColumn(table, column.name, sources, _rule(spec, column, sources))


def _optional_columns(spec: TableSpec) -> Iterator[TargetColumn]:
    behind = origins(spec)
    for name in OPTIONAL_COLUMNS.get(spec.name, ()):
        if name not in spec.target.columns:
            rule = spec.rules.get(name, UNCHANGED if name in behind and name not in spec.lineage else None)
            yield TargetColumn(spec.name, name, behind.get(name, ()), rule, optional=True)


def _rule(spec: TableSpec, column: Column[object], sources: tuple[str, ...]) -> str | None:
    """What the table says of the column; else what its kind says."""
    return spec.rules.get(column.name) or spec.no_source or _of_words(spec, column) or _of_kind(column, sources)


def _of_words(spec: TableSpec, column: Column[object]) -> str | None:
    named = [words.name for words in spec.value_maps if words.name.partition(".")[2] == column.name]
    return f"by the words of {named[0]}" if named else None


def _of_kind(column: Column[object], sources: tuple[str, ...]) -> str | None:
    parents = [key.column.table.name for key in column.foreign_keys]
    if parents == ["organizations"] and not sources:
        return "the organization of this source"
    if parents and sources:
        return f"the row of {parents[0]} that it means"
    if column.primary_key and column.name == "id":
        return "kept where it is a uuid of version 1 to 5 and free, else derived" if sources else "derived"
    if sources:
        return UNCHANGED if {place.partition(".")[2] for place in sources} == {column.name} else None
    return _default(column)


def _default(column: Column[object]) -> str | None:
    default = column.server_default
    return None if default is None else f"no source: the default {getattr(default, 'arg', default)}"


# --- what becomes of a legacy column ------------------------------------------------------------------------------


def _legacy_columns(specs: Specs, to: Mapping[str, TargetColumn]) -> Iterator[LegacyColumn]:
    filled: dict[str, list[TargetColumn]] = defaultdict(list)
    for column in to.values():
        for place in column.sources:
            filled[place].append(column)
    declared = _declared(specs)
    keys = _keys(specs)
    for table, found_column in _columns(legacy):
        name = found_column.name
        place = f"{table.name}.{name}"
        targets = tuple(one.place for one in filled[place] if not one.optional)
        optional = tuple(one.place for one in filled[place] if one.optional)
        dispositions = declared.get(place) or list(_implied(targets, optional, keys.get(place)))
        yield LegacyColumn(table.name, name, tuple(dispositions), targets, optional, keys.get(place))


def _implied(targets: tuple[str, ...], optional: tuple[str, ...], key_of: str | None) -> Iterator[Disposition]:
    if targets:
        yield MAPPED
    elif optional:
        yield OPTIONAL
    elif key_of is not None:
        yield IN_THE_MAP


def _declared(specs: Specs) -> Mapping[str, list[Disposition]]:
    found: dict[str, list[Disposition]] = defaultdict(list)
    for spec in specs.values():
        for place, disposition in spec.dispositions.items():
            found[place].append(disposition)
    return found


def _keys(specs: Specs) -> dict[str, str]:
    """The map in which each legacy key column is kept."""
    return {
        f"{source.name}.{column}": f"legacy_{spec.name}_map"
        for spec in specs.values()
        for source in spec.sources
        if isinstance(source, Source) and source.primary
        for column in source.key_columns
    }


# --- what is wrong ------------------------------------------------------------------------------------------------


def _problems(specs: Specs, columns: Mapping[str, LegacyColumn], to: Mapping[str, TargetColumn]) -> Iterator[str]:
    for column in columns.values():
        yield from _of_legacy(column)
    for table in target.metadata.tables.values():
        if table.name not in specs:
            yield f"{table.name}: no module of assets/ declares this target table."
    for filled in to.values():
        if filled.rule is None and filled.table in specs:
            yield (
                f"{filled.place}: expected a rule for this target column, or a reason why nothing fills it, found none."
                f" Add it to `rules` of {filled.table}."
            )
    for spec in specs.values():
        yield from _of_spec(spec, columns, to)


def _of_legacy(column: LegacyColumn) -> Iterator[str]:
    kinds = ", ".join(disposition.kind for disposition in column.dispositions) or "none"
    if column.disposition is None:
        yield (
            f"{column.place}: expected exactly one disposition, found {kinds}. A column without a target of equal name"
            " belongs in `lineage` of the table that it fills, else in `dispositions`, of one table only."
        )
    elif column.disposition.kind in _SILENT and column.targets:
        yield f"{column.place}: {kinds}, and yet it fills {', '.join(column.targets)}. Remove one of the two."


def _of_spec(spec: TableSpec, columns: Mapping[str, LegacyColumn], to: Mapping[str, TargetColumn]) -> Iterator[str]:
    for name in [*spec.lineage, *spec.rules]:
        if f"{spec.name}.{name}" not in to:
            yield f"{spec.name}: lineage or rules name the column {name}, which this target table has not."
    for place in [*(place for places in spec.lineage.values() for place in places), *spec.dispositions]:
        if place not in columns:
            yield f"{spec.name}: lineage or dispositions name {place}, which is no column of the legacy schema."
    for place, disposition in spec.dispositions.items():
        yield from _of_disposition(f"{spec.name}: {place}", disposition)


def _of_disposition(where: str, disposition: Disposition) -> Iterator[str]:
    if not disposition.reason:
        yield f"{where} is {disposition.kind} without a reason."
    if (
        disposition.kind in (DispositionKind.ARCHIVED, DispositionKind.SUPERSEDED, DispositionKind.MERGED)
        and not disposition.rule
    ):
        yield f"{where} is {disposition.kind}, and the rule is not named under which its values are found."
