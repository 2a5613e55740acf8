"""Settings: where they come from, and that bad ones are refused in words that say what to do."""

from pathlib import Path

import pytest
from pydantic import ValidationError

from remoteiq_etl.config.settings import DEFAULT_BATCH_ROWS, Settings
from remoteiq_etl.errors import ConfigurationError

LEGACY = "postgresql://etl:s3cr%3Aet%40x@db.example.com:5432/legacy"


def load(directory: Path, **variables: str) -> Settings:
    return Settings.load({f"REMOTEIQ_{name}": value for name, value in variables.items()}, directory)


def refused(directory: Path, **variables: str) -> str:
    with pytest.raises(ConfigurationError) as caught:
        load(directory, **variables)
    return str(caught.value)


def test_without_configuration_everything_is_embedded(tmp_path: Path) -> None:
    settings = load(tmp_path)
    assert (settings.legacy_url, settings.target_url) == (None, None)
    assert (settings.source, settings.organization_slug, settings.batch_rows) == (
        "default",
        "default",
        DEFAULT_BATCH_ROWS,
    )
    assert settings.home == tmp_path / ".remoteiq"


def test_every_variable_arrives(tmp_path: Path) -> None:
    settings = load(
        tmp_path,
        LEGACY_URL=LEGACY,
        TARGET_URL="postgresql+psycopg://etl@db.example.com/new",
        LEGACY_SCHEMA="old",
        TARGET_SCHEMA="new",
        SOURCE="head-office",
        ORGANIZATION_SLUG="acme-it",
        HOME="data",
        SERVER_USER="daemon",
        BATCH_ROWS=" 10_000 ",
    )
    assert settings.legacy_url == LEGACY
    assert settings.target_url == "postgresql+psycopg://etl@db.example.com/new"
    assert (settings.legacy_schema, settings.target_schema) == ("old", "new")
    assert (settings.source, settings.organization_slug) == ("head-office", "acme-it")
    assert (settings.home, settings.server_user, settings.batch_rows) == (tmp_path / "data", "daemon", 10_000)


def test_an_empty_variable_is_unset(tmp_path: Path) -> None:
    assert load(tmp_path, LEGACY_URL="", BATCH_ROWS=" ").legacy_url is None


def test_the_project_is_found_from_below(tmp_path: Path) -> None:
    (tmp_path / "workspace.yaml").touch()
    (tmp_path / "docs").mkdir()
    assert load(tmp_path / "docs").home == tmp_path / ".remoteiq"


def test_the_file_is_read_and_the_environment_wins(tmp_path: Path) -> None:
    (tmp_path / "remoteiq.toml").write_text(
        'source = "branch"\nbatch_rows = 20_000\n[values."tickets.status"]\n"on hold" = "pending"\n', encoding="utf-8"
    )
    settings = load(tmp_path, SOURCE="head-office")
    assert (settings.source, settings.batch_rows) == ("head-office", 20_000)
    assert settings.values == {"tickets.status": {"on hold": "pending"}}
    assert settings.config_file == tmp_path / "remoteiq.toml"


@pytest.mark.parametrize(("text", "days"), [("before_images_days = 30", 30), ("", None)])
def test_before_images_are_kept_unless_the_file_says_how_long(tmp_path: Path, text: str, days: int | None) -> None:
    (tmp_path / "remoteiq.toml").write_text(f"[retention]\n{text}\n", encoding="utf-8")
    assert load(tmp_path).retention.before_images_days == days


def test_another_file_can_be_named(tmp_path: Path) -> None:
    (tmp_path / "other.toml").write_text('source = "branch"', encoding="utf-8")
    assert load(tmp_path, CONFIG="other.toml").source == "branch"
    assert "cannot be read" in refused(tmp_path, CONFIG="missing.toml")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("source = ", "is not valid TOML"),
        ('sorce = "x"', "unknown setting 'sorce'. 'source' is meant?"),
        ("values = 3", 'remoteiq.toml: values: expected tables [values."<table>.<column>"], found 3'),
        ("[values.tickets.status]\nx = 'y'", '[values] tickets: expected lines such as "legacy word" = "target word"'),
        ("[values.tickets.status]\nx = 'y'", "Write the name in double quotes"),
        ('batch_rows = "many"', "remoteiq.toml: batch_rows: expected a whole number from 1 to 1000000, found 'many'"),
        ("batch_rows = true", "batch_rows: expected a whole number from 1 to 1000000, found True"),
        ("home = 3", "home: expected the path of a directory"),
        ("legacy_url = 3", "legacy_url: expected postgresql://"),
        ("source = 3", "source: expected letters"),
        ("legacy_schema = []", "legacy_schema: expected the name of a schema"),
        ("batch_rows = 5.0", "batch_rows: expected a whole number"),
        ("server_user = 3", "server_user: expected the name of a user, found 3"),
        ("deletes = 'never'", "deletes: expected list or propagate, found 'never'"),
        ("accept_drift = 'x'", "accept_drift: expected a list such as"),
        ("accept_drift = ['']", "accept_drift: expected a list such as"),
        ("conflicts = 3", '[conflicts]: expected lines such as users = "take_legacy", found 3'),
        ("config_file = 'x'", "unknown setting 'config_file'"),
        ("state_schema = 'x'", "unknown setting 'state_schema'"),
        ("retention = 30", "[retention]: expected a table, found 30"),
        (
            "[retention]\nimages_days = 30",
            "[retention]: unknown setting 'images_days'. 'before_images_days' is meant?"
            " Known: before_images_days, dagster_days, dagster_runs",
        ),
        ("[retention]\nbefore_images_days = 0", "[retention] before_images_days: expected 1 to 36500, found 0"),
        ("[retention]\nbefore_images_days = 36_501", "expected 1 to 36500, found 36501"),
        ("[retention]\nbefore_images_days = true", "expected 1 to 36500, found True"),
        ("[retention]\nbefore_images_days = '30'", "expected 1 to 36500, found '30'"),
        ("[retention]\ndagster_days = 0", "[retention] dagster_days: expected 1 to 36500, found 0"),
        ("[retention]\ndagster_runs = 0", "[retention] dagster_runs: expected 1 to 1000000, found 0"),
    ],
)
def test_a_bad_file_is_refused_by_name(tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / "remoteiq.toml").write_text(text, encoding="utf-8")
    assert said in refused(tmp_path)


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("LEGACY_URL", "mysql://db.example.com/x", "legacy_url: expected postgresql://"),
        ("TARGET_URL", "postgresql+psycopg2://db.example.com/x", "target_url: expected postgresql://"),
        ("LEGACY_URL", "postgresql://db.example.com/x?sllmode=require", "check the names of the parameters"),
        ("LEGACY_SCHEMA", "pg_catalog", "legacy_schema: expected the name of a schema"),
        ("TARGET_SCHEMA", "remoteiq_etl", "is the schema of our own state"),
        ("SOURCE", "a b", "source: expected letters"),
        ("ORGANIZATION_SLUG", "Acme IT", "organization_slug: expected lower case words"),
        (
            "BATCH_ROWS",
            "0",
            "environment: batch_rows: expected a whole number from 1 to 1000000, found '0'. Set REMOTEIQ_BATCH_ROWS",
        ),
        ("BATCH_ROWS", "1e5", "batch_rows: expected a whole number"),
        (
            "LEGACY_ULR",
            "postgresql:///x",
            "REMOTEIQ_LEGACY_ULR is set, but no such setting exists. REMOTEIQ_LEGACY_URL",
        ),
    ],
)
def test_a_bad_variable_is_refused_by_name(tmp_path: Path, name: str, value: str, said: str) -> None:
    assert said in refused(tmp_path, **{name: value})


def test_variables_of_the_application_are_let_be(tmp_path: Path) -> None:
    assert load(tmp_path, SESSION_SECRET="x") == load(tmp_path)


def test_one_database_needs_two_schemas(tmp_path: Path) -> None:
    url = "postgresql://db.example.com/both"
    assert "both schemas are 'public'" in refused(tmp_path, LEGACY_URL=url, TARGET_URL=f"{url}?connect_timeout=3")
    assert load(tmp_path, LEGACY_URL=url, TARGET_URL=url, LEGACY_SCHEMA="old").legacy_schema == "old"


def test_neither_settings_nor_errors_show_a_password(tmp_path: Path) -> None:
    assert "s3cr" not in repr(load(tmp_path, LEGACY_URL=LEGACY))
    assert "db.example.com" in str(load(tmp_path, LEGACY_URL=LEGACY))
    assert "s3cr" not in refused(tmp_path, LEGACY_URL="postgresql://etl:s3cr%zz@db.example.com/legacy")
    assert "s3cr" not in refused(tmp_path, LEGACY_URL="mysql://etl:s3cr@db.example.com/legacy")
    assert "s3cr" not in refused(tmp_path, LEGACY_URL="postgresql://db.example.com/x?sllmode=require&password=s3cr")
    misplaced = refused(tmp_path, SOURCE=LEGACY)
    assert "db.example.com" in misplaced
    assert "s3cr" not in misplaced


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://3tl:se@cret@db.example.com/legacy",
        "postgresql://3tl:se/cret@db.example.com/legacy",
        "3tl:se@cret@db.example.com/legacy",
    ],
)
def test_nothing_is_shown_of_a_url_whose_password_has_no_clear_end(tmp_path: Path, url: str) -> None:
    """What to do is said instead."""
    said = refused(tmp_path, TARGET_URL=url)
    assert said.startswith("environment: target_url: expected ")
    assert [part for part in ("3tl", "cret", "example.com") if part in said] == []
    if "://" in url:
        assert "percent-encoded (@ is %40), or keep the password in ~/.pgpass or PGPASSWORD" in said


def test_an_error_holds_no_value_beside_its_text(tmp_path: Path) -> None:
    """What handles it may print its causes, and they would quote the URL."""
    with pytest.raises(ConfigurationError) as caught:
        load(tmp_path, LEGACY_URL="mysql://etl:s3cr@db.example.com/legacy")
    assert (caught.value.__cause__, caught.value.__context__) == (None, None)


def test_settings_made_by_a_program_hide_the_password_too() -> None:
    with pytest.raises(ValidationError) as caught:
        Settings(legacy_url="mysql://etl:s3cr@db.example.com/legacy")
    assert "s3cr" not in str(caught.value)


def test_settings_cannot_be_changed() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        Settings().source = "other"  # type: ignore[misc]
    with pytest.raises(TypeError):
        Settings(values={"tickets.status": {}}).values["tickets.status"]["on hold"] = "open"  # type: ignore[index]


def test_every_fault_is_told_with_the_place_that_set_it(tmp_path: Path) -> None:
    (tmp_path / "remoteiq.toml").write_text('source = "a b"\nbatch_rows = 0\n', encoding="utf-8")
    assert refused(tmp_path, DELETES="never").splitlines() == [
        f"{tmp_path}/remoteiq.toml: source: expected letters, digits, '.', '_' and '-', at most 63, as in head-office,"
        " found 'a b'.",
        f"{tmp_path}/remoteiq.toml: batch_rows: expected a whole number from 1 to 1000000, found 0. The default is 50000.",
        "environment: deletes: expected list or propagate, found 'never'. Set REMOTEIQ_DELETES to that, or unset it.",
    ]


def test_who_wins_is_set_in_the_file(tmp_path: Path) -> None:
    """By table or for all; a policy that does not exist is refused with the names of those that do."""
    file = tmp_path / "remoteiq.toml"
    file.write_text('[conflicts]\ndefault = "take_legacy"\nusers = "fail"\n')
    conflicts = load(tmp_path).conflicts
    assert [conflicts.of(table) for table in ("users", "tickets")] == ["fail", "take_legacy"]
    file.write_text('[conflicts]\nusers = "overwrite"\n')
    said = refused(tmp_path)
    assert "[conflicts] users" in said
    assert "keep_target, take_legacy, fail" in said


def test_a_file_in_a_directory_above_counts_only_within_a_project(tmp_path: Path) -> None:
    """Else one in somebody's home would be that of every directory below it."""
    (tmp_path / "remoteiq.toml").write_text('source = "everybody"\n', encoding="utf-8")
    below = tmp_path / "somewhere" / "else"
    below.mkdir(parents=True)
    assert Settings.load({}, below).config_file is None
    assert Settings.load({}, tmp_path).source == "everybody"
    (tmp_path / ".remoteiq").mkdir()
    assert Settings.load({}, below).config_file == tmp_path / "remoteiq.toml"
