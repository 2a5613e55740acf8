"""DKIM keys: one row per (domain, selector) with a private key.

Known faults of the data (of the 7 rows of the edge cases): the same selector in both tables (1), line ends written as `\\n`
(1, and 1 of 3 generated keys), broken keys (1, and 1 of 3 generated ones), settings that name a domain without a selector or
key (1), or nothing at all (1). A key may be encrypted, or one of OpenSSH: neither can be carried.
"""

from collections.abc import Mapping
from typing import NamedTuple

import pandas as pd

from assets.email.rules import dkim
from remoteiq_etl.frames.dtypes import TEXT, TIMESTAMP, by_distinct
from remoteiq_etl.spec.batch import Batch
from remoteiq_etl.spec.decisions import Decide, Decided, StoredDecisions
from remoteiq_etl.spec.table import Adoption, Source, TableSpec
from remoteiq_etl.spec.times import filled
from remoteiq_etl.spec.transform_context import Context
from schemas import legacy, target


class Carried(NamedTuple):
    """The key that is carried for one selector: where it is from, and the repaired PEM."""

    table: str | None = None
    key: str | None = None
    pem: str | None = None


def decide(inputs: Mapping[str, pd.DataFrame], recorded: StoredDecisions, context: Context) -> Decided:
    """Which key is carried where both tables, or two rows, have one for the same selector."""
    earlier = recorded.of("winner")
    chosen = dkim.winners(inputs, earlier)
    pems = {
        (table, key): pem
        for table, rows in inputs.items()
        for key, pem in zip(rows["id"], dkim.repaired(rows["private_key"]), strict=True)
    }
    won = {name: (str(choice.values["table"]), str(choice.values["key"])) for name, choice in chosen.items()}
    carried = {name: Carried(*winner, pems[winner]) for name, winner in won.items()}
    return Decided(decisions=list((earlier | chosen).values()), prepared={"carried": carried})


def transform_settings(batch: Batch, context: Context) -> Batch:
    """The key in use; its times are one, that of the last change."""
    _key(batch, context, "dkim_settings")
    batch["created_at"] = batch["updated_at"]
    batch["rotated_at"] = pd.Series([None] * len(batch.legacy), dtype=TIMESTAMP)
    return batch


def transform_keys(batch: Batch, context: Context) -> Batch:
    """A key of the table; one that was changed after it was made was rotated then."""
    _key(batch, context, "dkim_keys")
    batch["created_at"] = filled(batch, batch["created_at"], "created_at", batch["updated_at"])
    batch["rotated_at"] = batch["updated_at"].where(batch["updated_at"].gt(batch["created_at"]).fillna(False))
    return batch


def _key(batch: Batch, context: Context, table: str) -> None:
    """What both tables have in common: which rows become a key, and the key itself."""
    domains, names = dkim.domains(batch["domain"]), dkim.names(batch.legacy)
    pems = dkim.repaired(batch["private_key"])
    batch.archive_only(domains.isna(), "blank_domain")
    batch.archive_only(names.isna(), "domain_only")
    _supersede(batch, context, table, names, pems)
    _refuse(batch, pems)
    batch["id"] = context.derive_many("dkim_keys", table, batch.keys)
    batch["dkim_domain_id"] = batch.parent("domain", context.lookup(*dkim.DOMAINS), "dkim_domains", domains)
    batch["selector"] = dkim.selectors(batch["selector"])
    batch["public_key"] = by_distinct(pems, dkim.public_key)
    batch["private_key"] = pems


def _refuse(batch: Batch, pems: pd.Series) -> None:
    """Quarantine the keys that cannot be read, as what they are; the selector, which DNS may name still, is archived."""
    found = by_distinct(pems, dkim.unreadable)
    for rule, detail in dkim.UNREADABLE.items():
        refused = batch.is_open() & found.eq(rule).fillna(False)
        batch.keep(refused, "selector", rule)
        batch.quarantine(refused, rule, "private_key", detail=detail)


def _supersede(batch: Batch, context: Context, table: str, names: pd.Series, pems: pd.Series) -> None:
    """Merge the rows whose selector another row has won; what differs of them is archived."""
    carried = [context.prepared["carried"].get(name, Carried()) for name in names]
    tables = pd.Series([one.table for one in carried], dtype=TEXT)
    keys = pd.Series([one.key for one in carried], dtype=TEXT)
    winning = pd.Series([one.pem for one in carried], dtype=TEXT)
    lost = names.notna() & ~(tables.eq(table) & keys.eq(batch.keys)).fillna(False)
    batch.keep(lost & pems.ne(winning), "private_key", "superseded")
    for column in {"created_at", "updated_at"}.intersection(batch.legacy.columns):
        batch.keep(lost, column, "superseded")
    batch.merge(lost & tables.eq(table), "superseded", keys)
    batch.merge(lost, "superseded")


SPEC = TableSpec(
    target=target.dkim_keys,
    grain="one row per domain and selector with a private key",
    sources=(Source(legacy.dkim_settings, transform_settings), Source(legacy.dkim_keys, transform_keys)),
    decide=Decide(reads=dkim.READS, function=decide),
    lookups=(dkim.DOMAINS,),
    adopt=Adoption(columns=("dkim_domain_id", "selector")),
    lineage={
        "dkim_domain_id": ("dkim_settings.domain", "dkim_keys.domain"),
        "public_key": ("dkim_settings.private_key", "dkim_keys.private_key"),
        "created_at": ("dkim_settings.updated_at", "dkim_keys.created_at", "dkim_keys.updated_at"),
        "rotated_at": (
            "dkim_keys.created_at",
            "dkim_keys.updated_at",
        ),
    },
    rules={
        "dkim_domain_id": "the domain, trimmed and lower-cased",
        "selector": "trimmed",
        "public_key": "derived from the private key, as base64 SubjectPublicKeyInfo",
        "private_key": "unchanged but for line ends written as \\n, which are repaired; of equal selectors that of dkim_settings wins",
        "created_at": "unchanged, a missing time is when the key was changed; of dkim_settings when it was last changed",
        "rotated_at": "when a key of dkim_keys was changed after it was made",
    },
)
