"""`views`: making, looking at and dropping the legacy-shaped views of the configured source."""

from collections.abc import Iterator
from contextlib import closing, contextmanager

from remoteiq_etl.bundled_server import databases as bundled
from remoteiq_etl.cli import output
from remoteiq_etl.cli.exit_codes import Exit
from remoteiq_etl.config.settings import Settings
from remoteiq_etl.errors import ViewsError
from remoteiq_etl.inverse.views import LegacyViews, schema_of
from remoteiq_etl.lifecycle.stages import store
from remoteiq_etl.postgres.database import Database
from remoteiq_etl.postgres.session_checks import refuse_shared
from remoteiq_etl.state.schema import State


def install(*, as_json: bool) -> Exit:
    """Make or renew them, and print which."""
    with _opened() as views:
        done = views.install()
    if as_json:
        output.print_json("views install", vars(done))
        return Exit.DONE
    made = f"{len(done.made)} views made or renewed" if done.made else "all views were as they should be"
    output.results().print(f"Schema {done.schema}: {made}; {done.numbered} rows numbered.", markup=False)
    return Exit.DONE


def check(*, as_json: bool) -> Exit:
    """Print what is not as it should be. FAILED when anything is not."""
    with _opened() as views:
        problems = views.problems()
        schema = views.place.views
    if as_json:
        output.print_json("views check", {"schema": schema, "problems": problems})
    elif problems:
        for text in problems:
            output.results().print(text, style="red", markup=False, soft_wrap=True)
        output.results().print("Next: remoteiq-etl views install.", markup=False)
    else:
        output.results().print(f"The views in {schema} are as they should be.", markup=False)
    return Exit.FAILED if problems else Exit.DONE


def remove(*, as_json: bool) -> Exit:
    """Drop those of ours, and print how many."""
    with _opened() as views:
        dropped = views.remove()
        schema = schema_of(views.source)
    if as_json:
        output.print_json("views remove", {"schema": schema, "dropped": list(dropped)})
    else:
        output.results().print(f"{len(dropped)} views of {schema} were dropped.", markup=False)
    return Exit.DONE


@contextmanager
def _opened() -> Iterator[LegacyViews]:
    """The views of the configured source. Raises ViewsError when it was never registered in the target."""
    settings = Settings.load()
    with bundled.databases(settings) as databases:
        target = Database(databases.target, settings.target_schema)
        with closing(target.connect()) as session:
            refuse_shared(session)
            state = State(target, settings.state_schema)
            if state.exists(session):
                state.ensure(session)
                if (found := store.source_of(session, state, settings.source)) is not None:
                    yield LegacyViews(session, state, settings.source, found)
                    return
    raise ViewsError(
        f"no run of the source {settings.source!r} was ever recorded in the target: there is nothing to show."
        " Check REMOTEIQ_SOURCE and REMOTEIQ_TARGET_URL, or run remoteiq-etl run first."
    )
