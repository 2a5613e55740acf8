"""The legacy schema changes between two runs: what came with it is in the target, or the run is refused with a sentence.

No change of these gives a row another xmin: a run that believes in xmin alone would miss what they bring. Does not belong here:
rows that are written between runs, see test_steps.
"""

from typing import Any

import pytest

from tests.matrix.installation import Installation

pytestmark = pytest.mark.matrix
#: As one table of an older release keeps its rows: in a schema that the migration does not look into, with every check of tickets.
ATTIC = """
CREATE SCHEMA attic;
CREATE TABLE attic.tickets_of_2019 (LIKE tickets INCLUDING DEFAULTS INCLUDING CONSTRAINTS);
INSERT INTO attic.tickets_of_2019 (id, number, title, status, priority)
    SELECT ('fffffff0-0000-4000-8000-00000000000' || n)::uuid, 880000 + n, 'from the attic', 'open', 'low'
    FROM generate_series(1, 3) AS n;
"""
AS_ONE_PARTITION = """
ALTER TABLE tickets RENAME TO tickets_of_today;
CREATE TABLE tickets (LIKE tickets_of_today INCLUDING DEFAULTS, PRIMARY KEY (id)) PARTITION BY RANGE (id);
ALTER TABLE tickets_of_today ALTER number DROP IDENTITY IF EXISTS;
ALTER TABLE tickets ATTACH PARTITION tickets_of_today
    FOR VALUES FROM (MINVALUE) TO ('fffffff0-0000-4000-8000-000000000000');
"""


def test_an_added_column_stops_the_run_until_it_is_accepted_and_is_archived_of_every_row(loaded: Installation) -> None:
    loaded.legacy.execute("ALTER TABLE devices ADD shoe_size integer NOT NULL DEFAULT 42")
    assert "--accept-drift devices.shoe_size" in loaded.refused("devices")
    loaded.run("devices", accept=["devices.shoe_size"])
    [(devices,)] = loaded.ask_legacy("SELECT count(*) FROM devices")
    archived = (
        "SELECT count(*), min(value::text), max(value::text) FROM remoteiq_etl.legacy_archive"
        """ WHERE legacy_table = 'devices' AND "column" = 'shoe_size'"""
    )
    assert loaded.query(archived) == [(devices, "42", "42")]
    loaded.verified("devices")


def test_a_column_dropped_and_added_again_with_a_default_is_read_of_every_row(loaded: Installation) -> None:
    loaded.legacy.execute("ALTER TABLE tickets DROP title, ADD title text NOT NULL DEFAULT 'added again'")
    loaded.run("tickets")
    assert _subjects(loaded) == {"added again"}
    loaded.verified("tickets")


def test_another_default_for_rows_of_before_is_read_of_every_row(loaded: Installation) -> None:
    """Added, accepted and archived; dropped and added with another default, which the archive has then."""
    loaded.legacy.execute("ALTER TABLE devices ADD rack text NOT NULL DEFAULT 'a'")
    loaded.run("devices", accept=["devices.rack"])
    loaded.legacy.execute("ALTER TABLE devices DROP rack, ADD rack text NOT NULL DEFAULT 'b'")
    loaded.run("devices")
    racks = """SELECT DISTINCT value::text FROM remoteiq_etl.legacy_archive WHERE "column" = 'rack'"""
    assert loaded.query(racks) == [('"b"',)]


def test_a_column_renamed_away_is_refused_and_renamed_back_nothing_has_changed(loaded: Installation) -> None:
    """First the column that nobody knows is named, and when that is accepted the one that is missing."""
    loaded.legacy.execute("ALTER TABLE tickets RENAME title TO headline")
    assert "--accept-drift tickets.headline" in loaded.refused("tickets")
    assert "tickets.title" in loaded.refused("tickets", accept=["tickets.headline"])
    loaded.legacy.execute("ALTER TABLE tickets RENAME headline TO title")
    before = loaded.migration.versions()
    loaded.run("tickets")
    assert loaded.migration.versions() == before
    loaded.verified("tickets")


def test_a_column_that_takes_the_place_of_another_is_read_of_every_row(loaded: Installation) -> None:
    """Expanded and filled before a run, contracted after it."""
    loaded.legacy.execute("ALTER TABLE tickets ADD headline text")
    loaded.legacy.execute("UPDATE tickets SET headline = 'expanded ' || number")
    loaded.run("tickets", accept=["tickets.headline"])
    loaded.legacy.execute("ALTER TABLE tickets DROP title; ALTER TABLE tickets RENAME headline TO title")
    loaded.legacy.execute("ALTER TABLE tickets ALTER title SET NOT NULL")
    loaded.run("tickets")
    assert {subject.partition(" ")[0] for subject in _subjects(loaded)} == {"expanded"}
    loaded.verified("tickets")


def test_two_columns_that_change_places_are_read_of_every_row(loaded: Installation) -> None:
    before = _hosts(loaded)
    loaded.legacy.execute(
        "ALTER TABLE email_settings RENAME smtp_host TO other; ALTER TABLE email_settings RENAME imap_host TO smtp_host;"
        " ALTER TABLE email_settings RENAME other TO imap_host"
    )
    loaded.run("email_channels")
    assert _hosts(loaded) == {name: (imap, smtp) for name, (smtp, imap) in before.items()}
    loaded.verified("email_channels")


def test_an_added_label_is_named_and_becomes_what_the_value_map_says(loaded: Installation) -> None:
    loaded.legacy.execute("ALTER TYPE email_purpose ADD VALUE 'news'")
    loaded.legacy.execute("INSERT INTO email_settings (purpose, smtp_host) VALUES ('news', 'news.example.com')")
    run = loaded.run("email_channels")
    assert [text for text in run.warnings if "news" in text and "email_channels.purpose" in text]
    assert _purposes(loaded)["news"] == "system"
    loaded.verified("email_channels")


def test_a_renamed_label_is_read_of_every_row(loaded: Installation) -> None:
    """The label is the row's key: there is a channel of the new one, and that of the former is gone from legacy."""
    before = _hosts(loaded)
    loaded.legacy.execute("ALTER TYPE email_purpose RENAME VALUE 'reports' TO 'digests'")
    run = loaded.run("email_channels")
    assert [text for text in run.warnings if "digests" in text]
    assert _hosts(loaded)["digests"] == before["Reports"]
    assert _purposes(loaded)["digests"] == "system"
    assert loaded.gone("email_channels") == 1


def test_two_labels_that_change_places_are_read_of_every_row(loaded: Installation) -> None:
    before = _hosts(loaded)
    for one, other in (("alerts", "other"), ("invites", "alerts"), ("other", "invites")):
        loaded.legacy.execute(f"ALTER TYPE email_purpose RENAME VALUE '{one}' TO '{other}'")
    loaded.run("email_channels")
    assert _hosts(loaded) == {**before, "Alerts": before["Invites"], "Invites": before["Alerts"]}
    loaded.verified("email_channels")


def test_indexes_that_come_and_go_change_nothing(loaded: Installation) -> None:
    before, idle = loaded.migration.versions(), loaded.run("tickets")
    loaded.legacy.execute("CREATE INDEX tickets_by_title ON tickets (title); DROP INDEX idx_tickets_status")
    loaded.target.execute("CREATE INDEX tickets_by_subject ON tickets (subject)")
    run = loaded.run("tickets")
    assert run.total("read") == idle.total("read")
    assert loaded.migration.versions() == before
    loaded.verified("tickets")


def test_a_column_with_a_default_that_the_target_gets_is_left_to_the_application(loaded: Installation) -> None:
    loaded.target.execute("ALTER TABLE tickets ADD mood text NOT NULL DEFAULT 'calm'")
    loaded.legacy.execute("UPDATE tickets SET title = 'changed since'")
    loaded.run("tickets")
    assert _subjects(loaded) == {"changed since"}
    assert loaded.query("SELECT DISTINCT mood FROM tickets") == [("calm",)]
    loaded.verified("tickets")


def test_rows_of_a_table_that_begins_to_inherit_are_read(loaded: Installation) -> None:
    loaded.legacy.execute(ATTIC)
    loaded.run("tickets")
    loaded.legacy.execute("ALTER TABLE attic.tickets_of_2019 INHERIT tickets")
    loaded.run("tickets")
    assert _from_the_attic(loaded) == 3
    loaded.verified("tickets")


def test_rows_of_a_table_that_inherits_in_place_of_another_are_read(loaded: Installation) -> None:
    """As many as have gone: no count tells."""
    loaded.legacy.execute(ATTIC)
    loaded.legacy.execute("ALTER TABLE attic.tickets_of_2019 INHERIT tickets")
    loaded.legacy.execute(
        "CREATE TABLE attic.tickets_of_2020 (LIKE tickets INCLUDING DEFAULTS INCLUDING CONSTRAINTS);"
        " INSERT INTO attic.tickets_of_2020 SELECT (overlay(id::text placing 'e' from 1))::uuid, number + 10, 'later' AS title"
        " FROM attic.tickets_of_2019"
    )
    loaded.run("tickets", full=True)
    loaded.legacy.execute(
        "ALTER TABLE attic.tickets_of_2019 NO INHERIT tickets; ALTER TABLE attic.tickets_of_2020 INHERIT tickets"
    )
    loaded.run("tickets")
    assert loaded.query("SELECT count(*) FROM tickets WHERE subject = 'later'") == [(3,)]
    assert loaded.gone("tickets") == 3


def test_rows_of_a_partition_that_is_attached_are_read(loaded: Installation) -> None:
    """A table that becomes the one partition of another brings nothing new; a second partition brings its rows."""
    loaded.legacy.execute(ATTIC)
    loaded.legacy.execute(AS_ONE_PARTITION)
    before = loaded.migration.versions()
    loaded.run("tickets")
    assert loaded.migration.versions() == before
    loaded.legacy.execute(
        "ALTER TABLE tickets ATTACH PARTITION attic.tickets_of_2019"
        " FOR VALUES FROM ('fffffff0-0000-4000-8000-000000000000') TO (MAXVALUE)"
    )
    loaded.run("tickets")
    assert _from_the_attic(loaded) == 3
    loaded.verified("tickets")


def test_rows_of_a_table_that_inherits_no_more_are_gone(loaded: Installation) -> None:
    loaded.legacy.execute(ATTIC)
    loaded.legacy.execute("ALTER TABLE attic.tickets_of_2019 INHERIT tickets")
    loaded.run("tickets", full=True)
    assert _from_the_attic(loaded) == 3
    loaded.legacy.execute("ALTER TABLE attic.tickets_of_2019 NO INHERIT tickets")
    assert loaded.gone("tickets") == 3


def _subjects(installation: Installation) -> set[str]:
    """Of the tickets that legacy has."""
    return {subject for (subject,) in installation.query("SELECT subject FROM tickets")}


def _from_the_attic(installation: Installation) -> int:
    return int(installation.query("SELECT count(*) FROM tickets WHERE subject = 'from the attic'")[0][0])


def _purposes(installation: Installation) -> dict[str, str]:
    """The purpose of each channel by its legacy label."""
    return dict(
        installation.query(
            "SELECT m.legacy_key, c.purpose::text FROM remoteiq_etl.legacy_email_channels_map AS m"
            " JOIN email_channels AS c ON c.id = m.new_key WHERE m.state = 'live'"
        )
    )


def _hosts(installation: Installation) -> dict[str, tuple[Any, Any]]:
    """The SMTP and the IMAP host of each channel by its name, which its legacy label gives."""
    query = "SELECT name, smtp_settings ->> 'host', imap_settings ->> 'host' FROM email_channels"
    return {name: (smtp, imap) for name, smtp, imap in installation.query(query)}
