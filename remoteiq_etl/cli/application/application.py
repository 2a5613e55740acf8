"""`application`: what the new application needs of the configured target, said, made, looked at and taken away."""

from collections.abc import Mapping

import typer

from remoteiq_etl.cli import output
from remoteiq_etl.cli.exit_codes import Exit
from remoteiq_etl.config.settings import Settings
from remoteiq_etl.lifecycle.application.access import opened
from remoteiq_etl.lifecycle.application.application import Found
from remoteiq_etl.lifecycle.application.standing import PartKind


def plan() -> Exit:
    """Print the SQL of install. No right to write is needed."""
    with opened(Settings.load()) as place:
        typer.echo(str(place.script()), nl=False)
    return Exit.DONE


def install(*, as_json: bool) -> Exit:
    """Make what is missing, and print it."""
    with opened(Settings.load()) as place:
        made = place.install()
        schema = place.schema
    if as_json:
        output.print_json("application install", {"schema": schema, "made": made})
        return Exit.DONE
    for name in made:
        output.results().print(f"made: {name}", markup=False)
    output.results().print(
        f"Schema {schema}: {len(made)} parts made." if made else "All of it was there.", markup=False
    )
    return Exit.DONE


def check(*, as_json: bool) -> Exit:
    """Print what is not as the application needs it. FAILED when anything is not."""
    with opened(Settings.load()) as place:
        found = place.found()
        schema = place.schema
    open_ = [one for one in found if one.standing.kind is not PartKind.THERE]
    if as_json:
        output.print_json(
            "application check", {"schema": schema, "complete": not open_, "parts": [_json(one) for one in found]}
        )
    else:
        for one in open_:
            output.results().print(f"{one.part.name}: {_words(one)}", style="red", markup=False, soft_wrap=True)
        ours = sum(one.ours for one in found)
        said = (
            "Next: remoteiq-etl application install." if open_ else f"All is there, {ours} of {len(found)} parts by us."
        )
        output.results().print(said, markup=False)
    return Exit.FAILED if open_ else Exit.DONE


def remove(*, as_json: bool) -> Exit:
    """Take away what is ours and unused, and print what stays."""
    with opened(Settings.load()) as place:
        done = place.remove()
    if as_json:
        output.print_json("application remove", {"gone": list(done.gone), "kept": done.kept})
        return Exit.DONE
    for name, why in done.kept.items():
        output.results().print(f"{name} stays: {why}.", style="yellow", markup=False, soft_wrap=True)
    output.results().print(f"{len(done.gone)} parts were taken away, {len(done.kept)} stay.", markup=False)
    return Exit.DONE


def _words(found: Found) -> str:
    return found.standing.why or str(found.standing.kind)


def _json(found: Found) -> Mapping[str, object]:
    return {
        "part": found.part.name,
        "standing": str(found.standing.kind),
        "why": found.standing.why or None,
        "ours": found.ours,
    }
