from typing import Any

from assets.inventory.sites import SPEC, decide, transform
from remoteiq_etl.frames.row_keys import key_text
from remoteiq_etl.spec.batch import KEY
from remoteiq_etl.spec.decisions import Decided, Decision, StoredDecisions
from remoteiq_etl.spec.lookup import Lookup
from remoteiq_etl.spec.transform_context import Context
from tests.assets.builders import batch_of, outcomes, plain, rows_of, uid, waits
from tests.assets.inventory.rows import agent, device, inputs, ticket


def decided(*rows: list[dict[str, Any]], recorded: dict[str, str] | None = None) -> Decided:
    earlier = {
        ("derived", key): Decision("derived", key, "spelling", {"name": name}) for key, name in (recorded or {}).items()
    }
    return decide(inputs(*rows), StoredDecisions(earlier), Context())


def names(found: Decided) -> dict[str, str]:
    return {row[KEY]: row["name"] for row in plain(found.rows["derived"])}


def reports(found: Decided) -> dict[str, int]:
    return dict(found.warned)


def test_distinct_sites_of_three_tables() -> None:
    """Sites are the distinct (client, site) of devices, agents and tickets, in the spelling used most often."""
    found = decided(
        [device(1, client="Acme", site="HQ"), device(2, client="Beta", site="hq")],
        [agent(7, client="ACME", site="Hq"), agent(8, client="acme", site="Hq")],
        [ticket(client="Acme", site="Lab"), ticket(client="Acme")],
    )
    assert names(found) == {'["acme","hq"]': "Hq", '["acme","lab"]': "Lab", '["beta","hq"]': "hq"}
    assert {(decision.legacy_table, decision.legacy_key, decision.rule) for decision in found.decisions} == {
        ("derived", key, "spelling") for key in names(found)
    }
    assert reports(found) == {}


def test_default_site_only_when_needed() -> None:
    """A device with client but no site needs a site Default, which is reported; a ticket or a paired agent does not."""
    found = decided([device(1, client="Acme")])
    assert names(found) == {'["acme","default"]': "Default"}
    assert reports(found) == {"site_default_made": 1}
    found = decided([device(1, client="Acme"), device(2, client="Acme", site="default")])
    assert names(found) == {'["acme","default"]': "default"}
    assert reports(found) == {}
    paired = decided(
        [device(1, agent_uuid=uid(9007), client="A", site="HQ")], [agent(7, client="A")], [ticket(client="A")]
    )
    assert names(paired) == {'["a","hq"]': "HQ"}
    assert names(decided([], [agent(7, client="Acme")])) == {'["acme","default"]': "Default"}


def test_site_without_client() -> None:
    """A site without client lies under Unassigned."""
    assert names(decided([], [], [ticket(site="HQ")])) == {'["unassigned","hq"]': "HQ"}


def test_recorded_spelling_stays() -> None:
    """A recorded spelling stays, also of a site that is gone; what would be chosen today is counted."""
    key = key_text(["acme", "hq"])
    found = decided(
        [device(1, client="Acme", site="HQ")], [agent(7, client="A", site="b")], recorded={key: "HQ", "x": "X"}
    )
    assert names(found) == {key: "HQ", '["a","b"]': "b"}
    assert {decision.legacy_key for decision in found.decisions} == {key, '["a","b"]', "x"}
    sites = [
        device(1, client="Acme", site="HQ"),
        device(2, client="Acme", site="hq"),
        device(3, client="Acme", site="hq"),
    ]
    found = decided(sites, recorded={key: "HQ"})
    assert names(found) == {key: "HQ"}
    assert reports(found) == {"spelling_would_change": 1}


def test_target_row() -> None:
    """One site per (client, site), under the client of that name; held while the client is not there."""
    context = Context(lookups={("clients", "derived"): Lookup.of({"acme": uid(1)})})
    keys = [key_text(["acme", "hq"]), key_text(["beta", "hq"])]
    batch = transform(batch_of({KEY: keys, "name": ["HQ", "hq"]}), context)
    expected = {KEY: keys[0], "id": context.derive("sites", "derived", "acme", "hq"), "client_id": uid(1), "name": "HQ"}
    assert rows_of(batch) == [expected]
    assert outcomes(batch) == {keys[1]: ("held", "parent_missing")}
    assert waits(batch) == {keys[1]: (("clients", "beta"), ("client",))}


def test_adopted_by_client_and_name() -> None:
    """A site of the client with that name is the same site."""
    assert SPEC.adopt is not None
    assert SPEC.adopt.columns == ("client_id", "name")
