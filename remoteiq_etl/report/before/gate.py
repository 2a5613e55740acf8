"""The gate of the cut-over as the report shows it: each rule, what people decided, and the last rehearsal.

Belongs here: reading that as plain data. Does not belong here: the rules (remoteiq_etl.gate).
"""

from collections.abc import Mapping
from typing import Any

from remoteiq_etl.config.settings import Settings
from remoteiq_etl.errors import ConnectionFailed, DriftError, GateError
from remoteiq_etl.gate import gate
from remoteiq_etl.lifecycle.migration import Migration
from remoteiq_etl.postgres.database import Database
from remoteiq_etl.postgres.statements import statements
from remoteiq_etl.report.model import GateLine, GatePage, RehearsalLine
from remoteiq_etl.report.reading import Reader
from remoteiq_etl.spec.table import TableSpec

SQL = statements(__file__)


def page(
    settings: Settings, specs: Mapping[str, TableSpec], target: Database, legacy: Database, reader: Reader
) -> GatePage:
    """The gate now; after the cut-over the legacy database may be gone, and then it says so."""
    rehearsals = [_rehearsal(*row) for row in reader.ask(SQL["rehearsals"])]
    try:
        migration = Migration(settings, legacy, target, specs)
        found = gate.status(migration)
        rights = [*map(str, gate.rights(migration)), *map(str, gate.own_requests(migration))]
    except (ConnectionFailed, DriftError, GateError) as error:
        return GatePage(False, (f"it cannot be looked at: {error}",), (), None, rehearsals)
    lines = [GateLine(one.rule.name, one.rule.title, one.passes, one.reason, one.rule.todo) for one in found.rules]
    risks = tuple(f"{item} – {by}" for one in found.rules for item, by in one.accepted)
    approval = None if found.approval is None else str(found.approval)
    return GatePage(found.is_open, found.closed_by, lines, approval, rehearsals, risks, tuple(rights))


def _rehearsal(number: int, verdict: str, ended_at: Any, actor: str, window: Any) -> RehearsalLine:
    return RehearsalLine(number, verdict, ended_at, actor, None if window is None else tuple(map(float, window)))
