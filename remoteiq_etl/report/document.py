"""The report as JSON, for programs.

Belongs here: how each shape is written. The names of the fields are those of `model`. Does not belong here: the page.
"""

import json
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from datetime import datetime
from typing import Any

from remoteiq_etl.report.model import Report, ReportTable, TableAccount
from remoteiq_etl.verify.verdicts.model import TableVerdict


def as_json(report: Report) -> str:
    """The whole report as one JSON document."""
    return json.dumps(plain(report), ensure_ascii=False, indent=1)


def plain(value: Any) -> Any:
    """A shape of the report as JSON values, with what follows from its fields."""
    if isinstance(value, TableVerdict):
        found = {
            **value.as_json(),
            "findings": [finding.as_json() for finding in value.findings],
            "matrices": value.matrices,
        }
        return plain(found)
    if is_dataclass(value) and not isinstance(value, type):
        return {**{field.name: plain(getattr(value, field.name)) for field in fields(value)}, **_derived(value)}
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    return value.isoformat() if isinstance(value, datetime) else value


def _derived(value: Any) -> dict[str, Any]:
    if isinstance(value, TableAccount):
        return {"accounted": value.accounted, "remainder": value.remainder}
    return (
        {"legacy_rows": value.legacy_rows, "lost": value.lost, "gone": value.gone}
        if isinstance(value, ReportTable)
        else {}
    )
