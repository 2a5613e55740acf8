"""The commands in the order of a migration, by panel of --help, each with an example.

Belongs here: that order and the examples. Does not belong here: options and what a command does, and any import that takes
long.
"""

from collections.abc import Iterator, Mapping

import typer
from typer.core import TyperGroup

PANELS: Mapping[str, Mapping[str, str]] = {
    "Try it out": {
        "demo": "demo",
        "generate": "generate --agents 100 --seed 7",
    },
    "Before the first run": {
        "lineage": "lineage users.totp_secret",
        "doctor": "doctor",
        "prepare": "prepare --dry-run",
        "plan": "plan --domain support",
    },
    "Load, and keep in step": {
        "run": "run --table tickets",
        "status": "status --changes",
        "pause": 'pause --reason "month end"',
        "resume": "resume",
        "stop": 'stop --reason "maintenance at noon"',
        "reset": "reset tickets 4711 --yes",
        "undo": "undo --run 3 --out undo.json",
        "prune": "prune",
    },
    "Single rows": {
        "explain": "explain tickets 4711",
        "quarantine list": "quarantine list --rule duplicate_email",
        "quarantine warnings": "quarantine warnings --table devices",
        "quarantine show": "quarantine show users c5000000-0000-4000-8000-000000000019",
        "quarantine retry": "quarantine retry users c5000000-0000-4000-8000-000000000019",
        "quarantine ignore": 'quarantine ignore --rule duplicate_email --reason "old accounts"',
        "held list": "held list --table tickets",
        "conflicts list": "conflicts list --table devices",
        "conflicts show": "conflicts show tickets 4711",
        "conflicts resolve": 'conflicts resolve tickets 4711 --take --reason "agreed with support"',
        "deletes list": "deletes list --table agents",
        "deletes propagate": "deletes propagate --table agents",
        "archive": "archive --table agents",
        "seal new-key": "seal new-key",
        "seal rotate": "seal rotate",
        "seal show": "seal show agents 17 --column token_hash",
    },
    "Proof": {
        "verify": "verify tickets users",
        "report": "report --out report.html",
    },
    "Cut-over": {
        "finalize": "finalize --dry-run",
        "rehearse": "rehearse",
        "gate status": "gate status",
        "gate accept": 'gate accept quarantined_rows --all --reason "mended later"',
        "gate approve": 'gate approve --until 8h --reason "window of tonight"',
        "gate revoke": 'gate revoke --reason "a fault was found"',
        "application plan": "application plan",
        "application install": "application install",
        "application check": "application check",
        "application remove": "application remove",
        "views install": "views install",
        "views check": "views check",
        "views remove": "views remove",
        "cutover": "cutover --dry-run",
        "fallback plan": "fallback plan --file stays.json",
        "fallback run": "fallback run",
        "cleanup": "cleanup --dry-run",
    },
}
"""By panel the command and its example, without the name of the program."""


class InOrder(TyperGroup):
    """The program's commands, groups among them, in the order of a migration."""

    def list_commands(self, ctx: object) -> list[str]:
        """The names as --help lists them; what has no place comes last."""
        names = [command.split()[0] for panel in PANELS.values() for command in panel]
        return sorted(self.commands, key=lambda name: names.index(name) if name in names else len(names))


def arrange(app: typer.Typer) -> None:
    """Give every command its panel and its example."""
    for command, path in _commands(app, ()):
        for panel, examples in PANELS.items():
            if (example := examples.get(" ".join(path))) is not None:
                command.rich_help_panel = panel if len(path) == 1 else None
                command.epilog = f"Example: remoteiq-etl {example}"
    for group in app.registered_groups:
        name = group.name or (group.typer_instance and group.typer_instance.info.name)
        found = [panel for panel, examples in PANELS.items() if any(one.split()[0] == name for one in examples)]
        group.rich_help_panel = found[0] if found else None


def _commands(app: typer.Typer, path: tuple[str, ...]) -> Iterator[tuple[typer.models.CommandInfo, tuple[str, ...]]]:
    for command in app.registered_commands:
        name = command.name or (command.callback.__name__ if command.callback else "")
        yield command, (*path, name)
    for group in app.registered_groups:
        if group.typer_instance is not None:
            name = group.name if isinstance(group.name, str) else str(group.typer_instance.info.name)
            yield from _commands(group.typer_instance, (*path, name))
