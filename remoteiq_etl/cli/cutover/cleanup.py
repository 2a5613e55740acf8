"""`cleanup`: the script of what is dropped, and dropping it after the name of the source was typed."""

from pathlib import Path

import typer

from remoteiq_etl.cli import output
from remoteiq_etl.cli.cutover.cutover import opened
from remoteiq_etl.cli.exit_codes import Exit
from remoteiq_etl.lifecycle.cleanup import execute
from remoteiq_etl.lifecycle.cleanup.execute import CleanupReport


def show_plan(*, state: bool, as_json: bool) -> Exit:
    """Print the script, which psql can run, and on stderr what stands in the way. FAILED when something does."""
    with opened() as place:
        found = execute.plan(place, state=state)
    if as_json:
        stays = [str(one) for one in found.stays]
        output.print_json("cleanup --dry-run", {"script": found.statements, "stays": stays, "blockers": found.blockers})
    else:
        typer.echo("\n".join(f"{statement};" for statement in found.statements))
        for one in found.stays:
            output.errors().print(f"Stays: {one}", markup=False, soft_wrap=True)
        for line in found.blockers:
            output.errors().print(f"In the way: {line}", style="red", markup=False, soft_wrap=True)
    return Exit.FAILED if found.blockers else Exit.DONE


def clean_up(confirmed: str | None, archive: Path | None, *, state: bool, as_json: bool) -> Exit:
    """Drop what is left of legacy, or our own state."""
    with opened() as place:
        name = _typed(place.source) if confirmed is None else confirmed
        report = execute.drop_state(place, name) if state else execute.clean_up(place, name, archive)
    if as_json:
        output.print_json("cleanup", _json(report))
    else:
        _print(report)
    return Exit.DONE


def _typed(source: str) -> str:
    """What a person answers; nothing where nobody is there to ask."""
    typer.echo(
        f"After this there is no way back. Type the name of the source ({source}) to go on: ", err=True, nl=False
    )
    return typer.get_text_stream("stdin").readline().strip()


def _print(report: CleanupReport) -> None:
    console = output.results()
    said = [f"{len(report.dropped)} objects were dropped{', and their schema' if report.schema_dropped else ''}."]
    if report.archive is not None:
        kept = report.archive.manifest
        how = "encrypted with the sealing key" if kept.key_id else "not encrypted: no sealing key is given"
        said += [
            f"The archive of the state is in {report.archive.directory}: {len(kept.files)} files, {kept.rows:,} rows, {how}.",
            f"Its digest: {report.archive.digest}. It was read back.",
        ]
    if report.fingerprint:
        said += [f"The schema of the new application is what it was: fingerprint {report.fingerprint}."]
    said += [f"Stays: {one}" for one in report.stays]
    for line in said:
        console.print(line, markup=False, soft_wrap=True)


def _json(report: CleanupReport) -> dict[str, object]:
    archive = report.archive
    return {
        "dropped": [str(one) for one in report.dropped],
        "stays": [str(one) for one in report.stays],
        "schema_dropped": report.schema_dropped,
        "fingerprint": report.fingerprint,
        "archive": archive
        and {"directory": archive.directory, "digest": archive.digest, "rows": archive.manifest.rows},
    }
