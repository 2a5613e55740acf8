"""Sites: one row per distinct (client, site) of devices, agents and tickets.

Known faults of the data, with their share of generated rows: one site in several spellings (1 %), no site (1.5 %), no client
(1 %); a site without client lies under Unassigned, a device with a client but no site at its site Default (see places).
"""

import json
from collections import Counter
from collections.abc import Mapping

import pandas as pd

from assets.inventory.rules import spelling
from assets.inventory.rules.maps import CLIENTS, DEVICE_OF_AGENT
from assets.inventory.rules.places import DEFAULT, DEFAULT_KEY, READS, mentions
from remoteiq_etl.frames.dtypes import by_distinct, frame
from remoteiq_etl.spec.batch import KEY, Batch
from remoteiq_etl.spec.decisions import Decide, Decided, Decision, StoredDecisions, warned
from remoteiq_etl.spec.table import Adoption, Derived, TableSpec
from remoteiq_etl.spec.transform_context import Context
from schemas import legacy, target


def decide(inputs: Mapping[str, pd.DataFrame], recorded: StoredDecisions, context: Context) -> Decided:
    """Every site that is named or needed, and its spelling."""
    found = mentions(inputs, context)
    uses = spelling.by_key((mention.place.site_key, mention.site, mention.uses) for mention in found)
    earlier = recorded.of("derived")
    decisions = {key: _decision(key, uses[key], earlier.get(key)) for key in sorted(uses)}
    names = {key: str(decision.values["name"]) for key, decision in decisions.items()}
    return Decided(
        decisions=[*decisions.values(), *(decision for key, decision in earlier.items() if key not in decisions)],
        rows={"derived": frame({KEY: list(decisions), "name": list(names.values())})},
        warnings=[
            *warned(
                "site_default_made", "derived", [key for key in uses if _parts(key)[1] == DEFAULT_KEY and not uses[key]]
            ),
            *warned("spelling_would_change", "derived", spelling.overruled(uses, names)),
        ],
    )


def _decision(key: str, uses: Counter[str], earlier: Decision | None) -> Decision:
    recorded = earlier.values.get("name") if earlier else None
    return Decision("derived", key, "spelling", {"name": spelling.chosen(recorded, uses, DEFAULT)})


def _parts(key: str) -> tuple[str, str]:
    client, site = json.loads(key)
    return client, site


def transform(batch: Batch, context: Context) -> Batch:
    """One site per normalised (client, site), in its recorded spelling, under its client."""
    batch["id"] = by_distinct(batch.keys, lambda key: context.derive("sites", "derived", *_parts(key)))
    clients = by_distinct(batch.keys, lambda key: _parts(key)[0])
    batch["client_id"] = batch.parent("client", context.lookup(*CLIENTS), "clients", clients)
    batch.carry("name")
    return batch


SPEC = TableSpec(
    target=target.sites,
    grain="one row per (client, site) of devices, agents and tickets",
    sources=(Derived(transform),),
    decide=Decide(reads=READS, function=decide, redecided=("derived",)),
    lookups=(CLIENTS,),
    recalls=(("devices", "devices"), DEVICE_OF_AGENT),
    legacy_reads=(legacy.devices, legacy.agents, legacy.tickets),
    adopt=Adoption(columns=("client_id", "name")),
    lineage={
        "name": ("devices.site", "agents.site", "tickets.site"),
        "client_id": ("devices.client", "agents.client", "tickets.client", "tickets.customer_id"),
    },
    rules={
        "client_id": "the client; Unassigned for a site without one",
        "name": "one row per normalised client and site, in the spelling used most often",
    },
)
