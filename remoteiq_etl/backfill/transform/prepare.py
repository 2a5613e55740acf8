"""From a frame of legacy rows to rows ready for staging: source contract, transform, adoption, target contract.

Pure but for what the adopter remembers. Belongs here: the way of one batch in memory. Does not belong here: reading it,
staging it, writing it.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd

from remoteiq_etl.backfill.context.prepared import NEW, RULE, PreparedBatch
from remoteiq_etl.backfill.source.extract import UNREADABLE
from remoteiq_etl.backfill.transform.adoption import Adopter
from remoteiq_etl.backfill.transform.contracts import Contract, Failure
from remoteiq_etl.errors import ContractError
from remoteiq_etl.frames.dtypes import TEXT
from remoteiq_etl.frames.row_keys import key_text
from remoteiq_etl.spec.batch import KEY, ODD_TIMES, Batch, Disposal, Kept
from remoteiq_etl.spec.lookup import Lookup
from remoteiq_etl.spec.outcomes import Outcome
from remoteiq_etl.spec.table import TableSpec, Transform
from remoteiq_etl.spec.transform_context import Context

_NO_TEXT = "bytes that are no text in the encoding of the legacy database"


@dataclass(frozen=True)
class Contracts:
    """The contracts of one source of one table; derived rows have no source contract."""

    source: Contract | None
    target: Contract


def prepare(
    frame: pd.DataFrame,
    legacy_table: str,
    spec: TableSpec,
    transform: Transform,
    contracts: Contracts,
    context: Context,
) -> PreparedBatch:
    """Bring one frame to target rows. Raises ContractError when rows are lost or invented on the way."""
    odd = _odd_times(frame)
    good, refused = _source_checked(frame, contracts.source, odd)
    batch = Batch(good)
    for row, times in odd.items():
        _archive_odd(batch, str(frame[KEY].iloc[row]), times)
    batch = transform(batch, context)
    rows, failed = _target_checked(batch, contracts.target, spec)
    prepared = PreparedBatch(
        legacy_table, len(frame), frame, rows, [*refused, *batch.disposals.values(), *failed], batch
    )
    if len(batch.legacy) == len(good) and len(rows) + len(prepared.disposals) != len(frame):
        raise ContractError(
            f"{spec.name} from {legacy_table}: {len(frame)} rows in, {len(rows)} good and {len(prepared.disposals)} bad out."
            " Every row must end in exactly one of the two; this is a fault of the program."
        )
    return prepared


def with_keys(
    rows: pd.DataFrame, spec: TableSpec, legacy_table: str, adopter: Adopter, known: Lookup, legacy: pd.DataFrame
) -> pd.DataFrame:
    """The rows with what staging needs besides: adopted ids, the rule of identity, the JSON form of a composite key."""
    rows = adopter.adopt(rows, known)
    if len(spec.primary_key) > 1:
        parts = [rows[name].astype("object").to_list() for name in spec.primary_key]
        keys = [key_text([str(part) for part in values]) for values in zip(*parts, strict=True)]
        return rows.assign(**{RULE: _rules(rows), NEW: pd.Series(keys, index=rows.index, dtype=TEXT)})
    kept = rows[spec.primary_key[0]].astype("object") == rows[KEY].astype("object")
    return rows.assign(**{RULE: _rules(rows).mask(kept, "kept")})


def _rules(rows: pd.DataFrame) -> pd.Series:
    return pd.Series("derived", index=rows.index, dtype=TEXT)


def _source_checked(
    frame: pd.DataFrame, contract: Contract | None, odd: dict[int, dict[str, str]]
) -> tuple[pd.DataFrame, list[Disposal]]:
    if contract is None:
        return frame, []
    typed, failures = contract.split(frame)
    failures = [failure for failure in failures if failure.column not in odd.get(failure.row, {})]
    failures += _unreadable(frame)
    bad = sorted({failure.row for failure in failures})
    refused = [_refused(str(frame[KEY].iloc[row]), row, failures, "source_contract") for row in bad]
    return (typed.drop(index=bad).reset_index(drop=True) if bad else typed), refused


def _target_checked(batch: Batch, contract: Contract, spec: TableSpec) -> tuple[pd.DataFrame, list[Disposal]]:
    rows, failures = contract.split(batch.rows())
    twice = rows.duplicated(list(spec.primary_key), keep="first") if len(rows) else pd.Series(dtype=bool)
    failures += [Failure(int(row), ", ".join(spec.primary_key), "unique in the batch") for row in twice[twice].index]
    bad = sorted({failure.row for failure in failures})
    refused = [_refused(str(rows[KEY].iloc[row]), row, failures, "target_contract") for row in bad]
    return (rows.drop(index=bad).reset_index(drop=True) if bad else rows), refused


def _refused(key: str, row: int, failures: Sequence[Failure], rule: str) -> Disposal:
    mine = [failure for failure in failures if failure.row == row]
    columns = tuple(dict.fromkeys(failure.column for failure in mine))
    return Disposal(
        key, Outcome.QUARANTINED, rule, columns, "; ".join(f"{failure.column}: {failure.check}" for failure in mine)
    )


def _odd_times(frame: pd.DataFrame) -> dict[int, dict[str, str]]:
    if ODD_TIMES not in frame:
        return {}
    odd = frame[ODD_TIMES].dropna()
    return {row: json.loads(odd.loc[row]) for row in map(int, odd.index)}


def _unreadable(frame: pd.DataFrame) -> list[Failure]:
    """The values whose bytes are no text; they are shown here in octal, and nothing is made of them."""
    if UNREADABLE not in frame:
        return []
    found = frame[UNREADABLE].reset_index(drop=True).dropna()
    return [Failure(row, column, _NO_TEXT) for row in map(int, found.index) for column in json.loads(found.loc[row])]


def _archive_odd(batch: Batch, key: str, times: dict[str, str]) -> None:
    for column, text in times.items():
        batch.archive.append(Kept(key, column, text, "time_out_of_range"))
        batch.warnings["time_out_of_range"] += 1
