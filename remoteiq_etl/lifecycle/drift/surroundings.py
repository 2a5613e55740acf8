"""What surrounds the two databases: room on the disk, settings of roles and databases, clocks, collations.

Belongs here: findings about these, each with what to do. It only reads. Does not belong here: versions, rights, extensions
and encodings (see checkup), the shape of the schemas.
"""

import shutil
from collections.abc import Collection, Iterator
from datetime import UTC, datetime
from pathlib import Path

from remoteiq_etl.lifecycle.drift.findings import CheckFinding, CheckStatus
from remoteiq_etl.lifecycle.drift.verdicts import Side
from remoteiq_etl.postgres.database import Session
from remoteiq_etl.postgres.session_settings import PINNED, READER, WRITER
from remoteiq_etl.postgres.statements import statements

SQL = statements(__file__)

ROOM = 3
"""Bytes of the target for each of legacy: rows, maps, before images, indexes. Measured with 200 generated agents and 20,000 rows
each of check_runs and agent_software: 2.0. The rest is for the log of writing them and for what grows until the cut-over."""

CLOCKS = 5.0
"""Seconds that two clocks may differ. Times of rows are compared across servers where people decide who changed what last."""

#: Settings that change what a write does and that our sessions do not pin. Any other is only named.
_DANGEROUS = {"session_replication_role": "origin"}

_COLLATION_VERSIONS_SINCE = 150_000


def around(session: Session, side: Side) -> Iterator[CheckFinding]:
    """What is true of either database: its settings, clock and collation."""
    yield _settings(session, side)
    yield _clock(session, side)
    yield _collation(session, side)


def size(session: Session, schemas: Collection[str]) -> int:
    """Bytes of the tables of these schemas."""
    return int(session.value(SQL["size"], {"schemas": list(schemas)}))


def room(session: Session, legacy_bytes: int, schemas: Collection[str]) -> CheckFinding:
    """Whether the target's disk has room for what becomes of so many bytes of legacy, less what is there already."""
    needed = max(0, ROOM * legacy_bytes - size(session, schemas))
    free = _free(session)
    estimate = (
        f"about {_bytes(needed)} are needed ({ROOM} times the {_bytes(legacy_bytes)} of legacy, less what is there)"
    )
    if free is None:
        advice = "the role may not ask, or the server is another machine: look there"
        return CheckFinding("target", "disk space", f"{estimate}; what is free is not known", advice=advice)
    found = f"{_bytes(free)} free, {estimate}"
    if free < needed:
        return CheckFinding("target", "disk space", found, CheckStatus.BLOCKS, "make room, or name another server")
    return CheckFinding("target", "disk space", found)


def _free(session: Session) -> int | None:
    """Bytes free where the server keeps its data; None where that is another machine or nobody says."""
    directory = session.value(SQL["data_directory"])
    host = session.connection.info.host
    if directory is None or not (host.startswith("/") or host in ("localhost", "127.0.0.1", "::1")):
        return None
    try:
        return shutil.disk_usage(Path(directory)).free
    except OSError:  # a container, or a directory of another user's
        return None


def _settings(session: Session, side: Side) -> CheckFinding:
    pinned = {one.name for one in PINNED} | READER.keys() | WRITER.keys() | {"search_path"}
    found = [(name, value, by) for name, value, by in session.rows(SQL["settings"]) if name not in pinned]
    bad = [f"{name} = {value}, set by {by}" for name, value, by in found if _DANGEROUS.get(name, value) != value]
    if bad:
        advice = "it turns triggers and foreign keys off: ALTER ROLE or ALTER DATABASE … RESET it"
        return CheckFinding(side, "settings", "; ".join(bad), CheckStatus.BLOCKS, advice)
    if not found:
        return CheckFinding(side, "settings", "role and database set nothing that our sessions do not set themselves")
    named = "; ".join(f"{name}, set by {by}" for name, _, by in found)
    return CheckFinding(
        side, "settings", named, CheckStatus.WARNS, "they hold in our sessions, too: are they meant to?"
    )


def _clock(session: Session, side: Side) -> CheckFinding:
    """Compare with this machine's; what the way takes counts half."""
    before = datetime.now(UTC)
    there: datetime = session.value(SQL["clock"])
    after = datetime.now(UTC)
    ahead = (there - (before + (after - before) / 2)).total_seconds()
    if abs(ahead) <= max(CLOCKS, (after - before).total_seconds()):
        return CheckFinding(side, "clock", "as this machine's")
    which = "ahead of" if ahead > 0 else "behind"
    advice = "set both by NTP: times of rows and of decisions are compared"
    return CheckFinding(side, "clock", f"{abs(ahead):,.0f} s {which} this machine's", CheckStatus.WARNS, advice)


def _collation(session: Session, side: Side) -> CheckFinding:
    collation, character_type = session.rows(SQL["collation"])[0]
    found = collation if collation == character_type else f"{collation}, case by {character_type}"
    if session.connection.info.server_version >= _COLLATION_VERSIONS_SINCE:
        made, now = session.rows(SQL["collation_versions"])[0]
        if made != now:
            advice = "indexes of texts may miss rows: REINDEX DATABASE, then ALTER DATABASE … REFRESH COLLATION VERSION"
            text = f"{found}, made by version {made}, the machine has {now}"
            return CheckFinding(side, "collation", text, CheckStatus.WARNS, advice)
    return CheckFinding(side, "collation", found)


def _bytes(number: int) -> str:
    size, unit = float(number), "B"
    for unit in ("B", "kB", "MB", "GB", "TB"):
        if size < 1000 or unit == "TB":
            break
        size /= 1000
    return f"{size:,.0f} {unit}"
