"""What a person has to do before the cut-over, and what will happen at it: derived from what the state and the target hold.

Each kind is one statement in sql/tasks that gives a row per `key`; what gives none is not told. Belongs here: the kinds and
their words. Does not belong here: doing anything about them.
"""

from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from remoteiq_etl.postgres.statements import statements
from remoteiq_etl.report.model import ReportVerdict, Standing, Task
from remoteiq_etl.report.reading import Reader
from remoteiq_etl.report.waiting import FEW_KEYS
from remoteiq_etl.spec.table import TableSpec

SQL = statements(__file__)


@dataclass(frozen=True)
class TaskKind:
    """One kind of task. `blocks`: settle it before the cut-over; `reads`: target tables that its statement needs.

    `named`: whether its keys say anything to a person.
    """

    name: str
    title: str
    text: str
    blocks: bool = True
    reads: tuple[str, ...] = ()
    command: str | None = None
    named: bool = True


KINDS = (
    TaskKind(
        "tables_unfinished",
        "Tables to load to the end",
        "No run has completed these tables: a difference of the legacy schema blocks them, or runs ended before them.",
        command="remoteiq-etl doctor",
    ),
    TaskKind(
        "schema_incomplete",
        "Foreign keys and indexes to complete",
        "They were left out for the load and are not back, or not validated. A run without failed tables completes them.",
        command="remoteiq-etl run",
    ),
    TaskKind(
        "quarantine_open",
        "Quarantined rows to mend or to accept",
        "They cannot be carried as they are. Mend them in the legacy database, add their word to the configuration, or accept"
        " them with a reason. Below they are grouped by reason.",
        command="remoteiq-etl quarantine list",
    ),
    TaskKind(
        "held_open",
        "Rows that wait for a parent",
        "Their parent is in quarantine, or is not in the legacy database. They follow by themselves when it comes.",
        command="remoteiq-etl explain TABLE KEY",
    ),
    TaskKind(
        "conflicts_open",
        "Conflicts to decide",
        "Both sides changed these rows, and the target's values stand until somebody decides.",
        command="remoteiq-etl conflicts list",
    ),
    TaskKind(
        "conflicts_decided",
        "Decided conflicts to carry out",
        "The next run does it.",
        command="remoteiq-etl run",
    ),
    TaskKind(
        "accounts_to_merge",
        "Accounts to merge",
        "Another account has the same e-mail address and was migrated; these were not. Decide in legacy which of them stays, or"
        " accept that the person uses the other one.",
        command="remoteiq-etl quarantine list --rule duplicate_email",
    ),
    TaskKind(
        "accounts_adopted",
        "Accounts that were in the target already",
        "They keep their own password, status, roles and second factor, and got nothing of these from the legacy account of the"
        " same address. See that each is the same person, and give it the roles that it needs.",
        command="remoteiq-etl explain users --new KEY",
    ),
    TaskKind(
        "agents_to_enrol",
        "Agents to enrol again",
        "The target has no column for their token, so the new application does not know them. Plan their enrolment.",
        command="remoteiq-etl archive --table agents",
    ),
    TaskKind(
        "connections_missing",
        "Backup destinations without their connection",
        "They name a storage connection, and legacy has none to migrate. Create it in the new application before a backup runs.",
        reads=("backup_destinations", "storage_connections"),
    ),
    TaskKind(
        "script_checks",
        "Script checks to assign",
        "Legacy runs them on every device (scope GLOBAL). Nothing assigns them in the target, because a script on every machine"
        " is for a person to decide.",
        reads=("checks", "check_assignments"),
    ),
    TaskKind(
        "work_starts",
        "Work that the application starts at its next boot",
        "These tasks and jobs are unfinished in the target. None of them is from legacy unless verification says so; see that"
        " they are wanted.",
        reads=("agent_tasks", "backup_jobs"),
    ),
    TaskKind(
        "backups_start",
        "Backup policies that run from the next boot on",
        "They are switched on in the target.",
        reads=("backup_policies",),
    ),
    TaskKind(
        "backups_at_cutover",
        "Backup policies that the cut-over switches on",
        "They are on in legacy, and off in the target until the run of the cut-over, so that no backup is made twice.",
        blocks=False,
        reads=("backup_policies",),
    ),
    TaskKind(
        "mailboxes_start",
        "Mailboxes that the application polls from the next boot on",
        "Inbound mail of these channels is switched on. Let legacy stop polling first, or both make tickets of the same mail.",
        reads=("email_channels",),
    ),
    TaskKind(
        "passwords_to_set",
        "Accounts without a usable password",
        "They are active, and legacy has no password of theirs. They get in by a reset.",
        blocks=False,
        reads=("users",),
    ),
    TaskKind(
        "second_factor_missing",
        "Second factors to set up again",
        "Two-factor sign-in is on, and legacy has no secret for it: these people cannot sign in until it is reset.",
        reads=("user_security",),
    ),
    TaskKind(
        "second_factor_unreadable",
        "Second factors that may not work",
        "Their secret is not in the usual form and was carried as it is. Be ready to reset them.",
        blocks=False,
        named=False,
    ),
    TaskKind(
        "gone_listed",
        "Rows gone from legacy to decide about",
        "Their target rows are still there.",
        command="remoteiq-etl deletes list",
    ),
    TaskKind(
        "secrets_withheld",
        "Secrets that were not kept",
        "They have no place in the target, and there was no sealing key. Give one, and the next run seals those whose rows are"
        " there; after legacy is switched off they are lost.",
        blocks=False,
        command="remoteiq-etl seal new-key",
    ),
    TaskKind(
        "decisions_to_know",
        "Kinds of decisions to know of",
        "They stopped no row: names that were changed because they were taken, rows made up where legacy has none, and what would"
        " be decided otherwise today. The list names each row.",
        blocks=False,
        command="remoteiq-etl quarantine warnings",
    ),
    TaskKind(
        "drift_accepted",
        "Tables and columns that no rule knows",
        "Somebody accepted them; what is in them is in the archive, and nowhere else.",
        blocks=False,
    ),
)


def find(
    reader: Reader, specs: Mapping[str, TableSpec], present: Collection[str], verdict: ReportVerdict
) -> list[Task]:
    """What there is to do, those that block first. `present`: the tables that the target has."""
    parameters: dict[str, Any] = {
        "few": FEW_KEYS,
        "schema": reader.session.database.schema,
        "assets": [asset for asset, spec in specs.items() if spec.sources],
    }
    found = [_task(reader, kind, parameters) for kind in KINDS if set(kind.reads) <= set(present)]
    told = [*_verification(verdict), *(task for task in found if task.count)]
    return sorted(told, key=lambda task: not task.blocks)


def _task(reader: Reader, kind: TaskKind, parameters: dict[str, Any]) -> Task:
    names = {table: reader.target(table) for table in kind.reads}
    statement = reader.statement(SQL[kind.name], names)
    ((count, keys),) = reader.ask(SQL["task"], parameters, rows=statement)
    return Task(kind.name, kind.title, kind.text, count, kind.blocks, keys if kind.named else (), kind.command)


def _verification(verdict: ReportVerdict) -> list[Task]:
    """What does not allow a signature: unexplained differences, and what was not compared."""
    counts = Counter(verdict.tables) + Counter([verdict.beside])
    bugs, open_parts = counts[Standing.BUG], {one: words for one, words in _OPEN.items() if counts[one]}
    found = []
    if bugs:
        text = "They differ from what the mapping says, and nothing explains it. Do not cut over; each is named below its table."
        found.append(
            Task("bugs", "Tables with unexplained differences", text, bugs, True, (), "remoteiq-etl verify --json")
        )
    if open_parts:
        told = ", ".join(f"{counts[one]} {words}" for one, words in open_parts.items())
        text = f"{told}; what is verified beside the tables (sequences) counts as one. Only what was compared can be signed."
        count = sum(counts[one] for one in open_parts)
        found.append(Task("verify", "Tables to verify", text, count, True, (), "remoteiq-etl verify"))
    return found


_OPEN = {
    Standing.INCOMPLETE: "not loaded as a whole",
    Standing.NEVER: "never verified",
    Standing.STALE: "written since",
    Standing.FAILED: "could not be verified",
}
