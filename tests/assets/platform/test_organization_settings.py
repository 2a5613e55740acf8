import json
from typing import Any

import pandas as pd

from assets.platform import organization_settings as module
from assets.platform.organization_settings import SPEC, transform
from remoteiq_etl.frames.dtypes import INTEGER
from remoteiq_etl.spec.batch import KEY
from remoteiq_etl.spec.decisions import Decided
from remoteiq_etl.spec.transform_context import Context
from schemas import legacy
from tests.assets.builders import archived, batch_of, outcomes, plain, rows_of
from tests.assets.platform.rows import CONTEXT, DTYPES, SINGLETONS, T1, T2, T3, Rows, decided, table


def settings(**rows: Rows) -> dict[str, Any]:
    row = plain(decided(**rows).rows["derived"])[0]
    return {name: json.loads(value) if name in module.JSON_COLUMNS else value for name, value in row.items()}


def test_without_legacy_rows_the_settings_are_empty_objects() -> None:
    """There is one row per organization, also when no table has one; its times are the database's."""
    row = settings()
    assert row[KEY] == "acme"
    assert [row[name] for name in module.JSON_COLUMNS] == [{}, {}, {}, {}]
    batch = transform(batch_of(plain_columns(decided()), DTYPES), CONTEXT)
    assert batch.columns["created_at"].isna().all()
    assert batch.columns["updated_at"].isna().all()


def plain_columns(found: Decided) -> dict[str, list[Any]]:
    return {name: list(series) for name, series in found.rows["derived"].items()}


def test_branding() -> None:
    """Branding keys are camelCase; nulls are left out, empty strings and false are kept."""
    row = {
        "id": 1,
        "primary_color": "#111111",
        "secondary_color": "#222222",
        "logo_light_url": "https://example.com/light.png",
        "logo_dark_url": "https://example.com/dark.png",
        "login_background_url": None,
        "favicon_url": "",
        "email_header": "<b>",
        "email_footer": "</b>",
        "custom_css": "body{}",
        "allow_client_theme_toggle": False,
    }
    assert settings(branding_settings=row)["branding"] == {
        "primaryColor": "#111111",
        "secondaryColor": "#222222",
        "logoLightUrl": "https://example.com/light.png",
        "logoDarkUrl": "https://example.com/dark.png",
        "faviconUrl": "",
        "emailHeader": "<b>",
        "emailFooter": "</b>",
        "customCss": "body{}",
        "allowClientThemeToggle": False,
    }
    row["login_background_url"] = "https://example.com/bg.png"
    assert settings(branding_settings=row)["branding"]["loginBackgroundUrl"] == "https://example.com/bg.png"


def test_branding_is_read_from_the_highest_id() -> None:
    """Of several branding rows the application reads the one with the highest id."""
    found = settings(branding_settings=[{"id": 9, "custom_css": "nine"}, {"id": 1, "custom_css": "one"}])
    assert found["branding"] == {"customCss": "nine"}


def test_localization_is_read_from_row_one() -> None:
    """Of several localization rows the one with id 1 is read, in all its keys."""
    row = {
        "id": 1,
        "language": "de-DE",
        "date_format": "DD.MM.YYYY",
        "time_format": "HH:mm",
        "number_format": "1.234,56",
        "time_zone": "Europe/Berlin",
        "first_day_of_week": "monday",
        "currency": "EUR",
    }
    assert settings(localization_settings=[{"id": 0, "language": "fr"}, row])["localization"] == {
        "language": "de-DE",
        "dateFormat": "DD.MM.YYYY",
        "timeFormat": "HH:mm",
        "numberFormat": "1.234,56",
        "timeZone": "Europe/Berlin",
        "firstDayOfWeek": "monday",
        "currency": "EUR",
    }


LEGAL = {
    "support_email": "help@example.com",
    "support_phone": "+1 555 0100",
    "knowledge_base_url": "https://kb.example.com",
    "status_page_url": "https://status.example.com",
    "privacy_policy_url": "https://example.com/privacy",
    "terms_url": "https://example.com/terms",
    "gdpr_contact_email": "dpo@example.com",
    "legal_address": "Main Street 1",
    "ticket_portal_url": "https://tickets.example.com",
    "phone_hours": "9-17",
    "notes_html": "<p>",
}


def test_support_legal() -> None:
    """All eleven values of support_legal become camelCase keys."""
    assert settings(support_legal={"id": 1, **LEGAL})["support"] == {
        "supportEmail": "help@example.com",
        "supportPhone": "+1 555 0100",
        "knowledgeBaseUrl": "https://kb.example.com",
        "statusPageUrl": "https://status.example.com",
        "privacyPolicyUrl": "https://example.com/privacy",
        "termsUrl": "https://example.com/terms",
        "gdprContactEmail": "dpo@example.com",
        "legalAddress": "Main Street 1",
        "ticketPortalUrl": "https://tickets.example.com",
        "phoneHours": "9-17",
        "notesHtml": "<p>",
    }


GAPS = {
    "support_email": "two@example.com",
    "support_phone": "+1 555 0102",
    "kb_url": "https://kb2.example.com",
    "status_page_url": "https://status2.example.com",
    "privacy_url": "https://example.com/privacy2",
    "terms_url": "https://example.com/terms2",
    "gdpr_contact": "dpo2@example.com",
}
ADDED = {
    "support_url": "https://support.example.com",
    "dmca_contact": "dmca@example.com",
    "show_chat_widget": True,
    "chat_widget_code": "<script>",
}


def test_support_legal_settings_fills_gaps_and_adds() -> None:
    """support_legal_settings fills what support_legal leaves null, under the same keys, and adds four of its own."""
    assert settings(support_legal={"id": 1}, support_legal_settings={"id": 1, **GAPS, **ADDED})["support"] == {
        "supportEmail": "two@example.com",
        "supportPhone": "+1 555 0102",
        "knowledgeBaseUrl": "https://kb2.example.com",
        "statusPageUrl": "https://status2.example.com",
        "privacyPolicyUrl": "https://example.com/privacy2",
        "termsUrl": "https://example.com/terms2",
        "gdprContactEmail": "dpo2@example.com",
        "supportUrl": "https://support.example.com",
        "dmcaContact": "dmca@example.com",
        "showChatWidget": True,
        "chatWidgetCode": "<script>",
    }


def test_support_legal_wins_where_it_has_a_value() -> None:
    """A value of support_legal wins; a blank is a gap; a blank beside a blank or null stays what it is."""
    support = settings(
        support_legal={"id": 1, "support_email": "a@example.com", "terms_url": " ", "status_page_url": ""},
        support_legal_settings={
            "id": 1,
            "support_email": "b@example.com",
            "terms_url": "https://example.com/terms",
            "status_page_url": "  ",
            "kb_url": "",
        },
    )["support"]
    assert support == {
        "supportEmail": "a@example.com",
        "termsUrl": "https://example.com/terms",
        "statusPageUrl": "",
        "knowledgeBaseUrl": "",
    }


def test_company_inside_support() -> None:
    """The company profile is the key `company` inside support, without its nulls."""
    row = {
        "id": 1,
        "name": "",
        "legal_name": "Acme Ltd",
        "email": "info@example.com",
        "phone": "1",
        "fax": "2",
        "website": "https://example.com",
        "vat_tin": "DE1",
        "address1": "a",
        "address2": None,
        "city": "c",
        "state": "s",
        "postal": "p",
        "country": "DE",
    }
    company = {
        "name": "",
        "legalName": "Acme Ltd",
        "email": "info@example.com",
        "phone": "1",
        "fax": "2",
        "website": "https://example.com",
        "vatTin": "DE1",
        "address1": "a",
        "city": "c",
        "state": "s",
        "postal": "p",
        "country": "DE",
    }
    assert settings(company_profile=row)["support"] == {"company": company}
    assert settings(company_profile=row | {"address2": "b"})["support"]["company"] == company | {"address2": "b"}
    assert settings(company_profile=[row, {"id": 0, "name": "Zero"}])["support"]["company"]["name"] == ""


def test_notifications() -> None:
    """The notifications of the backups configuration stand under `backups`, as an object."""
    assert settings(backups_config={"id": "singleton", "notifications": '{"email":true}'})["notifications"] == {
        "backups": {"email": True}
    }
    assert settings(backups_config={"id": "singleton", "notifications": "[1]"})["notifications"] == {
        "backups": {"value": [1]}
    }
    several = [{"id": "a", "notifications": '{"a":1}'}, {"id": "singleton", "notifications": '{"s":1}'}]
    assert settings(backups_config=several)["notifications"] == {"backups": {"s": 1}}
    assert settings(backups_config=[{"id": "c", "notifications": "{}"}, several[0]])["notifications"] == {
        "backups": {"a": 1}
    }


def test_times() -> None:
    """created_at is branding's, updated_at the latest that is known."""
    row = settings(
        branding_settings={"id": 1, "created_at": T2, "updated_at": T2},
        support_legal_settings={"id": 1, "updated_at": T3},
    )
    assert (row["created_at"], row["updated_at"]) == (T2, T3)
    row = settings(
        branding_settings={"id": 1, "created_at": T1, "updated_at": T3},
        support_legal_settings={"id": 1, "updated_at": T2},
    )
    assert (row["created_at"], row["updated_at"]) == (T1, T3)


def test_missing_times() -> None:
    """Where branding knows no created_at the earliest other time stands in."""
    row = settings(branding_settings={"id": 1, "updated_at": T3}, support_legal_settings={"id": 1, "updated_at": T2})
    assert (row["created_at"], row["updated_at"]) == (T2, T3)
    row = settings(branding_settings={"id": 1, "created_at": T1})
    assert (row["created_at"], row["updated_at"]) == (T1, T1)


def test_target_row() -> None:
    """The row is the organization's, with the four objects and both times."""
    found = decided(branding_settings={"id": 1, "custom_css": "x", "created_at": T1, "updated_at": T2})
    batch = transform(batch_of(plain_columns(found), DTYPES), CONTEXT)
    assert rows_of(batch) == [
        {
            KEY: "acme",
            "organization_id": CONTEXT.organization_id,
            "branding": '{"customCss":"x"}',
            "localization": "{}",
            "support": "{}",
            "notifications": "{}",
            "created_at": T1,
            "updated_at": T2,
        }
    ]


def test_rows_are_accounted_for() -> None:
    """Of each of the four singleton tables the row that is read is merged, every other one archived."""
    used = dict.fromkeys(SINGLETONS, "2")
    context = Context(prepared={"used": used, "support": {}})
    for source in SPEC.sources[:4]:
        name = source.name
        batch = batch_of(plain_columns_of(table(name, {"id": 1}, {"id": 2})), DTYPES | {"id": INTEGER})
        source.transform(batch, context)
        assert outcomes(batch) == {"2": ("merged", "settings"), "1": ("archived", "second_singleton_row")}, name
    assert [source.name for source in SPEC.sources] == [
        "branding_settings",
        "localization_settings",
        "support_legal",
        "support_legal_settings",
        "derived",
    ]


def plain_columns_of(found: pd.DataFrame) -> dict[str, list[Any]]:
    return {name: list(series) for name, series in found.items()}


def test_superseded_support_values() -> None:
    """A value that loses is archived as superseded where it differs; rows that are not read are archived as a whole."""
    used = {"support_legal": "1", "support_legal_settings": "1"}
    support = {"supportEmail": "a@example.com", "termsUrl": "https://example.com/terms", "supportUrl": "u"}
    context = Context(prepared={"used": used, "support": support})
    settings_rows = table(
        "support_legal_settings",
        {"id": 1, "support_email": "b@example.com", "terms_url": "https://example.com/terms", "support_url": "u"},
        {"id": 2, "support_email": "c@example.com"},
    )
    batch = module.transform_support_legal_settings(
        batch_of(plain_columns_of(settings_rows), DTYPES | {"id": INTEGER}), context
    )
    assert archived(batch) == [
        ("2", "id", 2, "second_singleton_row"),
        ("2", "support_email", "c@example.com", "second_singleton_row"),
        ("1", "support_email", "b@example.com", "superseded"),
    ]
    legal_rows = table("support_legal", {"id": 1, "support_email": "a@example.com", "terms_url": " "})
    batch = module.transform_support_legal(batch_of(plain_columns_of(legal_rows), DTYPES | {"id": INTEGER}), context)
    assert archived(batch) == [("1", "terms_url", " ", "superseded")]


def test_prepared() -> None:
    """The decide step names the rows that were read."""
    prepared = decided(
        branding_settings=[{"id": 3}, {"id": 4}],
        company_profile={"id": 7, "name": "Acme"},
        support_legal_settings={"id": 1, "kb_url": "k"},
        backups_config={"id": "singleton", "notifications": "{}"},
    ).prepared
    assert prepared["used"] == {
        "branding_settings": "4",
        "localization_settings": None,
        "support_legal": None,
        "support_legal_settings": "1",
        "company_profile": "7",
        "backups_config": "singleton",
    }
    assert prepared["support"] == {"knowledgeBaseUrl": "k", "company": {"name": "Acme"}}


def test_lineage_names_existing_columns() -> None:
    """Every legacy column of the lineage exists, and every column of the singleton tables but id is in it."""
    named = {name for names in SPEC.lineage.values() for name in names}
    expected = {
        f"{name}.{column.name}"
        for name in SINGLETONS
        for column in legacy.metadata.tables[f"legacy.{name}"].columns
        if column.name != "id"
    }
    assert named == expected | {"backups_config.notifications"}
    assert SPEC.lineage["localization"][0] == "localization_settings.language"


def test_adoption_by_primary_key() -> None:
    """Settings of an organization that the target had are recognised by their primary key."""
    assert SPEC.adopt is not None
    assert SPEC.adopt.columns == ("organization_id",)
    assert {found.name for found in SPEC.legacy_reads} == {"company_profile", "backups_config"}
