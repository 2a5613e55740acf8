"""legacy_settings_map: which column of which singleton row became which path of which JSON setting."""

from assets.platform.organization_settings import SPEC
from schemas.state.decisions import legacy_settings_map
from tests.assets.platform.rows import Rows, decided

Place = tuple[str, str, str]  # legacy table, key, column


def mapped(**rows: Rows) -> dict[Place, tuple[str, str, str]]:
    """(settings type, path, outcome) by legacy table, key and column."""
    found = decided(**rows).kept["legacy_settings_map"]
    return {
        (row["legacy_table"], row["legacy_key"], row["legacy_column"]): (
            row["settings_type"],
            row["path"],
            row["outcome"],
        )
        for row in found
    }


def test_each_column_of_each_row_that_is_read_has_its_path() -> None:
    found = mapped(
        branding_settings=[{"id": 3}, {"id": 4, "custom_css": "", "allow_client_theme_toggle": False}],
        localization_settings={"id": 1, "time_zone": "UTC"},
        support_legal={"id": 2, "terms_url": "t"},
        company_profile={"id": 7, "vat_tin": "DE1"},
        support_legal_settings={"id": 1, "kb_url": "k"},
        backups_config={"id": "singleton", "notifications": "{}"},
    )
    assert found["branding_settings", "4", "custom_css"] == ("branding", "customCss", "carried")
    assert found["branding_settings", "4", "allow_client_theme_toggle"][2] == "carried"
    assert found["localization_settings", "1", "time_zone"] == ("localization", "timeZone", "carried")
    assert found["support_legal", "2", "terms_url"] == ("support", "termsUrl", "carried")
    assert found["company_profile", "7", "vat_tin"] == ("support", "company.vatTin", "carried")
    assert found["support_legal_settings", "1", "kb_url"] == ("support", "knowledgeBaseUrl", "carried")
    assert found["backups_config", "singleton", "notifications"] == ("notifications", "backups", "carried")
    assert len(found) == 10 + 7 + 11 + 13 + 11 + 1


def test_a_null_has_a_path_and_stays_empty() -> None:
    found = mapped(branding_settings={"id": 1}, backups_config={"id": "singleton"}, company_profile={"id": 1})
    assert {outcome for _, _, outcome in found.values()} == {"empty"}


def test_of_two_columns_for_one_path_one_is_superseded() -> None:
    """The value that stands there is carried, also where both have it; a blank that another value displaces is not."""
    found = mapped(
        support_legal={"id": 1, "support_email": "a@example.com", "terms_url": " ", "support_phone": "1"},
        support_legal_settings={
            "id": 1,
            "support_email": "b@example.com",
            "terms_url": "t",
            "support_phone": "1",
            "support_url": "u",
        },
        # Equal names of keys in the company are other paths.
        company_profile={"id": 1, "name": "Acme", "email": "c@example.com"},
    )
    outcomes = {place: outcome for place, (_, _, outcome) in found.items() if outcome != "empty"}
    assert outcomes == {
        ("support_legal", "1", "support_email"): "carried",
        ("support_legal", "1", "terms_url"): "superseded",
        ("support_legal", "1", "support_phone"): "carried",
        ("support_legal_settings", "1", "support_email"): "superseded",
        ("support_legal_settings", "1", "terms_url"): "carried",
        ("support_legal_settings", "1", "support_phone"): "carried",
        ("support_legal_settings", "1", "support_url"): "carried",
        ("company_profile", "1", "name"): "carried",
        ("company_profile", "1", "email"): "carried",
    }


def test_a_table_without_a_row_has_no_paths() -> None:
    assert mapped() == {}


def test_the_table_is_kept_with_all_its_columns() -> None:
    """Every column but those that the engine sets."""
    assert SPEC.decide is not None
    assert SPEC.decide.keeps == (legacy_settings_map,)
    [row, *_] = decided(backups_config={"id": "singleton"}).kept["legacy_settings_map"]
    assert {*row, "source_id", "run_id"} == set(legacy_settings_map.columns.keys())
