"""Options that several commands share.

Belongs here: their names and help. Does not belong here: any import that takes long.
"""

from typing import Annotated, Literal

import typer

Tables = Annotated[
    list[str] | None,
    typer.Option("--table", metavar="T", help="Only this target table; repeatable.", show_default=False),
]
Domains = Annotated[
    list[str] | None,
    typer.Option("--domain", metavar="D", help="Only the tables of this domain; repeatable.", show_default=False),
]
Reason = Annotated[
    str | None,
    typer.Option("--reason", metavar="TEXT", help="Why; recorded with who and when, and shown by status."),
]
AcceptDrift = Annotated[
    list[str] | None,
    typer.Option(
        "--accept-drift",
        metavar="NAME",
        help="Go on although the legacy database has this table, table.column or enum type.label that no rule knows,"
        " and archive what is in it; repeatable. A run remembers it.",
        show_default=False,
    ),
]
Full = Annotated[bool, typer.Option("--full", help="Read every row, not only what changed since the last run.")]
Conflicts = Annotated[
    list[str] | None,
    typer.Option(
        "--conflicts",
        metavar="[T=]POLICY",
        help="Who wins where a row was edited in the target and changed in legacy: keep_target (default), take_legacy or"
        " fail; for one table as T=POLICY. Repeatable.",
        show_default=False,
    ),
]
Recreate = Annotated[
    list[str] | None,
    typer.Option(
        "--recreate",
        metavar="T[:KEY]",
        help="Make rows of this table again that were deleted in the target, or one of them by its legacy or new key."
        " Repeatable.",
        show_default=False,
    ),
]
Redecide = Annotated[
    list[str] | None,
    typer.Option(
        "--redecide",
        metavar="T",
        help="Take the decisions about names (clients, sites, roles or permissions) anew. Repeatable.",
        show_default=False,
    ),
]
RoleGrants = Annotated[
    Literal["union", "role_meta_first"] | None,
    typer.Option(
        "--role-grants",
        help="Which grants of a role count: those of role_permissions and role_meta (union), or those of role_meta where it"
        " names any. A run remembers it.",
        show_default=False,
    ),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON for a program instead of tables.")]
