"""The asset check `gate`: whether the cut-over may begin, with every rule on its page.

Belongs here: the check, which is materialized with `migration_state`, and its metadata. Does not belong here: the rules
(remoteiq_etl.gate), the alert about a gate that has closed (see jobs).
"""

from collections.abc import Callable, Mapping

import dagster as dg

from remoteiq_etl.config.settings import Settings
from remoteiq_etl.errors import GateError
from remoteiq_etl.gate import gate
from remoteiq_etl.gate.gate import GateState
from remoteiq_etl.lifecycle.migration import connected
from remoteiq_etl.orchestration.assets.stages import MIGRATION_STATE
from remoteiq_etl.orchestration.metadata.materialization import Metadata
from remoteiq_etl.postgres.errors.failures import describe
from remoteiq_etl.spec.table import TableSpec

GATE = "gate"


def gate_check(specs: Mapping[str, TableSpec], settings: Callable[[], Settings]) -> dg.AssetChecksDefinition:
    """The check: passed while the gate is open, a warning while it is closed."""

    @dg.asset_check(
        asset=MIGRATION_STATE,
        name=GATE,
        description="Whether the cut-over may begin: every rule of the gate, and the approval.",
    )
    def check() -> dg.AssetCheckResult:
        try:
            with connected(settings(), specs) as both:
                found = gate.status(both)
        except GateError as error:
            return _result(passed=False, metadata={"closed by": dg.MetadataValue.text(str(error))})
        except Exception as error:  # noqa: BLE001  # the edge of the process towards Dagster, which stores texts
            raise dg.Failure(describe(error), allow_retries=False) from None
        return _result(passed=found.is_open, metadata=gate_metadata(found))

    return check


def _result(*, passed: bool, metadata: Metadata) -> dg.AssetCheckResult:
    return dg.AssetCheckResult(
        passed=passed,
        check_name=GATE,
        asset_key=MIGRATION_STATE,
        severity=dg.AssetCheckSeverity.WARN,
        metadata=metadata,
    )


def gate_metadata(found: GateState) -> Metadata:
    """The rules as a table, and why the gate is closed; keys of rows and names of roles, no other value."""
    rows = [f"| {one.rule.title} | {'yes' if one.passes else '**no**'} | {_cell(one.reason)} |" for one in found.rules]
    return {
        "rules": dg.MetadataValue.md("\n".join(["| rule | passes | what it finds |", "|---|---|---|", *rows])),
        "rules that do not pass": dg.MetadataValue.int(len(found.blocking)),
        "closed by": dg.MetadataValue.json(list(found.closed_by)),
        "approval": dg.MetadataValue.text("none" if found.approval is None else str(found.approval)),
    }


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")
