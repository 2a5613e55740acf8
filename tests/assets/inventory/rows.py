"""Invented legacy devices, agents and tickets, for the tests of everything that is decided about them together."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pandas as pd

from remoteiq_etl.frames.dtypes import INTEGER, TIMESTAMP, frame
from tests.assets.builders import micros, uid

START = datetime(2024, 1, 1, tzinfo=UTC)


def day(number: int) -> datetime:
    return START + timedelta(days=number)


def _read(row: dict[str, Any]) -> dict[str, Any]:
    """A row as it is read: a time is its microseconds since 1970."""
    return {name: micros(value) if isinstance(value, datetime) else value for name, value in row.items()}


def device(number: int, **values: object) -> dict[str, Any]:
    row = {
        "id": uid(number),
        "hostname": f"pc{number}",
        "client": None,
        "site": None,
        "agent_uuid": None,
        "seen": day(0),
    }
    return _read(row | values)


def agent(number: int, **values: object) -> dict[str, Any]:
    row = {
        "id": str(number),
        "device_id": f"box-{number}",
        "hostname": f"host{number}",
        "os": "linux",
        "arch": "x64",
        "client": None,
        "site": None,
        "agent_uuid": uid(9000 + number),
        "logged_in_user": None,
        "seen": day(0),
    }
    return _read(row | values)


def ticket(**values: object) -> dict[str, Any]:
    return {"client": None, "site": None, "customer_id": None, "customer_uuid": None, "uses": 1} | values


def inputs(
    devices: list[dict[str, Any]] | None = None,
    agents: list[dict[str, Any]] | None = None,
    tickets: list[dict[str, Any]] | None = None,
    texts: list[str] | None = None,
    present: list[dict[str, Any]] | None = None,
) -> Mapping[str, pd.DataFrame]:
    """What the decide steps of inventory read."""
    return {
        "devices": _frame(devices or [], device(0)),
        "agents": _frame(agents or [], agent(0)),
        "tickets": _frame(tickets or [], ticket()),
        "check_assignments_texts": frame({"device_id": texts or []}),
        "check_runs_texts": frame({"device_id": []}),
        "tickets_texts": frame({"device_id": []}),
        "present": _frame(present or [], {"id": "", "site_id": "", "hostname": ""}),
    }


def _frame(rows: list[dict[str, Any]], like: dict[str, Any]) -> pd.DataFrame:
    return frame({name: [row[name] for row in rows] for name in like}, {"seen": TIMESTAMP, "uses": INTEGER})
