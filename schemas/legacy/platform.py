"""Platform settings of the legacy application: company, branding, localization, support.

Singletons by habit, not by constraint: nothing refuses a second row.
"""

from sqlalchemy import Boolean, Column, Integer, SmallInteger, Table, Text, false, func, text

from schemas.columns import TIMESTAMPTZ, accepted
from schemas.legacy.base import metadata

company_profile = Table(
    "company_profile",
    metadata,
    Column("id", SmallInteger, primary_key=True, autoincrement=False, server_default=text("1")),
    Column("name", Text, nullable=False),
    Column("legal_name", Text),
    Column("email", Text),
    Column("phone", Text),
    Column("fax", Text),
    Column("website", Text),
    Column("vat_tin", Text),
    Column("address1", Text),
    Column("address2", Text),
    Column("city", Text),
    Column("state", Text),
    Column("postal", Text),
    Column("country", Text),
)

branding_settings = Table(
    "branding_settings",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("primary_color", Text),
    Column("secondary_color", Text),
    Column("logo_light_url", Text),
    Column("logo_dark_url", Text),
    Column("login_background_url", Text),
    Column("email_header", Text),
    Column("email_footer", Text),
    Column("custom_css", Text),
    Column("allow_client_theme_toggle", Boolean),
    Column("created_at", TIMESTAMPTZ, server_default=func.now()),
    Column("updated_at", TIMESTAMPTZ, server_default=func.now()),
    Column("favicon_url", Text),
)

localization_settings = Table(
    "localization_settings",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("language", Text, nullable=False, server_default="en-US"),
    Column("date_format", Text, nullable=False, server_default="MM/DD/YYYY"),
    Column("time_format", Text, nullable=False, server_default="h:mm a"),
    Column("number_format", Text, nullable=False, server_default="1,234.56"),
    Column("time_zone", Text, nullable=False, server_default="UTC"),
    Column("first_day_of_week", Text, nullable=False, server_default="sunday", info=accepted("integer")),
    Column("currency", Text),
)

support_legal = Table(
    "support_legal",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("support_email", Text),
    Column("support_phone", Text),
    Column("knowledge_base_url", Text),
    Column("status_page_url", Text),
    Column("privacy_policy_url", Text),
    Column("terms_url", Text),
    Column("gdpr_contact_email", Text),
    Column("legal_address", Text),
    Column("ticket_portal_url", Text),
    Column("phone_hours", Text),
    Column("notes_html", Text),
)

support_legal_settings = Table(
    "support_legal_settings",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("support_email", Text),
    Column("support_phone", Text),
    Column("support_url", Text),
    Column("status_page_url", Text),
    Column("kb_url", Text),
    Column("terms_url", Text),
    Column("privacy_url", Text),
    Column("gdpr_contact", Text),
    Column("dmca_contact", Text),
    Column("show_chat_widget", Boolean, server_default=false()),
    Column("chat_widget_code", Text),
    Column("updated_at", TIMESTAMPTZ, server_default=func.now()),
)
