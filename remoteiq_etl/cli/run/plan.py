"""`plan`: what a run would do, worked out by a run whose every batch is taken back."""

from collections.abc import Sequence
from dataclasses import asdict

from rich.console import Console

from remoteiq_etl.cli import output, selection
from remoteiq_etl.cli.beginning import begin
from remoteiq_etl.cli.exit_codes import Exit
from remoteiq_etl.cli.run import progress, summary
from remoteiq_etl.config.settings import Settings
from remoteiq_etl.gate import roles
from remoteiq_etl.lifecycle import migration
from remoteiq_etl.lifecycle.interventions import Interventions
from remoteiq_etl.orchestration.runtime.run_options import RunOptions
from remoteiq_etl.spec.run_options import ROLE_GRANTS, UNION
from schemas.application import PROFILES


def show(
    tables: Sequence[str],
    domains: Sequence[str],
    *,
    full: bool,
    accept_drift: Sequence[str] = (),
    interventions: Interventions | None = None,
    role_grants: str | None = None,
    as_json: bool,
) -> Exit:
    """Print the summary that a run would end with.

    FAILED when tables would not be loaded, ATTENTION when rows would be quarantined or held.
    """
    declared = selection.all_tables()
    names = selection.chosen(declared, tables, domains)
    choices = RunOptions.asked(
        full=full, accept_drift=accept_drift, interventions=interventions, role_grants=role_grants
    )
    specs = {name: table.spec for name, table in declared.items()}
    with migration.connected(Settings.load(), specs) as both:
        begin(both)
        with (
            progress.shown(len(names or specs)) as listener,
            both.run(planning=True, listener=listener, **choices.arguments) as run,
        ):
            reports = run.load_all(names)
            plan = run.context.plan
            session, application = run.context.snapshot.session, both.settings.application
            rights = roles.would_change(session, plan.legacy, plan.options.get(ROLE_GRANTS, UNION))
            own = roles.would_lack_own_keys(
                session, plan.legacy, PROFILES[application.profile], application.granted_keys
            )
    if as_json:
        output.print_json(
            "plan",
            {
                "plan": True,
                "warnings": list(plan.warnings),
                "tables": summary.as_json(reports),
                "roles": [asdict(one) for one in rights],
                "own_requests": [asdict(one) for one in own],
            },
        )
    else:
        console = output.results()
        summary.show(reports, console, title="What a run would do")
        _show(rights, console)
        for one in own:
            console.print(f"Of the new application's {one}.", markup=False, soft_wrap=True)
        console.print("Nothing was written to the target's tables. remoteiq-etl run does it.")
    return summary.exit_code(reports)


def _show(rights: Sequence[roles.RoleRights], console: Console) -> None:
    """Print by role what it would gain and lose over the legacy guard."""
    if rights:
        console.print("Rights that would change against the legacy guard, by role:")
    for one in rights:
        console.print(f"  {one}", markup=False, soft_wrap=True)
