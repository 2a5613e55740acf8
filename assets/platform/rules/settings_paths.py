"""Which column of a singleton table goes to which JSON path of the organization settings, and how they are assembled.

The tables of this module are the mapping `legacy_settings_map`: the JSON is assembled from them and from nothing else.
Belongs here: keys and their assembly. Does not belong here: which row of a table is read (see singletons).
"""

from collections.abc import Collection, Mapping
from typing import Any

from assets.platform.rules.singletons import Row
from remoteiq_etl.frames.json_text import without_nulls
from remoteiq_etl.frames.text import tidy

BRANDING = {
    "primary_color": "primaryColor",
    "secondary_color": "secondaryColor",
    "logo_light_url": "logoLightUrl",
    "logo_dark_url": "logoDarkUrl",
    "login_background_url": "loginBackgroundUrl",
    "favicon_url": "faviconUrl",
    "email_header": "emailHeader",
    "email_footer": "emailFooter",
    "custom_css": "customCss",
    "allow_client_theme_toggle": "allowClientThemeToggle",
}
LOCALIZATION = {
    "language": "language",
    "date_format": "dateFormat",
    "time_format": "timeFormat",
    "number_format": "numberFormat",
    "time_zone": "timeZone",
    "first_day_of_week": "firstDayOfWeek",
    "currency": "currency",
}
SUPPORT = {
    "support_email": "supportEmail",
    "support_phone": "supportPhone",
    "knowledge_base_url": "knowledgeBaseUrl",
    "status_page_url": "statusPageUrl",
    "privacy_policy_url": "privacyPolicyUrl",
    "terms_url": "termsUrl",
    "gdpr_contact_email": "gdprContactEmail",
    "legal_address": "legalAddress",
    "ticket_portal_url": "ticketPortalUrl",
    "phone_hours": "phoneHours",
    "notes_html": "notesHtml",
}
# support_legal_settings fills the gaps of support_legal …
SUPPORT_GAPS = {
    "support_email": "supportEmail",
    "support_phone": "supportPhone",
    "kb_url": "knowledgeBaseUrl",
    "status_page_url": "statusPageUrl",
    "privacy_url": "privacyPolicyUrl",
    "terms_url": "termsUrl",
    "gdpr_contact": "gdprContactEmail",
}
# … and has these besides.
SUPPORT_ADDED = {
    "support_url": "supportUrl",
    "dmca_contact": "dmcaContact",
    "show_chat_widget": "showChatWidget",
    "chat_widget_code": "chatWidgetCode",
}
COMPANY = {
    "name": "name",
    "legal_name": "legalName",
    "email": "email",
    "phone": "phone",
    "fax": "fax",
    "website": "website",
    "vat_tin": "vatTin",
    "address1": "address1",
    "address2": "address2",
    "city": "city",
    "state": "state",
    "postal": "postal",
    "country": "country",
}
NOTIFICATIONS = {"notifications": "backups"}

# (legacy table, target column, path in front of the key, columns)
SECTIONS: tuple[tuple[str, str, str, Mapping[str, str]], ...] = (
    ("branding_settings", "branding", "", BRANDING),
    ("localization_settings", "localization", "", LOCALIZATION),
    ("support_legal", "support", "", SUPPORT),
    ("support_legal_settings", "support", "", SUPPORT_GAPS | SUPPORT_ADDED),
    ("company_profile", "support", "company.", COMPANY),
    ("backups_config", "notifications", "", NOTIFICATIONS),
)


def section(row: Row | None, keys: Mapping[str, str]) -> dict[str, Any]:
    """One row as a JSON object: nulls are left out, empty strings stay."""
    return without_nulls({key: row.get(column) for column, key in keys.items()}) if row else {}


def support(legal: Row | None, settings: Row | None, company: Row | None) -> dict[str, Any]:
    """The support section: support_legal first, its gaps filled, and the company inside it."""
    values = {**section(settings, SUPPORT_ADDED), **section(legal, SUPPORT)}
    for key, value in section(settings, SUPPORT_GAPS).items():
        values[key] = _preferred(values.get(key), value)
    if company is not None:
        values["company"] = section(company, COMPANY)
    return values


def lineage() -> dict[str, tuple[str, ...]]:
    """The legacy columns behind each JSON column of the target."""
    sources: dict[str, tuple[str, ...]] = {}
    for table, column, _, keys in SECTIONS:
        sources[column] = (*sources.get(column, ()), *(f"{table}.{name}" for name in keys))
    return sources


def support_columns(keys: Collection[str]) -> tuple[str, ...]:
    """The legacy columns behind these keys of the support section."""
    tables = {"support_legal": SUPPORT, "support_legal_settings": SUPPORT_GAPS | SUPPORT_ADDED}
    return tuple(f"{table}.{name}" for table, names in tables.items() for name, key in names.items() if key in keys)


def settings_map(used: Mapping[str, Row | None], support: Mapping[str, Any]) -> list[dict[str, str]]:
    """`legacy_settings_map`: one entry per legacy column of a row that is read, with the JSON path it goes to.

    `support` is the assembled section: the one with keys that two columns may have a value for.
    """
    sections = {"support": support}
    return [
        {
            "legacy_table": table,
            "legacy_key": str(row["id"]),
            "legacy_column": column,
            "settings_type": into,
            "path": path + name,
            "outcome": _outcome(row.get(column), sections.get(into, {}).get(path + name)),
        }
        for table, into, path, keys in SECTIONS
        if (row := used.get(table)) is not None
        for column, name in keys.items()
    ]


def _outcome(value: object, standing: object) -> str:
    if value is None:
        return "empty"
    return "carried" if standing is None or standing == value else "superseded"


def _preferred(first: str | None, second: str) -> str:
    """The first value; the second where the first is null, or blank while the second is not."""
    return second if first is None or (tidy(first) is None and tidy(second) is not None) else first
