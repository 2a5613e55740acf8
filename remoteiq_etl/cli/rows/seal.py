"""`seal`: make keys, seal everything with another key, and open a value for an operator.

The only place where a secret is shown: `seal show`, on stdout, because somebody asked for this row.
"""

import sys
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager

import typer
from rich.markup import escape

from remoteiq_etl.bundled_server import databases as bundled
from remoteiq_etl.cli import output
from remoteiq_etl.cli.exit_codes import Exit
from remoteiq_etl.config.settings import Settings
from remoteiq_etl.errors import ConfigurationError
from remoteiq_etl.frames import json_values
from remoteiq_etl.frames.shown_text import visible
from remoteiq_etl.lifecycle.operations import sealed_values
from remoteiq_etl.lifecycle.operations.overview import Overview
from remoteiq_etl.lifecycle.operations.sealed_values import Rotation, Value
from remoteiq_etl.postgres.database import Database, Session
from remoteiq_etl.sensitive import keys as sealing_keys
from remoteiq_etl.sensitive.keys import VARIABLE, SealingKeys
from remoteiq_etl.sensitive.sealing import Sealer, key_ids
from remoteiq_etl.state.schema import State


def new_key() -> Exit:
    """Print a fresh key on stdout, and on stderr the id that sealed values will name it by."""
    key = sealing_keys.new_key()
    typer.echo(key)
    [key_id] = key_ids(sealing_keys.parse(key, "the new key"))
    output.errors().print(
        f"Its id is {key_id}. Keep it where it outlives this machine: without it nothing that it sealed can be"
        f" opened. To change keys, set {VARIABLE} to the new and the old one, separated by a comma, and run"
        " remoteiq-etl seal rotate.",
    )
    return Exit.DONE


def rotate(*, as_json: bool) -> Exit:
    """Seal everything with the first key. FAILED when a value did not open; the others are done then."""
    settings = Settings.load()
    keys = _keys(settings)
    with _state(settings) as found:
        done = Rotation() if found is None else sealed_values.rotate(*found, keys, progress=_progress)
    if as_json:
        output.print_json("seal rotate", vars(done))
    else:
        _print_rotation(done, key_ids(keys)[0])
    return Exit.FAILED if done.broken_rows else Exit.DONE


def show(table: str, key: str, column: str | None, *, before: bool) -> Exit:
    """Print the values of one row. FAILED when there is none, or none of them can be shown."""
    settings = Settings.load()
    sealer = None if settings.sealing_keys is None else Sealer(settings.sealing_keys, settings.source)
    with _state(settings) as found:
        values = [] if found is None else _values(*found, settings, sealer, (table, key, column), before=before)
    if not values:
        raise ConfigurationError(f"nothing is kept of {' / '.join(filter(None, (table, key, column)))}. {_WHERE}")
    for value in values:
        _print_value(value, alone=column is not None and len(values) == 1)
    return Exit.DONE if any(value.text is not None for value in values) else Exit.FAILED


_WHERE = "remoteiq-etl archive shows which columns are in the archive; the key is the legacy one (with --before the new one)."


@contextmanager
def _state(settings: Settings) -> Iterator[tuple[Session, State] | None]:
    """The state schema of the target; None where no run ever began."""
    with bundled.databases(settings) as databases:
        database = Database(databases.target, settings.target_schema)
        with closing(database.connect()) as session:
            state = State(database, settings.state_schema)
            if not state.exists(session):
                yield None
                return
            state.ensure(session)  # adds what an older program did not know
            yield session, state


def _keys(settings: Settings) -> SealingKeys:
    if settings.sealing_keys is None:
        raise ConfigurationError(
            f"no sealing key is given. Set {VARIABLE} or {VARIABLE}_FILE: the key to seal with first, behind it those that"
            " sealed before."
        )
    return settings.sealing_keys


def _values(
    session: Session,
    state: State,
    settings: Settings,
    sealer: Sealer | None,
    wanted: tuple[str, str, str | None],
    *,
    before: bool,
) -> list[Value]:
    overview = Overview.of(session, state, settings.source)
    if overview is None:
        return []
    row = dict(zip(("table", "key", "column"), wanted, strict=True))
    return sealed_values.values(session, state, sealer, {**row, "source_id": overview.source_id}, before=before)


def _progress(rotated: int) -> None:
    if rotated:
        output.remarks().print(f"{rotated:,} rows sealed anew.", style="dim")


def _print_rotation(done: Rotation, key_id: str) -> None:
    console = output.results()
    console.print(f"{done.rotated:,} rows were sealed anew, with the key {key_id}.")
    for found, rows in done.keys.items():
        console.print(f"{rows:,} rows are sealed under {found}{' (the first key)' if found == key_id else ''}.")
    if done.broken_rows:
        _print_broken(done.broken, done.broken_rows)
    elif set(done.keys) <= {key_id}:
        console.print("No other key is needed any more.")


def _print_broken(broken: Sequence[str], rows: int) -> None:
    output.errors().print(
        f"{rows:,} rows do not open at their place and were left as they are: changed, or moved from another row. Restore them"
        f" from a backup of the state schema. The first of them: {escape('; '.join(broken))}",
        style="red",
        soft_wrap=True,
    )


def _print_value(value: Value, *, alone: bool) -> None:
    if value.withheld:
        what = "is" if value.text is None else "has parts that are"
        place = escape(" / ".join(value.place))
        output.errors().print(f"{place} {what} withheld: no sealing key was given when it was kept.", soft_wrap=True)
    if value.text is None:
        return
    parsed = json_values.parse(value.text)
    text = parsed if isinstance(parsed, str) else value.text
    # A pipe gets the value as it is; a terminal would obey what stands in it.
    shown = visible(text) if sys.stdout.isatty() else text
    typer.echo(shown if alone else f"{visible(' / '.join(value.place))}: {shown}")
