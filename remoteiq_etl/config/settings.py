"""Settings: environment variables, the optional configuration file, and their checks.

Nothing here connects to a database or creates a directory. The environment wins over the file.
"""

import difflib
import os
import re
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, BeforeValidator, Field, InstanceOf, Strict, StringConstraints, model_validator

from remoteiq_etl.config import alerts
from remoteiq_etl.config.alerts import Alerting
from remoteiq_etl.config.application import ApplicationSettings
from remoteiq_etl.config.conflicts import ConflictPolicies, conflict_policies
from remoteiq_etl.config.cutover import ADMIN_VARIABLE, CutOverSettings
from remoteiq_etl.config.gate import GateLimits
from remoteiq_etl.config.retention import Retention
from remoteiq_etl.config.schedules import Schedules
from remoteiq_etl.config.throttle import ThrottleLimits
from remoteiq_etl.config.urls import connection_parameters, is_misread, is_postgresql_url, redact_url
from remoteiq_etl.config.validation import (
    PREFIX,
    Expected,
    SettingsTable,
    Where,
    checked,
    contradiction,
    hidden,
    is_table,
    unknown_setting,
)
from remoteiq_etl.errors import ConfigurationError
from remoteiq_etl.sensitive import keys as sealing_keys
from remoteiq_etl.sensitive.keys import SealingKeys

CONFIG_NAME = "remoteiq.toml"
HOME_NAME = ".remoteiq"
#: The rows of one batch: extracted, transformed and committed together. `make bench` sweeps it.
DEFAULT_BATCH_ROWS = 50_000
MAX_BATCH_ROWS = 1_000_000

#: Settings that may stand at the top of the configuration file, and in the environment as REMOTEIQ_<NAME IN CAPITALS>.
SETTING_NAMES = (
    "legacy_url",
    "target_url",
    "rehearsal_url",
    "legacy_schema",
    "target_schema",
    "source",
    "organization_slug",
    "home",
    "server_user",
    "batch_rows",
    "deletes",
    "role_grants",
)

#: What the file alone may hold: lists and tables.
_FILE_ONLY = (
    "values",
    "throttle",
    "schedules",
    "alerts",
    "conflicts",
    "accept_drift",
    "retention",
    "cutover",
    "gate",
    "application",
)

#: Secrets stand where the configuration file is not: it is kept with the code, and shown in tickets.
ONLY_IN_ENVIRONMENT = (
    sealing_keys.VARIABLE,
    sealing_keys.FILE_VARIABLE,
    alerts.PASSWORD_VARIABLE,
    alerts.WEBHOOK_VARIABLE,
    ADMIN_VARIABLE,
)

ValueMapEntries = Mapping[str, Mapping[str, str]]
"""For each value map, named `<target table>.<column>`, extra words and what they mean."""


def _connection_url(url: object) -> object:
    """A URL that libpq reads as it is meant, or None. Before any other check: nothing of a refused one may be shown."""
    if url is None:
        return None
    if not isinstance(url, str) or not is_postgresql_url(url):
        words = "postgresql://user@host:5432/database or postgresql+psycopg://…"
        raise hidden(words, "Without it the bundled server is used.")
    if is_misread(url):
        raise hidden(
            "a connection URL whose parts can be told apart",
            "Write @ : / ? # % in a user or password percent-encoded (@ is %40), or keep the password in ~/.pgpass or"
            " PGPASSWORD, and check the names of the parameters after '?' and the port.",
        )
    return url


def _schema_name(name: str) -> str:
    if not name or "\0" in name or len(name.encode()) > 63 or name.startswith("pg_"):
        raise ValueError
    return name


def _digits(value: object) -> object:
    """The environment holds text; 10_000 is 10000 there as it is in TOML."""
    is_number = isinstance(value, str) and re.fullmatch(r"[0-9][0-9_]{0,11}", value, re.ASCII)
    return int(str(value).replace("_", "")) if is_number else value


def _frozen(words: ValueMapEntries) -> ValueMapEntries:
    return MappingProxyType({name: MappingProxyType(dict(meanings)) for name, meanings in words.items()})


def _default_home() -> Path:
    return project_directory() / HOME_NAME


_Url = Annotated[str | None, BeforeValidator(_connection_url)]
_SchemaName = Annotated[str, AfterValidator(_schema_name), Expected("the name of a schema (1 to 63 bytes, not pg_…)")]
_SourceName = Annotated[
    str,
    StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,62}$"),
    Expected("letters, digits, '.', '_' and '-', at most 63, as in head-office"),
]
_Slug = Annotated[
    str,
    StringConstraints(pattern="^[a-z0-9]+(?:-[a-z0-9]+)*$"),
    Expected("lower case words joined by '-', as in acme-it"),
]
_BatchRows = Annotated[
    int,
    Strict(),
    Field(ge=1, le=MAX_BATCH_ROWS),
    BeforeValidator(_digits),
    Expected(f"a whole number from 1 to {MAX_BATCH_ROWS}", f"The default is {DEFAULT_BATCH_ROWS}."),
]
_Meanings = Annotated[
    Mapping[str, str],
    Expected(
        'lines such as "legacy word" = "target word", both text',
        'Write the name in double quotes, [values."<table>.<column>"], because it has a dot.',
    ),
]
_Names = Annotated[tuple[Annotated[str, Field(min_length=1)], ...], Expected('a list such as ["name", "another name"]')]


class Settings(SettingsTable):
    """What one invocation runs with. A URL of None means the bundled server.

    `values` extends the value maps: for each `<target table>.<column>` the extra legacy words and their target words.
    `role_grants`: which grants of a role count; None: those that counted in the last run that was told, else the union.
    `deletes`: whether the job deletes lists what is gone from legacy, or propagates it.
    `accept_drift` names differences of the legacy database that a run may go on in spite of.
    `home` is absolute; the bundled server, Dagster's instance and reports live below it. `server_user` is the operating
    system user that the bundled server runs as when we are root (None: postgres, else nobody). `sealing_keys` come from
    the environment alone, never from the file, and so does `legacy_admin_url`: a connection to the legacy database that may
    fence it; None: `legacy_url` is tried.
    """

    legacy_url: _Url = None
    target_url: _Url = None
    rehearsal_url: _Url = None
    legacy_schema: _SchemaName = "public"
    target_schema: _SchemaName = "public"
    state_schema: _SchemaName = "remoteiq_etl"
    source: _SourceName = "default"
    organization_slug: _Slug = "default"
    home: Annotated[Path, Expected("the path of a directory")] = Field(default_factory=_default_home)
    server_user: Annotated[str | None, Expected("the name of a user")] = None
    batch_rows: _BatchRows = DEFAULT_BATCH_ROWS
    config_file: Path | None = None
    sealing_keys: InstanceOf[SealingKeys] | None = None
    legacy_admin_url: Annotated[_Url, Field(repr=False)] = None
    values: Annotated[
        Mapping[str, _Meanings], AfterValidator(_frozen), is_table('tables [values."<table>.<column>"]')
    ] = Field(default_factory=lambda: MappingProxyType({}))
    throttle: InstanceOf[ThrottleLimits] = Field(default_factory=ThrottleLimits)
    retention: InstanceOf[Retention] = Field(default_factory=Retention)
    schedules: InstanceOf[Schedules] = Field(default_factory=Schedules)
    alerts: InstanceOf[Alerting] = Field(default_factory=Alerting)
    accept_drift: _Names = ()
    conflicts: InstanceOf[ConflictPolicies] = Field(default_factory=ConflictPolicies)
    cutover: InstanceOf[CutOverSettings] = Field(default_factory=CutOverSettings)
    gate: InstanceOf[GateLimits] = Field(default_factory=GateLimits)
    application: InstanceOf[ApplicationSettings] = Field(default_factory=ApplicationSettings)
    deletes: Annotated[Literal["list", "propagate"], Expected("list or propagate")] = "list"
    role_grants: Annotated[
        Literal["union", "role_meta_first"] | None, Expected("union or role_meta_first", "The default is union.")
    ] = None

    @model_validator(mode="after")
    def _schemas_are_apart(self) -> Self:
        """The state has a schema of its own; in one database legacy and target must differ by schema."""
        if self.state_schema in (self.legacy_schema, self.target_schema):
            raise contradiction(
                f"{self.state_schema!r} is the schema of our own state; name another for legacy and target."
            )
        if self.legacy_schema == self.target_schema and _same_database(self.legacy_url, self.target_url):
            raise contradiction(
                f"legacy_url and target_url name one database and both schemas are {self.legacy_schema!r}."
                " Set REMOTEIQ_LEGACY_SCHEMA and REMOTEIQ_TARGET_SCHEMA to different ones, or use two databases."
            )
        return self

    def __repr_args__(self) -> Iterator[tuple[str | None, Any]]:
        """Show every setting, without passwords."""
        for name, value in super().__repr_args__():
            is_url = name is not None and name.endswith("_url") and value is not None
            yield name, redact_url(value) if is_url else value

    @classmethod
    def load(cls, environ: Mapping[str, str] = os.environ, directory: Path | None = None) -> "Settings":
        """Read the environment and the configuration file of the project around `directory` (default: the current one).

        The file is the one that REMOTEIQ_CONFIG names, else remoteiq.toml in the project directory when there is one.
        An empty variable counts as unset. Raises ConfigurationError.
        """
        project = project_directory(directory)
        _refuse_misspelt_variables(environ)
        config_file = _config_file(environ, project)
        file = config_file or Path(CONFIG_NAME)
        variables = _from_environment(environ)
        given = _with_tables(_read_config(config_file) if config_file else {}, environ, file) | variables
        given["home"] = _resolved(given.get("home", HOME_NAME), project)
        given["sealing_keys"] = sealing_keys.from_environment(environ, project)
        given["legacy_admin_url"] = environ.get(ADMIN_VARIABLE, "").strip() or None
        return checked(
            cls,
            {**given, "config_file": config_file},
            Where(str(file), in_environment={*variables, "legacy_admin_url"}),
        )


def project_directory(start: Path | None = None) -> Path:
    """Give `start` if it has a remoteiq.toml, else the nearest directory from it up with a .remoteiq or workspace.yaml, else `start`.

    A remoteiq.toml alone makes no project of what lies below it: one in the home of a user would be everybody's.
    """
    start = (start or Path.cwd()).resolve()
    if (start / CONFIG_NAME).exists():
        return start
    for directory in (start, *start.parents):
        if any((directory / name).exists() for name in (HOME_NAME, "workspace.yaml")):
            return directory
    return start


def _from_environment(environ: Mapping[str, str]) -> dict[str, Any]:
    given = ((name, environ.get(PREFIX + name.upper(), "")) for name in SETTING_NAMES)
    return {name: value.strip() for name, value in given if value.strip()}


def _refuse_misspelt_variables(environ: Mapping[str, str]) -> None:
    """A misspelt REMOTEIQ_LEGACY_URL would silently mean the bundled server; the application's own names pass."""
    known = [*(PREFIX + name.upper() for name in (*SETTING_NAMES, "config")), *ONLY_IN_ENVIRONMENT]
    for name in environ:
        meant = difflib.get_close_matches(name, known, n=1, cutoff=0.9) if name.startswith(PREFIX) else []
        if meant and name not in known:
            raise ConfigurationError(
                f"{name} is set, but no such setting exists. {meant[0]} is meant? Rename or unset it."
            )


def _config_file(environ: Mapping[str, str], project: Path) -> Path | None:
    named = environ.get(f"{PREFIX}CONFIG", "").strip()
    if named:
        return (project / Path(named).expanduser()).resolve()
    usual = project / CONFIG_NAME
    return usual if usual.is_file() else None


def _read_config(path: Path) -> dict[str, Any]:
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(
            f"{path}: cannot be read as a UTF-8 text file ({error}). Mend it, or unset REMOTEIQ_CONFIG."
        ) from error
    except tomllib.TOMLDecodeError as error:
        raise ConfigurationError(f"{path}: is not valid TOML: {error}.") from error
    for name in document.keys() - {*SETTING_NAMES, *_FILE_ONLY}:
        raise ConfigurationError(_unknown_setting(path, name))
    return document


def _unknown_setting(path: Path, name: str) -> str:
    variable = PREFIX + name.upper()
    if variable in ONLY_IN_ENVIRONMENT:
        return (
            f"{path}: {name!r} may not stand in a file that is kept with the code. Set {variable} in the environment."
        )
    return unknown_setting(str(path), name, (*SETTING_NAMES, *_FILE_ONLY))


def _with_tables(document: dict[str, Any], environ: Mapping[str, str], file: Path) -> dict[str, Any]:
    """The settings of the file, its tables checked. Alerts have secrets that the environment holds."""
    given = dict(document)
    return {
        **given,
        "retention": checked(Retention, given.get("retention", {}), Where(str(file), "retention")),
        "throttle": ThrottleLimits.read(given.get("throttle", {}), file),
        "schedules": checked(Schedules, given.get("schedules", {}), Where(str(file), "schedules")),
        "cutover": checked(CutOverSettings, given.get("cutover", {}), Where(str(file), "cutover")),
        "conflicts": conflict_policies(given.get("conflicts", {}), Where(str(file), "conflicts")),
        "gate": checked(GateLimits, given.get("gate", {}), Where(str(file), "gate")),
        "application": checked(ApplicationSettings, given.get("application", {}), Where(str(file), "application")),
        "alerts": Alerting.read(given.get("alerts", {}), environ, str(file)),
    }


def _resolved(home: object, project: Path) -> object:
    """A relative home is the project directory's. What is no path is left to the check."""
    return (project / Path(home).expanduser()).resolve() if isinstance(home, str) else home


def _same_database(legacy_url: str | None, target_url: str | None) -> bool:
    if legacy_url is None or target_url is None:
        return False
    legacy, target = ({"port": "5432", **connection_parameters(url)} for url in (legacy_url, target_url))
    return all(legacy.get(name) == target.get(name) for name in ("host", "hostaddr", "port", "dbname"))
