"""Checks: one row per legacy check, and one for every (type, name) of an assignment that matches none.

Steps, decided before the first row is written: the check that each assignment means (check_matches), what each is called
(given_names), which template gives way (seeded_checks). Known faults of the data: the legacy application made assignments
from what agents ran, so that nobody defined the checks of 40 % of the generated assignments and there may be none at all; a
null type (4 %); names in upper case (1 %); a configuration that is null (17 %) or no object (33 %); of the 18 checks of the
edge cases 3 have one name under three types.
"""

from collections.abc import Mapping

import pandas as pd
from sqlalchemy import func, select

from assets.inventory.rules.maps import DEVICE_OF_TEXT
from assets.inventory.rules.pairing import rows_of
from assets.monitoring.rules import check_decisions, check_matches, seeded_checks, stand_ins
from assets.monitoring.rules.check_names import UNATTRIBUTED_KEY
from assets.monitoring.rules.maps import STAND_IN_OF_DEVICE, SYNTHESIZED_CHECKS
from assets.shared.seed import SEED
from remoteiq_etl.frames import json_text
from remoteiq_etl.frames.dtypes import TEXT, TIMESTAMP, frame, to_arrow
from remoteiq_etl.spec.batch import KEY, Batch
from remoteiq_etl.spec.decisions import Decide, Decided, StoredDecisions
from remoteiq_etl.spec.dispositions import archived
from remoteiq_etl.spec.lookup import Lookup
from remoteiq_etl.spec.table import Adoption, Derived, Source, TableSpec
from remoteiq_etl.spec.times import filled
from remoteiq_etl.spec.transform_context import ORGANIZATION, Context
from remoteiq_etl.spec.value_map import ValueMap
from schemas import legacy, target

TYPES = ValueMap(
    "checks.type",
    dict.fromkeys(("PING", "PORT"), "ping")
    | dict.fromkeys(("SERVICE", "RDP", "SMB", "FIREWALL"), "service")
    | {"PROCESS": "process"}
    | dict.fromkeys(("CPU", "MEMORY", "DISK", "SMART"), "metric"),
    default="script",
    null="script",
)
SYNTHESIZED_SCHEDULE = "@every 60s"
# Keys that the configuration gains; each from a column of the legacy check.
CONFIG = {
    "severityDefault": "severity_default",
    "intervalSec": "interval_sec",
    "timeoutSec": "timeout_sec",
    "enabled": "enabled",
    "scope": "scope",
    "legacyType": "type",
}
# Columns of which a synthesized check knows nothing.
UNKNOWN = dict.fromkeys(("category", "description", "created_by"), TEXT) | dict.fromkeys(
    ("created_at", "updated_at"), TIMESTAMP
)

_ASSIGNMENTS = legacy.check_assignments


def decide(inputs: Mapping[str, pd.DataFrame], recorded: StoredDecisions, context: Context) -> Decided:
    """Which check each assignment means, which are synthesized, and what all of them are called."""
    plan = check_decisions.planned(rows_of(inputs["checks"]), wanted(inputs, context), recorded, written(context))
    over = seeded_checks.taken_over(plan.names, context)
    ids = check_decisions.expected_ids(plan, context)
    made = {KEY: list(plan.made), "type": [one.type for one in plan.made.values()]}
    return Decided(
        decisions=seeded_checks.inheriting(check_decisions.decisions_of(plan, ids, recorded), over, context),
        rows={"derived": frame(made | {"name": [plan.names["derived", key] for key in plan.made]})},
        prepared={
            "names": Lookup.of({key: name for (table, key), name in plan.names.items() if table == "checks"}),
            "ids": Lookup.of({key: new for (table, key), new in ids.items() if table == "checks"}),
        },
        warnings=check_decisions.warnings_of(plan),
    )


def wanted(inputs: Mapping[str, pd.DataFrame], context: Context) -> dict[str, check_matches.Wanted]:
    """The checks that assignments mean, and `Unattributed` where a device has runs that no assignment claims."""
    found = check_matches.wanted_checks(rows_of(inputs["pairs"]))
    recorded = context.lookup(*STAND_IN_OF_DEVICE).decisions
    if None in stand_ins.stand_ins(inputs, recorded, context).values():
        found.setdefault(UNATTRIBUTED_KEY, check_matches.unattributed())
    return found


def written(context: Context) -> set[check_matches.Ref]:
    """The checks that have a row in the target."""
    found = {table: context.lookup("checks", table) for table in ("checks", "derived")}
    return {
        (table, key)
        for table, lookup in found.items()
        for key, new in zip(lookup.keys.to_pylist(), lookup.new_keys.to_pylist(), strict=True)
        if new is not None
    }


def transform(batch: Batch, context: Context) -> Batch:
    """One legacy check becomes one check; what has no column of its own goes into its configuration."""
    batch["id"] = context.prepared["ids"].find(batch.keys)
    batch["organization_id"] = context.organization_id
    batch["name"] = context.prepared["names"].find(batch.keys)
    batch.keep(batch.columns["name"] != batch["name"], "name", "name_taken")
    batch["type"] = batch.words_of("type", context.extended(TYPES))
    batch.carry("category", "description")
    created, updated = batch["created_at"], batch["updated_at"]
    batch["created_at"] = filled(batch, created, "created_at", updated)
    batch["updated_at"] = filled(batch, updated, "updated_at", created)
    batch["schedule"] = pd.Series([f"@every {seconds}s" for seconds in batch["interval_sec"]], dtype=TEXT)
    batch["config"] = configurations(batch)
    batch["created_by"] = context.lookup("users").find(batch["created_by"])
    batch.keep(batch.columns["created_by"].isna(), "created_by", "user_not_migrated")
    batch.keep(batch["updated_by"].notna(), "updated_by")
    return batch


def configurations(batch: Batch) -> pd.Series:
    """The legacy configuration with our keys added; nulls are left out."""
    columns = [to_arrow(batch[column]).to_pylist() for column in CONFIG.values()]
    added = [dict(zip(CONFIG, row, strict=True)) for row in zip(*columns, strict=True)]
    for ours, threshold in zip(added, batch["threshold"], strict=True):
        ours["threshold"] = json_text.parse(threshold)
    pairs = zip(json_text.objects(batch["config"]), added, strict=True)
    return json_text.texts(json_text.with_added(known, json_text.without_nulls(ours)) for known, ours in pairs)


def transform_synthesized(batch: Batch, context: Context) -> Batch:
    """A (type, name) that assignments mean and no check has becomes a check.

    It has the columns of a defined one, null where nothing is known, so that one which takes it over can be compared.
    """
    batch["id"] = check_decisions.ids_of_synthesized(batch.keys, context)
    batch["organization_id"] = context.organization_id
    batch.carry("name")
    batch["type"] = context.extended(TYPES).apply(batch["type"])
    batch["schedule"] = SYNTHESIZED_SCHEDULE
    for column, dtype in UNKNOWN.items():
        batch[column] = pd.Series([None] * len(batch.legacy), dtype=dtype)
    words = to_arrow(batch["type"]).to_pylist()
    batch["config"] = json_text.texts(json_text.without_nulls({"legacyType": word}) for word in words)
    return batch


SPEC = TableSpec(
    target=target.checks,
    grain="one row per legacy check, and one per (type, name) of assignments that no check has",
    sources=(Source(legacy.checks, transform), Derived(transform_synthesized)),
    decide=Decide(
        reads={
            "checks": select(*(legacy.checks.c[name] for name in ("id", "type", "name", "created_at"))),
            "pairs": select(_ASSIGNMENTS.c.check_type, _ASSIGNMENTS.c.check_name, func.count().label("uses")).group_by(
                _ASSIGNMENTS.c.check_type, _ASSIGNMENTS.c.check_name
            ),
        }
        | stand_ins.READS,
        function=decide,
    ),
    lookups=(
        ORGANIZATION,
        ("users", "users"),
        DEVICE_OF_TEXT,
        ("checks", "checks"),
        SYNTHESIZED_CHECKS,
        ("checks", SEED),
    ),
    recalls=(STAND_IN_OF_DEVICE,),
    legacy_reads=(legacy.check_assignments, legacy.check_runs),
    adopt=Adoption(columns=("organization_id", "name")),
    lineage={
        "created_at": ("checks.updated_at",),
        "updated_at": ("checks.created_at",),
        "name": ("checks.name", "check_assignments.check_name", "check_assignments.check_type"),
        "type": ("checks.type", "check_assignments.check_type"),
        "schedule": ("checks.interval_sec",),
        "config": (
            "check_assignments.check_type",
            "checks.config",
            "checks.threshold",
            *(f"checks.{column}" for column in CONFIG.values()),
        ),
    },
    value_maps=(TYPES,),
    rules={
        "name": "defined checks take their name first, a taken name gets the type in brackets; synthesized: the name, else the type",
        "type": "by the words of checks.type, script for every other",
        "schedule": "@every and the interval in seconds; 60 seconds for a synthesized check",
        "config": "the legacy configuration with threshold, severityDefault, intervalSec, timeoutSec, enabled, scope and legacyType",
        "created_by": "the user, where that user was migrated",
        "created_at": "unchanged; a missing time is the other one",
        "updated_at": "unchanged; a missing time is the other one",
    },
    dispositions={
        "checks.updated_by": archived("the redesign does not record who changed a check"),
    },
)
