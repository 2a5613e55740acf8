"""Clients: one row per distinct client name of devices, agents and tickets.

Known faults of the data, with their share of generated rows: one client in several spellings (1 %), devices,
agents and tickets without client (1 %), tickets that name their client in customer_id (20 %, another 15 % hold a uuid there);
of the 10 clients of the edge cases 2 are known from agents alone and 2 from tickets alone.
"""

from collections import Counter, defaultdict
from collections.abc import Mapping

import pandas as pd

from assets.inventory.rules import spelling
from assets.inventory.rules.maps import DEVICE_OF_AGENT
from assets.inventory.rules.pairing import rows_of
from assets.inventory.rules.places import READS, UNASSIGNED, UNASSIGNED_KEY, Mention, mentions, ticket_client
from remoteiq_etl.frames.dtypes import frame
from remoteiq_etl.frames.text import normalise
from remoteiq_etl.spec.batch import KEY, Batch
from remoteiq_etl.spec.decisions import Decide, Decided, Decision, StoredDecisions, Warned
from remoteiq_etl.spec.table import Adoption, Derived, TableSpec
from remoteiq_etl.spec.transform_context import ORGANIZATION, Context
from schemas import legacy, target


def decide(inputs: Mapping[str, pd.DataFrame], recorded: StoredDecisions, context: Context) -> Decided:
    """Every client that is named or needed: its spelling and its external reference."""
    found = mentions(inputs, context)
    uses = spelling.by_key((mention.place.client, mention.client, mention.uses) for mention in found)
    references = _references(rows_of(inputs["tickets"]))
    earlier = recorded.of("derived")
    decisions = {key: _decision(key, uses[key], references[key], earlier.get(key)) for key in sorted(uses)}
    columns = {name: [decision.values[name] for decision in decisions.values()] for name in ("name", "external_ref")}
    return Decided(
        decisions=[*decisions.values(), *(decision for key, decision in earlier.items() if key not in decisions)],
        rows={"derived": frame({KEY: list(decisions)} | columns)},
        warnings=_warnings(found, uses, references, decisions),
    )


def _references(tickets: list[dict[str, object]]) -> defaultdict[str | None, set[str]]:
    """The customer uuids that the tickets of each client name."""
    references: defaultdict[str | None, set[str]] = defaultdict(set)
    for row in tickets:
        if row["customer_uuid"] is not None:
            references[normalise(ticket_client(row))].add(str(row["customer_uuid"]))
    return references


def _decision(key: str, uses: Counter[str], references: set[str], earlier: Decision | None) -> Decision:
    values = earlier.values if earlier else {}
    name = spelling.chosen(values.get("name"), uses, UNASSIGNED)
    reference = values.get("external_ref")
    if reference not in references:
        reference = next(iter(references)) if len(references) == 1 else None
    return Decision("derived", key, "spelling", {"name": name, "external_ref": reference})


def _warnings(
    found: list[Mention],
    uses: Mapping[str, Counter[str]],
    references: Mapping[str | None, set[str]],
    decisions: Mapping[str, Decision],
) -> list[Warned]:
    tables: dict[str | None, set[str]] = defaultdict(set)
    for mention in found:
        if mention.client is not None:
            tables[mention.place.client].add(mention.table)
    names = {key: str(decision.values["name"]) for key, decision in decisions.items()}
    found_by_rule: dict[str, list[str | None]] = {
        "client_known_only_from_agents": [key for key, named in tables.items() if named == {"agents"}],
        "client_unassigned_made": [UNASSIGNED_KEY] if UNASSIGNED_KEY in uses and not uses[UNASSIGNED_KEY] else [],
        "client_external_ref_ambiguous": [key for key, uuids in references.items() if len(uuids) > 1],
        "spelling_would_change": [*spelling.overruled(uses, names)],
    }
    return [Warned(rule, "derived", key) for rule, keys in found_by_rule.items() for key in keys if key is not None]


def transform(batch: Batch, context: Context) -> Batch:
    """One client per normalised name, in its recorded spelling."""
    batch["id"] = context.derive_many("clients", "derived", batch.keys)
    batch["organization_id"] = context.organization_id
    batch.carry("name", "external_ref")
    return batch


SPEC = TableSpec(
    target=target.clients,
    grain="one row per client name of devices, agents and tickets",
    sources=(Derived(transform),),
    decide=Decide(reads=READS, function=decide, redecided=("derived",)),
    lookups=(ORGANIZATION,),
    recalls=(("devices", "devices"), DEVICE_OF_AGENT),
    legacy_reads=(legacy.devices, legacy.agents, legacy.tickets),
    adopt=Adoption(columns=("organization_id", "name")),
    lineage={
        "name": ("devices.client", "agents.client", "tickets.client", "tickets.customer_id"),
        "external_ref": ("tickets.customer_uuid",),
    },
    rules={
        "name": "one row per normalised name, in the spelling used most often",
        "external_ref": "the customer_uuid of its tickets, where they name exactly one",
    },
)
