"""Connection URLs: for libpq, and as they are shown."""

import pytest

from remoteiq_etl.config.urls import (
    connection_parameters,
    is_misread,
    is_postgresql_url,
    libpq_url,
    redact_url,
    without_secrets,
)

SECRET = "s3cr:et@x"


@pytest.mark.parametrize(
    "url",
    [
        f"postgresql://etl:{SECRET}@db.example.com/legacy",
        f"postgresql://:{SECRET}@db.example.com",
        "postgresql://etl:a/b?c#s3cr@db.example.com/legacy",
        "postgresql://e#t?l:s3cr@db.example.com/legacy",
        "postgresql://s3cr@et@db.example.com/legacy",
        "postgresql://db.example.com/legacy?user=etl&password=s3cr&sslmode=require",
        "host=db.example.com password='s3cr et' user=etl",
        "postgresql://db.example.com/legacy?sslpassword=s3cr",
    ],
)
def test_a_redacted_url_names_the_host_but_no_password(url: str) -> None:
    assert "s3cr" not in redact_url(url)
    assert "db.example.com" in redact_url(url)


@pytest.mark.parametrize("url", ["postgres://h/d", "postgresql://h/d", "postgresql+psycopg://h/d"])
def test_libpq_is_given_no_driver(url: str) -> None:
    assert libpq_url(url) == "postgresql://h/d"


@pytest.mark.parametrize("url", ["mysql://h/d", "postgresql+psycopg2://h/d", "postgresql:/h/d", "h/d", ""])
def test_another_driver_or_database_is_told(url: str) -> None:
    assert not is_postgresql_url(url)
    assert is_postgresql_url("postgresql+psycopg://h/d")


def test_parameters_have_the_names_of_libpq() -> None:
    found = connection_parameters("postgresql+psycopg://etl@db.example.com:5433/new?connect_timeout=3")
    expected = {"host": "db.example.com", "port": "5433", "dbname": "new", "user": "etl", "connect_timeout": "3"}
    assert found == expected


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://etl:se@cret@db.example.com/legacy",
        "postgresql+psycopg://etl:se@cret@db.example.com/legacy",
        "postgresql://e@tl:secret@db.example.com/legacy",
        "postgresql://etl:se/cret@db.example.com/legacy",
        "postgresql://etl:12/34@db.example.com/legacy",
        "postgresql://etl:se/cr@et@db.example.com/legacy",
        "postgresql://db.example.com?user=etl&password=se@cret",
        "postgresql://etl:s%zz@db.example.com/legacy",
        "postgresql://etl@db.example.com:port/legacy",
    ],
)
def test_a_reserved_character_that_moves_the_parts_of_a_url_is_noticed(url: str) -> None:
    assert is_misread(url)


@pytest.mark.parametrize(
    "url",
    [
        "postgresql:///legacy",
        "postgresql:///legacy?host=/var/run/a@b",
        "postgresql://db.example.com/legacy?user=etl@example.com",
        "postgresql://etl:s%40%2F@db.example.com:5433/legacy?application_name=a@b",
        "postgresql://etl:a:b?c#d@one.example.com:5433,two.example.com:5434/legacy",
        "postgresql://etl@[2001:db8::1]:5432/legacy",
        "postgresql://etl@%40abstract/legacy",
    ],
)
def test_a_url_that_libpq_reads_as_it_is_meant_is_let_be(url: str) -> None:
    assert not is_misread(url)


@pytest.mark.parametrize(
    ("url", "text", "shown"),
    [
        (
            "postgresql://etl:se@cret@db.example.com/legacy",
            'could not translate host name "cret@db.example.com"',
            'could not translate host name "***@db.example.com"',
        ),
        ("postgresql://se@cret@h/d", 'host name "cret@h", user "se"', 'host name "***@h", user "***"'),
        ("postgresql://etl:sec%23ret@h/d", "sec#ret, sec%23ret, sec and ret", "***, ***, *** and ***"),
        ("postgresql://h/d?password=sec%23ret", "sec#ret, sec%23ret, sec and ret", "***, ***, *** and ***"),
        ("postgresql://etl:a%40b@h/d", 'a role "etl" and b, bar', '*** role "etl" and ***, bar'),
        ("postgresql://etl:s3cret@h/d?application_name=x@y", "s3cret at h, d, x, y", "*** at h, d, x, y"),
    ],
)
def test_a_text_about_a_url_holds_no_piece_of_its_password(url: str, text: str, shown: str) -> None:
    """As it is written in the URL and as it is meant; short pieces where they are no part of a word."""
    assert without_secrets(text, url) == shown
