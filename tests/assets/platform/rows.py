"""Rows of the singleton tables of settings, and what is decided about them."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import pandas as pd

from assets.platform.organization_settings import decide
from remoteiq_etl.frames.dtypes import BOOLEAN, INTEGER, TIMESTAMP, frame
from remoteiq_etl.spec.decisions import Decided, StoredDecisions
from remoteiq_etl.spec.transform_context import Context
from schemas import legacy

Rows = dict[str, Any] | list[dict[str, Any]]

CONTEXT = Context(organization_slug="acme")
SINGLETONS = (
    "branding_settings",
    "localization_settings",
    "support_legal",
    "support_legal_settings",
    "company_profile",
)
T1, T2, T3 = (datetime(2024, month, 1, tzinfo=UTC) for month in (1, 2, 3))
DTYPES = {
    "created_at": TIMESTAMP,
    "updated_at": TIMESTAMP,
    "allow_client_theme_toggle": BOOLEAN,
    "show_chat_widget": BOOLEAN,
}


def table(name: str, *rows: dict[str, Any]) -> pd.DataFrame:
    columns = [column.name for column in legacy.metadata.tables[f"legacy.{name}"].columns]
    dtypes = DTYPES | ({} if name == "backups_config" else {"id": INTEGER})
    return frame({column: [row.get(column) for row in rows] for column in columns}, dtypes)


def decided(**rows: Rows) -> Decided:
    """What is decided about these rows where the settings are there already, of somebody else: no seeds."""
    return decide(inputs_of(rows, "acme"), StoredDecisions(), CONTEXT)


def inputs_of(rows: Mapping[str, Rows], *present: str) -> dict[str, pd.DataFrame]:
    """The inputs of the decide step; `present` are the slugs of organizations that have settings."""
    inputs = {name: table(name) for name in (*SINGLETONS, "backups_config")}
    for name, given in rows.items():
        inputs[name] = table(name, *(given if isinstance(given, list) else [given]))
    inputs["present"] = frame({"slug": list(present)})
    return inputs
