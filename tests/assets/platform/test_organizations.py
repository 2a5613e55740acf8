import pandas as pd

from assets.platform import organizations
from assets.platform.organizations import SPEC, decide, transform, transform_company_profile
from remoteiq_etl.frames.dtypes import INTEGER, frame
from remoteiq_etl.spec.batch import KEY
from remoteiq_etl.spec.decisions import Decided, StoredDecisions
from remoteiq_etl.spec.lookup import Lookup
from remoteiq_etl.spec.transform_context import Context
from tests.assets.builders import batch_of, outcomes, plain, rows_of

CONTEXT = Context(organization_slug="acme", time_zones=frozenset({"UTC", "Europe/Berlin"}))


def inputs(companies: dict[int, str], zones: dict[int, str]) -> dict[str, pd.DataFrame]:
    return {
        "company_profile": frame({"id": list(companies), "name": list(companies.values())}, {"id": INTEGER}),
        "localization_settings": frame({"id": list(zones), "time_zone": list(zones.values())}, {"id": INTEGER}),
    }


def decided(companies: dict[int, str], zones: dict[int, str]) -> Decided:
    return decide(inputs(companies, zones), StoredDecisions(), CONTEXT)


def row_of(name: str | None, zone: str | None) -> tuple[dict, dict]:
    batch = transform(batch_of({KEY: ["acme"], "name": [name], "time_zone": [zone]}), CONTEXT)
    return rows_of(batch)[0], dict(batch.warnings)


def test_one_row_per_source_named_by_the_slug() -> None:
    """There is one organization per source; its key is the slug from configuration."""
    found = decided({1: "Acme"}, {1: "Europe/Berlin"})
    assert plain(found.rows["derived"]) == [{KEY: "acme", "name": "Acme", "time_zone": "Europe/Berlin"}]


def test_row_one_is_read_though_others_are_lower() -> None:
    """The row with id 1 of a singleton table is read, else the lowest id."""
    found = decided({0: "Zero", 2: "Two", 1: "One"}, {3: "UTC", 2: "Europe/Berlin"})
    assert plain(found.rows["derived"])[0]["name"] == "One"
    assert plain(found.rows["derived"])[0]["time_zone"] == "Europe/Berlin"
    assert found.prepared["used"] == "1"


def test_there_is_an_organization_without_any_legacy_row() -> None:
    """Without a company profile the organization is made all the same."""
    found = decided({}, {})
    assert plain(found.rows["derived"]) == [{KEY: "acme", "name": None, "time_zone": None}]
    assert found.prepared["used"] is None


def test_target_row() -> None:
    """The id is derived from the slug; name and time zone are carried byte for byte."""
    row, warnings = row_of(" Acme  Ltd", "Europe/Berlin")
    assert row == {
        KEY: "acme",
        "id": CONTEXT.derive("organizations", "derived", "acme"),
        "slug": "acme",
        "name": " Acme  Ltd",
        "time_zone": "Europe/Berlin",
    }
    assert warnings == {}


def test_the_map_is_asked_for_the_id_first() -> None:
    """An organization that the target had keeps the target's id."""
    context = Context(
        organization_slug="acme", lookups={("organizations", "derived"): Lookup.of({"acme": "the-adopted-id"})}
    )
    assert rows_of(transform(batch_of({KEY: ["acme"], "name": ["A"], "time_zone": ["UTC"]}), context))[0]["id"] == (
        "the-adopted-id"
    )


def test_blank_name() -> None:
    """A blank company name becomes "Default Organization"."""
    assert row_of(" \t", "UTC")[0]["name"] == "Default Organization"
    assert row_of(None, "UTC")[0]["name"] == "Default Organization"


def test_unknown_time_zone() -> None:
    """A time zone that the target does not know becomes UTC, with a warning; a missing one without."""
    row, warnings = row_of("Acme", "Middle/Earth")
    assert row["time_zone"] == "UTC"
    assert warnings == {"unknown_time_zone": 1}
    row, warnings = row_of("Acme", None)
    assert row["time_zone"] == "UTC"
    assert warnings == {}


def test_company_rows_are_accounted_for() -> None:
    """The profile that is read is merged into the organization, a further row is archived as a whole."""
    context = Context(prepared={"used": "1"})
    batch = transform_company_profile(batch_of({"id": [1, 2], "name": ["A", "B"]}, {"id": INTEGER}), context)
    assert outcomes(batch) == {"1": ("merged", "organization"), "2": ("archived", "second_singleton_row")}
    assert rows_of(batch) == []


def test_adoption() -> None:
    """An organization is recognised by its slug; what the application writes itself counts as empty."""
    assert SPEC.adopt is not None
    assert SPEC.adopt.columns == ("slug",)
    assert SPEC.adopt.application_defaults == {"name": "Default Organization", "time_zone": "UTC"}
    assert [source.name for source in SPEC.sources] == ["company_profile", "derived"]
    assert organizations.SPEC.time_zones
    assert organizations.SPEC.legacy_reads[0].name == "localization_settings"
