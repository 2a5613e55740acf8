"""Results of checks: one row per legacy check run.

Steps: find the assignment of each run, or the one that stands in for it (see attribution); then status, severity and times,
each from what the run itself says first; what would be lost goes into the metrics. Known faults of the data, with their
share of generated runs: no assignment (1 %) or one that does not exist (0.2 %), a device text that is not the assignment's
device (0.5 %) or names nobody (1 %), a status whose word says more than its label (3 %) or is unknown (0.3 %), an unknown
severity (0.1 %), metrics that are no object (0.2 %) or missing (2 %), no start or end (1 % each), no created_at (0.3 %).
"""

import pandas as pd

from assets.inventory.rules.device_texts import devices_of
from assets.inventory.rules.maps import DEVICE_OF_TEXT
from assets.monitoring.rules import attribution
from assets.monitoring.rules.check_names import SEVERITIES, SEVERITY_UNSET
from assets.monitoring.rules.maps import CHECK_OF_KEY, STAND_IN_OF_DEVICE
from assets.monitoring.rules.run_metrics import with_legacy
from remoteiq_etl.frames.dtypes import by_distinct, if_else
from remoteiq_etl.spec.batch import Batch
from remoteiq_etl.spec.decisions import Decide
from remoteiq_etl.spec.table import Follow, Source, TableSpec
from remoteiq_etl.spec.times import earliest, filled
from remoteiq_etl.spec.transform_context import Context
from remoteiq_etl.spec.value_map import ValueMap
from schemas import legacy, target

STATUSES = ValueMap(
    "check_runs.status",
    dict.fromkeys(("OK", "PASS", "PASSING"), "passed")
    | dict.fromkeys(("WARN", "WARNING", "UNKNOWN"), "warning")
    | dict.fromkeys(("CRIT", "ERROR", "FAIL", "FAILING", "TIMEOUT"), "failed")
    | {"MUTED": "muted"},
    lossy=frozenset({"UNKNOWN", "CRIT", "ERROR", "TIMEOUT"}),
)
# A muted check says nothing of how bad it was: the lower of the two.
SEVERITY_BY_STATUS = {"passed": "info", "warning": "medium", "muted": "medium", "failed": "high"}


def transform(batch: Batch, context: Context) -> Batch:
    """One legacy run becomes one run of its assignment, or of the one that stands in on its device."""
    batch["id"] = context.kept_or_derived("check_runs", "check_runs", batch["id"])
    devices = devices_of(batch, context)
    facts = attribution.attribute(batch, context, devices)
    batch["status"] = batch.words_of("status", context.extended(STATUSES))
    batch["severity"] = severities(batch, context, facts["severity"])
    started, created, finished = batch["started_at"], batch["created_at"], batch["finished_at"]
    batch["started_at"] = filled(batch, started, "started_at", created, finished, facts["created_at"])
    batch["created_at"] = filled(batch, created, "created_at", earliest(started, finished), facts["created_at"])
    batch.carry("finished_at", "output")
    batch["metrics"] = metrics(batch, facts, devices)
    return batch


def severities(batch: Batch, context: Context, of_check: pd.Series) -> pd.Series:
    """The severity of each run: its own word, else info when it passed, else its check's default, else by status."""
    own = batch.words_of("severity", context.extended(SEVERITIES))
    status = batch.columns["status"]
    by_status = by_distinct(status, SEVERITY_BY_STATUS.get)
    default = if_else((status == "passed").fillna(False) | of_check.isna(), by_status, of_check)
    return if_else((own == SEVERITY_UNSET).fillna(False), default, own)


def metrics(batch: Batch, facts: pd.DataFrame, devices: pd.Series) -> pd.Series:
    """The metrics, with what would else be lost under `legacy`: the status word, the text of another device.

    Another text for the assignment's own device is archived.
    """
    text = batch["device_id"]
    known = (text == facts["text"]).fillna(False) | (text == facts["device"]).fillna(False)
    other = ~known & facts["device"].notna() & ~(devices == facts["device"]).fillna(False)
    batch.keep(~known & ~other, "device_id", "device_text")
    lost = {
        "status": batch["status"].where(STATUSES.loses(batch["status"])),
        "deviceId": text.where(other),
    }
    return with_legacy(batch["metrics"], lost)


_ASSIGNED = tuple(f"{table}.{name}" for table in ("check_assignments", "checks") for name in attribution.TIMES)
SPEC = TableSpec(
    target=target.check_runs,
    grain="one row per legacy check run",
    sources=(
        Source(
            legacy.check_runs,
            transform,
            follows=(
                Follow(
                    "assignment_id",
                    legacy.check_assignments,
                    recorded=(*STAND_IN_OF_DEVICE, "assignment"),
                ),
            ),
        ),
    ),
    decide=Decide(reads=attribution.READS, function=attribution.decide),
    lookups=(("check_assignments", "check_assignments"), STAND_IN_OF_DEVICE, CHECK_OF_KEY, DEVICE_OF_TEXT),
    log_like=True,
    lineage={
        "started_at": ("check_runs.created_at", "check_runs.finished_at", *_ASSIGNED),
        "created_at": ("check_runs.started_at", "check_runs.finished_at", *_ASSIGNED),
        "assignment_id": ("check_runs.device_id",),
        "severity": ("check_runs.status", "check_runs.severity", "checks.severity_default"),
        "metrics": (
            "check_runs.status",
            "check_runs.device_id",
        ),
    },
    legacy_reads=(legacy.check_assignments, legacy.checks),
    value_maps=(STATUSES, SEVERITIES),
    rules={
        "assignment_id": "its own; without one the only assignment of its device, else one of the check Unattributed",
        "severity": "by the words of check_runs.severity; without one info when passed, else the check's default, else by status",
        "metrics": "the legacy metrics; a lossy status word and the text of another device are added under legacy",
        "started_at": "the first of started, created, finished, that of the assignment",
        "created_at": "unchanged; a missing time is the earliest other time, else that of the assignment",
    },
)
