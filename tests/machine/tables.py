"""What a row of each modelled table becomes, by the mapping: written down a second time, and without the engine's code.

Belongs here: pure functions of a legacy row and the model. Does not belong here: who wins (see model).
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID, uuid5

if TYPE_CHECKING:
    from tests.machine.model import Model

Row = dict[str, Any]


@dataclass(frozen=True)
class LeftOut:
    """Why a legacy row does not become a target row: `place` is quarantine, held or left_out."""

    place: str
    rule: str = ""


@dataclass(frozen=True)
class Modelled:
    """One target table. `columns` are compared with what was last written; those of `activity` only grow.

    `unique`: the column, if any, of which no two rows have the same value. `parent`: a column and the table it leads to.
    `fills`: the columns that an adopted row may lack; none where no row is adopted.
    `notes_deleted`: others look its rows up, so that a run begins with noting which of them were deleted in the target.
    """

    name: str
    legacy: str
    legacy_key: str
    key: str
    columns: tuple[str, ...]
    incoming: Callable[["Model", str, Row], Row | LeftOut]
    activity: str | None = None
    unique: str | None = None
    parent: tuple[str, str] | None = None
    fills: tuple[str, ...] = ()
    has_updated_at: bool = True
    notes_deleted: bool = False

    @property
    def shown(self) -> tuple[str, ...]:
        """Every column of the target that the model follows."""
        more = [name for name in (self.activity, "updated_at" if self.has_updated_at else None) if name]
        return (self.key, *self.columns, *more)


def user(model: "Model", key: str, row: Row) -> Row | LeftOut:
    email = row["email"].strip().lower()
    if not email:
        return LeftOut("quarantine", "blank_email")
    if model.winners[email] != key:
        return LeftOut("quarantine", "duplicate_email")
    first, _, last = row["name"].strip().rpartition(" ")
    return {
        "email": email,
        "password_hash": row["password_hash"] or "!",
        "first_name": first or last,
        "last_name": last if first else None,
        "created_at": row["created_at"],
        "last_seen_at": row["last_seen"],
        "updated_at": row["updated_at"],
    }


def token(model: "Model", key: str, row: Row) -> Row | LeftOut:
    if row["user_id"] in model["users"].adopted:
        return LeftOut("left_out", "adopted_user")
    return parent_of(model, "users", row["user_id"]) or {
        "user_id": row["user_id"],
        "description": row["name"],
        "token_hash": row["token_hash"],
        "created_at": row["created_at"],
        "last_used_at": row["last_used_at"],
    }


STATUS_OF_JOB = {"success": "completed", "failed": "failed", "cancelled": "cancelled", "running": "cancelled"}


def job(model: "Model", key: str, row: Row) -> Row:
    return {
        "status": STATUS_OF_JOB[row["status"]],
        "cancelled": row["cancelled"] or row["status"] == "running",
        "note": row["note"],
        "size_bytes": row["size_bytes"],
        "started_at": row["started_at"],
        "finished_at": row["finished_at"],
        "created_at": row["started_at"],
    }


def log(model: "Model", key: str, row: Row) -> Row | LeftOut:
    its_job = model.legacy["backup_jobs"][row["job_id"]]
    return parent_of(model, "backup_jobs", row["job_id"]) or {
        "log_text": row["log_text"],
        "created_at": its_job["started_at"],
        "updated_at": its_job["finished_at"] or its_job["started_at"],
    }


STATUS_OF_TICKET = {"open": "open", "new": "open", "pending": "pending", "closed": "closed"}


def ticket(model: "Model", key: str, row: Row) -> Row | LeftOut:
    status = STATUS_OF_TICKET.get(row["status"])
    if status is None:
        return LeftOut("quarantine", "unknown_word")
    before = model["tickets"].current(key)
    closed_at = (before and before["closed_at"]) or row["updated_at"]
    return {
        "ticket_number": model.numbers[key],
        "subject": row["title"],
        "description": row["description"],
        "status": status,
        "created_at": row["created_at"],
        "closed_at": closed_at if status == "closed" else None,
        "updated_at": row["updated_at"],
    }


def derived(*names: str) -> str:
    """The id of a row whose own is taken."""
    source = uuid5(UUID("0d6e7c1e-9a53-4f0b-8f0e-2b9f3a6f5c11"), "default")
    return str(UUID(bytes=uuid5(source, json.dumps(names, separators=(",", ":"))).bytes, version=4))


def parent_of(model: "Model", table: str, key: str) -> LeftOut | None:
    """Why a row cannot be written for want of its parent; None when the parent is there as far as the map knows."""
    parent = model[table]
    if key in parent.written and key not in parent.deleted:
        return None
    if parent.waits.get(key, LeftOut("")).place == "quarantine":
        return LeftOut("quarantine", "parent_quarantined")
    if key in parent.deleted:
        return LeftOut("left_out", "parent_deleted_in_target")
    return LeftOut("held")


# --- what is decided over a whole table, and stays decided ------------------------------------------------------------


def decide_winners(model: "Model") -> None:
    """Of users with one address the recorded one, else the one seen last, else the oldest, else the lowest id."""
    groups: dict[str, list[str]] = {}
    rows = model.legacy["users"]
    for key, row in rows.items():
        if email := row["email"].strip().lower():
            groups.setdefault(email, []).append(key)
    for email, members in groups.items():
        if model.winners.get(email) not in members:
            model.winners[email] = min(
                members, key=lambda key: (_unseen(rows[key]["last_seen"]), rows[key]["created_at"], key)
            )


def _unseen(seen: datetime | None) -> tuple[bool, float]:
    return (seen is None, -seen.timestamp() if seen else 0)


def decide_numbers(model: "Model") -> None:
    """A ticket keeps its number where it is the first to have it and nobody else has; else it gets the next one above all."""
    tickets, rows = model["tickets"], model.legacy["tickets"]
    in_target = {row["ticket_number"] for row in tickets.target.values()}
    for key in [key for key, number in model.numbers.items() if number in in_target and not tickets.current(key)]:
        del model.numbers[key]
    taken = in_target | {*model.numbers.values()}
    highest = max([*taken, *(row["number"] for row in rows.values()), 0])
    seen: set[int] = set()
    for key, row in sorted(rows.items(), key=lambda item: (item[1]["created_at"], item[0])):
        number, first = row["number"], row["number"] not in seen
        seen.add(number)
        if key not in model.numbers:
            keeps = first and number not in taken
            highest += not keeps
            model.numbers[key] = number if keeps else highest


MODELLED: Mapping[str, Modelled] = {
    table.name: table
    for table in (
        Modelled(
            "users", "users", "id", "id",
            ("email", "password_hash", "first_name", "last_name", "created_at"),
            user, activity="last_seen_at", unique="email", fills=("first_name", "last_name"), notes_deleted=True,
        ),
        Modelled(
            "personal_access_tokens", "personal_tokens", "id", "id",
            ("user_id", "description", "token_hash", "created_at"),
            token, activity="last_used_at", parent=("user_id", "users"), has_updated_at=False,
        ),
        Modelled(
            "backup_jobs", "backup_jobs", "id", "id",
            ("status", "cancelled", "note", "size_bytes", "started_at", "finished_at", "created_at"),
            job, has_updated_at=False, notes_deleted=True,
        ),
        Modelled(
            "backup_job_logs", "backup_job_logs", "job_id", "job_id", ("log_text", "created_at"),
            log, parent=("job_id", "backup_jobs"),
        ),
        Modelled(
            "tickets", "tickets", "id", "id",
            ("ticket_number", "subject", "description", "status", "created_at", "closed_at"),
            ticket, unique="ticket_number", notes_deleted=True,
        ),
    )
}  # fmt: skip
"""In the order in which a run loads them."""

DECISIONS: Mapping[str, Callable[["Model"], None]] = {"users": decide_winners, "tickets": decide_numbers}
