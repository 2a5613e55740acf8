"""Settings as the application's tables and as the redesign's rows are one: a change of either shows in the other at once."""

import threading
from typing import Any

import psycopg
import pytest

from remoteiq_etl.backfill.run import open_run
from remoteiq_etl.errors import LockedError
from remoteiq_etl.verify.engine import verify
from tests.application.target import install, place
from tests.support.migrating import Migration, foreign_target, with_dependencies
from tests.support.server import Database, Server

#: As the application saves its settings.
_BRANDING = (
    "INSERT INTO branding_settings (id, primary_color, custom_css) VALUES (1, %s, %s)"
    " ON CONFLICT (id) DO UPDATE SET primary_color = EXCLUDED.primary_color, custom_css = EXCLUDED.custom_css"
)
_MAIL = (
    "INSERT INTO email_settings (purpose, enabled, smtp_host, smtp_port, smtp_password) VALUES (%s, %s, %s, %s, %s)"
    " ON CONFLICT (purpose) DO UPDATE SET enabled = EXCLUDED.enabled, smtp_host = EXCLUDED.smtp_host,"
    " smtp_port = EXCLUDED.smtp_port, smtp_password = EXCLUDED.smtp_password"
)
_DKIM = (
    "INSERT INTO dkim_settings (id, domain, selector, private_key) VALUES (1, %s, %s, %s) ON CONFLICT (id) DO UPDATE"
    " SET domain = EXCLUDED.domain, selector = EXCLUDED.selector, private_key = EXCLUDED.private_key"
)
_TABLES = (
    "branding_settings",
    "localization_settings",
    "company_profile",
    "support_legal",
    "support_legal_settings",
    "email_settings",
    "dkim_settings",
)


_RUN = ("organization_settings", "email_channels", "dkim_keys")


def done(target: Database, statement: str, *values: object) -> list[tuple[Any, ...]]:
    with target.connect() as connection:
        cursor = connection.execute(statement.encode(), values or None)
        return cursor.fetchall() if cursor.description else []


def settings_of(target: Database, path: str) -> Any:
    return done(target, f"SELECT {path} FROM organization_settings")[0][0]


def test_the_tables_say_what_was_migrated(paired: Migration) -> None:
    target = paired.target
    (branding,) = done(target, "SELECT primary_color, allow_client_theme_toggle::text FROM branding_settings")
    assert (
        branding
        == done(
            target,
            "SELECT branding ->> 'primaryColor', branding ->> 'allowClientThemeToggle' FROM organization_settings",
        )[0]
    )
    assert done(target, "SELECT name FROM company_profile") == [(settings_of(target, "support #>> '{company,name}'"),)]
    assert done(target, "SELECT contact_email FROM support_legal_settings") == [
        (settings_of(target, "support ->> 'supportEmail'"),)
    ]
    channels = "SELECT replace(lower(name), ' ', '_'), smtp_settings ->> 'host', imap_settings #>> '{pop,host}'"
    channels += " FROM email_channels ORDER BY 1"
    assert done(target, "SELECT purpose, smtp_host, pop_host FROM email_settings ORDER BY 1") == done(target, channels)
    (key,) = done(target, "SELECT domain, selector, private_key FROM dkim_settings")
    keys = "SELECT d.domain, k.selector, k.private_key FROM dkim_keys AS k JOIN dkim_domains AS d ON d.id = k.dkim_domain_id"
    assert key in done(target, keys)
    assert verify(paired.plan, _RUN).passed


def test_what_the_application_saves_is_in_the_redesign_in_the_same_transaction(paired: Migration) -> None:
    target = paired.target
    with target.connect(autocommit=False) as connection:
        connection.execute(_BRANDING.encode(), ["#123456", None])
        (found,) = connection.execute(
            b"SELECT branding ->> 'primaryColor', branding ? 'customCss' FROM organization_settings"
        ).fetchall()
        assert found == ("#123456", False)
        connection.rollback()
    assert settings_of(target, "branding ->> 'primaryColor'") != "#123456"
    done(target, _MAIL, "alerts", True, "mail.example.com", 2525, "example secret")
    assert done(
        target,
        "SELECT smtp_settings ->> 'host', smtp_settings -> 'port', smtp_settings ->> 'password', is_outbound_enabled"
        " FROM email_channels WHERE name = 'Alerts'",
    ) == [("mail.example.com", 2525, "example secret", True)]
    done(target, _MAIL, "weekly_digest", True, "mail.example.com", 25, None)
    assert done(target, "SELECT name, purpose::text FROM email_channels WHERE name LIKE 'Weekly%'") == [
        ("Weekly digest", "system")
    ]
    done(target, _DKIM, "Example.com", "new", "example key")
    assert done(
        target,
        "SELECT d.domain, k.public_key FROM dkim_keys AS k JOIN dkim_domains AS d ON d.id = k.dkim_domain_id "
        " WHERE k.private_key = 'example key'",
    ) == [("example.com", "")]


def test_what_is_changed_in_the_redesign_is_in_the_tables(paired: Migration) -> None:
    target = paired.target
    done(
        target,
        'UPDATE organization_settings SET branding = branding || \'{"primaryColor": "#abcdef"}\','
        " support = jsonb_set(support, '{supportPhone}', '\"555-0101\"') - 'company', localization = localization - 'language'",
    )
    assert done(target, "SELECT primary_color FROM branding_settings") == [("#abcdef",)]
    assert done(
        target, "SELECT a.support_phone, b.support_phone FROM support_legal AS a, support_legal_settings AS b"
    ) == [("555-0101",) * 2]
    assert done(target, "SELECT name FROM company_profile") == [(None,)]
    assert done(target, "SELECT language FROM localization_settings") == [(None,)]
    done(
        target,
        "UPDATE email_channels SET name = 'On call', smtp_settings = smtp_settings - 'password' WHERE name = 'Alerts'",
    )
    assert done(target, "SELECT smtp_password FROM email_settings WHERE purpose = 'on_call'") == [(None,)]
    assert done(target, "SELECT count(*) FROM email_settings WHERE purpose = 'alerts'") == [(0,)]


def test_a_legacy_change_is_in_both_and_one_beside_an_edit_is_one_conflict(paired: Migration) -> None:
    """The run after it writes nothing, and a verification takes the pair for one."""
    paired.legacy.execute(
        "UPDATE localization_settings SET currency = 'CHF';"
        " UPDATE email_settings SET smtp_host = 'later.example.com' WHERE purpose = 'alerts'"
    )
    paired.run(*_RUN)
    assert settings_of(paired.target, "localization ->> 'currency'") == "CHF"
    assert done(paired.target, "SELECT currency FROM localization_settings") == [("CHF",)]
    assert done(paired.target, "SELECT smtp_host FROM email_settings WHERE purpose = 'alerts'") == [
        ("later.example.com",)
    ]
    done(paired.target, _BRANDING, "#111111", None)
    paired.legacy.execute("UPDATE branding_settings SET primary_color = '#222222'")
    paired.run(*_RUN)
    assert done(paired.target, "SELECT primary_color FROM branding_settings") == [("#111111",)]
    open_ = (
        "SELECT table_name, columns FROM remoteiq_etl.conflicts WHERE resolved_run IS NULL AND reason NOT LIKE 'adopt%'"
    )
    assert done(paired.target, open_) == [("organization_settings", ["branding"])]
    versions = paired.versions()
    paired.run(*_RUN)
    assert paired.versions() == versions
    assert verify(paired.plan, _RUN).passed


def test_a_secret_that_the_mapping_withholds_reaches_no_table(paired: Migration) -> None:
    with paired.legacy.connect() as connection:
        held = connection.execute(
            b"SELECT private_key FROM dkim_keys UNION SELECT private_key FROM dkim_settings"
        ).fetchall()
    known = {row[0] for row in done(paired.target, "SELECT private_key FROM dkim_keys")}
    withheld = {row[0] for row in held if row[0]} - known
    assert withheld
    assert withheld.isdisjoint(row[0] for row in done(paired.target, "SELECT private_key FROM dkim_settings"))


def test_writers_of_both_sides_wait_for_each_other_and_end_with_the_same(paired: Migration) -> None:
    errors: list[psycopg.Error] = []

    def write(statement: str, values: list[list[object]]) -> None:
        try:
            with paired.target.connect() as connection:
                for one in values:
                    connection.execute(statement.encode(), one)
        except psycopg.Error as error:
            errors.append(error)

    colours = [[f"#0000{n:02d}", f"/* {n} */"] for n in range(40)]
    ours = "UPDATE organization_settings SET branding = branding || jsonb_build_object('secondaryColor', %s::text, 'customCss', %s::text)"
    mail = "UPDATE email_channels SET smtp_settings = smtp_settings || jsonb_build_object('username', %s::text, 'fromAddress', %s::text)"
    theirs = [["alerts", True, f"h{n}.example.com", n, None] for n in range(40)]
    threads = [
        threading.Thread(target=write, args=arguments)
        for arguments in ((_BRANDING, colours), (ours, colours), (_MAIL, theirs), (mail, colours))
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    assert out_of_step(paired.target) == []
    assert settings_of(paired.target, "branding ->> 'primaryColor'") == "#000039"
    assert settings_of(paired.target, "branding ->> 'secondaryColor'") == "#000039"


def out_of_step(target: Database) -> list[str]:
    """The tables that would stay because they say more than the redesign."""
    with place(target) as application:
        pairs = [application._pair(part) for part in application._pairs]
        return [one.part.table.name for one in pairs if application.session.value(one.out_of_step())]


def test_tables_go_with_their_rows_as_long_as_the_redesign_says_the_same(paired: Migration) -> None:
    done(paired.target, _DKIM, "example.org", "", "")
    with place(paired.target) as application:
        kept = application.remove().kept
    assert kept["table dkim_settings"] == "it holds settings that the redesign does not"
    assert {f"table {name}" for name in _TABLES[:-1]}.isdisjoint(kept)
    done(paired.target, "UPDATE organization_settings SET branding = '{}'")


def test_tables_that_are_there_with_the_applications_own_defaults_are_filled(
    server: Server, edge_template: str
) -> None:
    """As older scripts made them: not null, purposes of an enum type, the first day as a number. A run is not in their way."""
    legacy, target = server.create_database(template=edge_template), foreign_target(server)
    target.execute(
        "CREATE TYPE email_purpose AS ENUM ('alerts', 'invites', 'password_resets', 'reports');"
        "CREATE TABLE localization_settings (id smallint PRIMARY KEY, language text NOT NULL DEFAULT 'en-US', date_format varchar(4),"
        " time_format text, number_format text, time_zone text, first_day_of_week int, currency text);"
        "INSERT INTO localization_settings (id, currency) VALUES (1, 'EUR');"
        "CREATE TABLE branding_settings AS SELECT 1 AS id, '#ffffff' AS primary_color, ''::text AS secondary_color,"
        " ''::text AS logo_light_url,"
        " ''::text AS logo_dark_url, ''::text AS login_background_url, ''::text AS favicon_url, ''::text AS email_header,"
        " ''::text AS email_footer, ''::text AS custom_css, true AS allow_client_theme_toggle;"
        "ALTER TABLE branding_settings ADD PRIMARY KEY (id)"
    )
    with legacy.connect() as connection:
        definition = (
            "CREATE TABLE email_settings (purpose email_purpose PRIMARY KEY, enabled boolean NOT NULL DEFAULT true"
        )
        texts = [f"{p}_{c}" for p in ("smtp", "imap", "pop") for c in ("host", "username")] + ["smtp_from_address"]
        others = "smtp_port int, imap_port int, pop_port int, smtp_password text, imap_password text, pop_password text"
        flags = [
            f"{name} boolean NOT NULL DEFAULT true"
            for name in ("smtp_use_tls", "smtp_use_ssl", "imap_use_ssl", "pop_use_ssl")
        ]
        columns = [
            *(f"{one} text NOT NULL DEFAULT ''" for one in texts),
            others,
            *flags,
            "updated_at timestamptz DEFAULT now()",
        ]
        target.execute(f"{definition}, {', '.join(columns)})")
        (colour,) = connection.execute(
            b"SELECT primary_color FROM branding_settings ORDER BY id DESC LIMIT 1"
        ).fetchone() or (None,)
    install(target)
    migration = Migration.of(legacy, target)
    migration.run(*with_dependencies(_RUN))
    assert done(target, "SELECT primary_color FROM branding_settings") == [(colour,)]
    assert len(done(target, "SELECT purpose FROM email_settings")) == 4
    assert out_of_step(target) == []
    versions = migration.versions()
    migration.run(*_RUN)
    assert migration.versions() == versions
    target.drop()
    legacy.drop()


def test_nothing_is_made_or_taken_away_while_a_run_is_in_work(paired: Migration) -> None:
    with open_run(paired.plan), place(paired.target) as application:
        for call in (application.install, application.remove):
            with pytest.raises(LockedError, match="a run of the source default is in work"):
                call()
