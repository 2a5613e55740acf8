"""What is known of a row, in words: the same on the command line as in the report.

Belongs here: sentences. Does not belong here: how they are laid out.
"""

import json
from collections.abc import Iterator
from typing import Any

from remoteiq_etl.lifecycle.explain.model import LegacyRow, MappedKey, Write

#: A value is cut after so many characters: the whole one is in the database, and in the JSON.
LONGEST = 60


def facts(row: LegacyRow) -> Iterator[str]:
    """What became of a legacy row, one line each."""
    for entry in row.entries:
        yield f"{_became(entry)}, by run {entry.first_run}{_last(entry)}{_decision(entry)}"
    for one in row.left_out:
        into = f" into {one.table} {one.into}" if one.into else f" for {one.table}"
        yield f"{one.outcome}{into}, by the rule {one.rule} (run {one.run_id})"
    for waiting in row.quarantine:
        columns = f" ({', '.join(waiting.columns)})" if waiting.columns else ""
        state = f"until run {waiting.released_run}" if waiting.released_run else f"{waiting.attempts} attempts"
        yield f"in quarantine for {waiting.table}: {waiting.rule}{columns}: {waiting.detail}; {state}, from run {waiting.first_run}"
    for held in row.held:
        state = f"until run {held.released_run}" if held.released_run else f"{held.attempts} attempts"
        yield f"held for {held.table}: waits for {held.parent_table} {held.parent_key} ({held.column}); {state}, from run {held.first_run}"
    for gone in row.gone:
        back = f", back since run {gone.returned_run}" if gone.returned_run else ""
        why = ", ".join(part for part in (gone.reason, gone.holder) if part)
        yield f"gone from legacy since run {gone.first_run}: {gone.outcome}{f' ({why})' if why else ''}{back}"


def _became(entry: MappedKey) -> str:
    place = f"{entry.entity} {entry.new_key or ''}".rstrip()
    verb = {
        "live": "became",
        "merged": "was merged into",
        "decided": "was decided to mean" if entry.new_key else "has a decision for",
        "deleted": "became, and was deleted in the target since:",
        "gone": "became, and was deleted by us since:",
        "undone": "became, and was taken back by an undo since:",
    }.get(entry.state, entry.state)
    return f"{verb} {place} ({entry.rule}{', adopted' if entry.adopted else ''})"


def _last(entry: MappedKey) -> str:
    return f", last changed by run {entry.last_run}" if entry.last_run != entry.first_run else ""


def _decision(entry: MappedKey) -> str:
    return f"; decision {json.dumps(entry.decision, ensure_ascii=False)}" if entry.decision else ""


def kept(value: Any, how: str) -> str:
    """A value of the archive as far as it is there, and how it is kept."""
    if how == "in clear":
        return shown(value)
    return f"({how})" if value is None else f"{shown(value)} (parts {how})"


def image(write: Write) -> str:
    """What a write changed, with the values before it."""
    before = write.image or {}
    told = before if write.operation == "delete" else {name: before[name] for name in write.changed}
    parts = [f"taken back by undo {write.undone_by}"] if write.undone_by is not None else []
    parts += [f"{name}: {shown(value)}" for name, value in told.items()]
    parts += [f"{name}: (sealed)" for name in write.sealed]
    parts += [f"{name}: (withheld)" for name in write.withheld if name not in write.sealed]
    return "; ".join(parts)


def shown(value: Any) -> str:
    """A value as text, cut where it is long."""
    if value is None:
        return "(null)"
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return f"{text[:LONGEST]}…" if len(text) > LONGEST else text
