"""Seeds among the settings: chosen once, when the row is made by us, and marked; what is migrated wins."""

import json
from typing import Any

import pytest

from assets.platform.organization_settings import decide
from assets.seeds.rules.settings import DEFAULTS
from assets.shared.seed import SEED
from remoteiq_etl.spec.decisions import Decided, Decision, StoredDecisions
from remoteiq_etl.spec.lookup import Lookup
from remoteiq_etl.spec.transform_context import Context
from tests.assets.platform.rows import CONTEXT, Rows, inputs_of

WRITTEN = Context(
    organization_slug="acme", lookups={("organization_settings", "derived"): Lookup.of({"acme": "an organization"})}
)
LANGUAGE = Decision(SEED, "localization.language", SEED, {"value": "en-US"})


def seeding(*present: str, context: Context = CONTEXT, recorded: tuple[Decision, ...] = (), **rows: Rows) -> Decided:
    known = StoredDecisions({(decision.legacy_table, decision.legacy_key): decision for decision in recorded})
    return decide(inputs_of(rows, *present), known, context)


def section(found: Decided, name: str) -> dict[str, Any]:
    value: dict[str, Any] = json.loads(found.rows["derived"][name].iloc[0])
    return value


def test_a_new_row_starts_with_what_the_legacy_application_assumes() -> None:
    """Every seed of every table without a row, each marked with its value under section and key."""
    found = seeding()
    for column, keys in DEFAULTS.values():
        assert section(found, column) == keys
    assert section(found, "notifications") == {}
    assert {(one.legacy_table, one.legacy_key, one.rule, one.values["value"]) for one in found.decisions} == {
        (SEED, f"{column}.{key}", SEED, value) for column, keys in DEFAULTS.values() for key, value in keys.items()
    }


def test_a_table_that_has_a_row_gets_no_seeds() -> None:
    found = seeding(localization_settings={"id": 1, "language": "de-DE"})
    assert section(found, "localization") == {"language": "de-DE"}
    assert section(found, "branding") == DEFAULTS["branding_settings"][1]
    assert not any(decision.legacy_key.startswith("localization.") for decision in found.decisions)


def test_a_migrated_value_wins_over_a_seed_of_its_section() -> None:
    """support_legal has a row and support_legal_settings has none: both are in the section."""
    found = seeding(support_legal={"id": 1, "support_email": "a@example.com"})
    assert section(found, "support") == {"showChatWidget": False, "supportEmail": "a@example.com"}


@pytest.mark.parametrize(("present", "seeds"), [((), 8), (("other",), 8), (("acme",), 0), (("other", "acme"), 0)])
def test_a_row_that_somebody_else_made_gets_no_seeds(present: tuple[str, ...], seeds: int) -> None:
    """Only that of our own organization counts."""
    assert len(seeding(*present).decisions) == seeds


def test_later_runs_keep_to_the_seeds_that_were_chosen() -> None:
    """Once the row is ours, a seed that was not chosen then is not added: also where our row is among those present."""
    found = seeding("acme", context=WRITTEN, recorded=(LANGUAGE,))
    assert section(found, "localization") == {"language": "en-US"}
    assert section(found, "branding") == {}
    assert found.decisions == [LANGUAGE]


def test_a_chosen_seed_gives_way_when_its_table_gets_a_row() -> None:
    found = seeding("acme", context=WRITTEN, recorded=(LANGUAGE,), localization_settings={"id": 1, "currency": "EUR"})
    assert section(found, "localization") == {"currency": "EUR"}
    assert found.decisions == []
