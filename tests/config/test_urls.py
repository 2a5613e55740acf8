"""Connection URLs: for libpq, and as they are shown."""

import pytest

from remoteiq_etl.config.urls import connection_parameters, is_postgresql_url, libpq_url, redact_url

SECRET = "s3cr:et@x"


@pytest.mark.parametrize(
    "url",
    [
        f"postgresql://etl:{SECRET}@db.example.com/legacy",
        f"postgresql://:{SECRET}@db.example.com",
        "postgresql://etl:a/b?c#s3cr@db.example.com/legacy",
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
