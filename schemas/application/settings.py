"""Settings that the application keeps in tables of their own, and where the redesign has the same.

Belongs here: these tables and what corresponds to each of their columns. Does not belong here: keeping both in step.
"""

from collections.abc import Mapping

from sqlalchemy import Boolean, Column, Integer, Table, Text

from schemas.application.model import PairColumn, PairPart
from schemas.application.tables import metadata
from schemas.columns import accepted, secret, updated_at

_ORGANIZATION, _CHANNELS, _KEYS = "organization_settings", "email_channels", "dkim_keys"
_SECRETS = frozenset({"smtp_password", "imap_password", "pop_password"})
_FLAGS = frozenset({"allow_client_theme_toggle"})
_NUMBERS = {"first_day_of_week": accepted("integer", "smallint")}
#: Columns by which the application tells rows apart; there is one row.
_ROW_ID = accepted("smallint", "text")


def _singleton(name: str, document: str, keys: Mapping[str, str], *above: str) -> PairPart:
    """A table with one row, of which each column is a key of a document of the organization's settings."""
    columns: list[Column[object]] = [
        Column(one, Boolean if one in _FLAGS else Text, info=_NUMBERS.get(one, {})) for one in keys
    ]
    table = Table(name, metadata, Column("id", Integer, primary_key=True, autoincrement=False, info=_ROW_ID), *columns)
    pairs = tuple(PairColumn(column, document, (*above, key)) for column, key in keys.items())
    return PairPart(table, _ORGANIZATION, pairs)


_branding = _singleton(
    "branding_settings",
    "branding",
    {
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
    },
)

_localization = _singleton(
    "localization_settings",
    "localization",
    {
        "language": "language",
        "date_format": "dateFormat",
        "time_format": "timeFormat",
        "number_format": "numberFormat",
        "time_zone": "timeZone",
        "first_day_of_week": "firstDayOfWeek",
        "currency": "currency",
    },
)

_company = _singleton(
    "company_profile",
    "support",
    {
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
    },
    "company",
)

_support = _singleton(
    "support_legal",
    "support",
    {
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
    },
)

#: The same settings once more, under other names: what is changed in one table shows in the other.
_support_settings = _singleton(
    "support_legal_settings",
    "support",
    {
        "support_url": "supportUrl",
        "status_url": "statusPageUrl",
        "terms_url": "termsUrl",
        "privacy_url": "privacyPolicyUrl",
        "kb_url": "knowledgeBaseUrl",
        "contact_email": "supportEmail",
        "support_phone": "supportPhone",
        "legal_version": "legalVersion",
    },
)

_MAIL = {
    "smtp_host": ("smtp_settings", "host"),
    "smtp_port": ("smtp_settings", "port"),
    "smtp_username": ("smtp_settings", "username"),
    "smtp_password": ("smtp_settings", "password"),
    "smtp_use_tls": ("smtp_settings", "useTls"),
    "smtp_use_ssl": ("smtp_settings", "useSsl"),
    "smtp_from_address": ("smtp_settings", "fromAddress"),
    "imap_host": ("imap_settings", "host"),
    "imap_port": ("imap_settings", "port"),
    "imap_username": ("imap_settings", "username"),
    "imap_password": ("imap_settings", "password"),
    "imap_use_ssl": ("imap_settings", "useSsl"),
    "pop_host": ("imap_settings", "pop", "host"),
    "pop_port": ("imap_settings", "pop", "port"),
    "pop_username": ("imap_settings", "pop", "username"),
    "pop_password": ("imap_settings", "pop", "password"),
    "pop_use_ssl": ("imap_settings", "pop", "useSsl"),
}


def _mail_column(name: str) -> Column[object]:
    kind = Integer if name.endswith("_port") else Boolean if "_use_" in name else Text
    return Column(name, kind, info=secret() if name in _SECRETS else {})


_mail = PairPart(
    Table(
        "email_settings",
        metadata,
        Column("purpose", Text, primary_key=True, info=accepted("email_purpose")),
        Column("enabled", Boolean),
        *(_mail_column(name) for name in _MAIL),
        updated_at(),
    ),
    _CHANNELS,
    (
        PairColumn(
            "enabled",
            "smtp_settings",
            ("legacyEnabled",),
            otherwise="{row}.is_outbound_enabled OR {row}.is_inbound_enabled",
        ),
        *(PairColumn(name, document, tuple(path)) for name, (document, *path) in _MAIL.items()),
    ),
)

_dkim = PairPart(
    Table(
        "dkim_settings",
        metadata,
        Column("id", Integer, primary_key=True, autoincrement=False, info=_ROW_ID),
        Column("domain", Text),
        Column("selector", Text),
        Column("private_key", Text, info=secret()),
        updated_at(),
    ),
    _KEYS,
)

PAIRS = (_branding, _localization, _company, _support, _support_settings, _mail, _dkim)
"""Every table of settings with its counterpart."""
