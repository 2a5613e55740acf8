"""Settings: environment variables, the optional configuration file, their checks, and URLs that hide their password.

Nothing here connects to a database or creates a directory. The environment wins over the file.
"""

import difflib
import os
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any

from psycopg import ProgrammingError
from psycopg.conninfo import conninfo_to_dict

from remoteiq_etl.config import alerts as alerting
from remoteiq_etl.config.alerts import Alerting
from remoteiq_etl.config.conflicts import Policies, policies_of
from remoteiq_etl.config.schedules import Schedules
from remoteiq_etl.config.throttle import Limits
from remoteiq_etl.config.urls import _SCHEME, libpq_url, redact_url
from remoteiq_etl.errors import ConfigurationError
from remoteiq_etl.sensitive import keys as sealing_keys
from remoteiq_etl.sensitive.keys import SealingKeys

PREFIX = "REMOTEIQ_"


CONFIG_NAME = "remoteiq.toml"


HOME_NAME = ".remoteiq"


#: The rows of one batch: extracted, transformed and committed together. `make bench` sweeps it.
DEFAULT_BATCH_ROWS = 50_000


MAX_BATCH_ROWS = 1_000_000

#: What a scheduled pass does about rows gone from legacy.
LIST = "list"


DELETES = (LIST, "propagate")

#: Settings that may stand at the top of the configuration file, and in the environment as REMOTEIQ_<NAME IN CAPITALS>.
SETTING_NAMES = (
    "legacy_url",
    "target_url",
    "legacy_schema",
    "target_schema",
    "source",
    "organization_slug",
    "home",
    "server_user",
    "batch_rows",
    "deletes",
)

#: Secrets stand where the configuration file is not: it is kept with the code, and shown in tickets.
ONLY_IN_ENVIRONMENT = (
    sealing_keys.VARIABLE,
    sealing_keys.FILE_VARIABLE,
    alerting.PASSWORD_VARIABLE,
    alerting.WEBHOOK_VARIABLE,
)


#: What the file alone may hold: lists and tables.
#: A hundred years: more days than PostgreSQL subtracts from any date in use is surely a slip.
MOST_DAYS = 36_500


_FILE_ONLY = ("values", "throttle", "schedules", "alerts", "conflicts", "accept_drift", "retention")


_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,62}")


_SLUG = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")

Words = Mapping[str, Mapping[str, str]]


"""For each value map, named `<target table>.<column>`, extra words and what they mean."""


@dataclass(frozen=True, slots=True, repr=False)
class Settings:
    """What one invocation runs with. A URL of None means the bundled server.

    `values` extends the value maps: for each `<target table>.<column>` the extra legacy words and their target words.
    `deletes`: whether the job deletes lists what is gone from legacy, or propagates it.
    `before_images_days`: after how many days before images go that no undo of a table or of everything needs.
    `accept_drift` names differences of the legacy database that a run may go on in spite of.
    `home` is absolute; the bundled server, Dagster's instance and reports live below it. `server_user` is the operating
    system user that the bundled server runs as when we are root (None: postgres, else nobody). `sealing_keys` come from
    the environment alone, never from the file.
    """

    legacy_url: str | None = None
    target_url: str | None = None
    legacy_schema: str = "public"
    target_schema: str = "public"
    state_schema: str = "remoteiq_etl"
    source: str = "default"
    organization_slug: str = "default"
    home: Path = field(default_factory=lambda: project_directory() / HOME_NAME)
    server_user: str | None = None
    batch_rows: int = DEFAULT_BATCH_ROWS
    config_file: Path | None = None
    sealing_keys: SealingKeys | None = None
    values: Words = field(default_factory=lambda: MappingProxyType({}))
    throttle: Limits = field(default_factory=Limits)
    before_images_days: int | None = None
    schedules: Schedules = field(default_factory=Schedules)
    alerts: Alerting = field(default_factory=Alerting)
    accept_drift: tuple[str, ...] = ()
    conflicts: Policies = field(default_factory=Policies)
    deletes: str = LIST

    def __post_init__(self) -> None:
        """Refuse what cannot work. Raises ConfigurationError."""
        for name in ("legacy_url", "target_url"):
            _check_url(name, getattr(self, name))
        for name in ("legacy_schema", "target_schema", "state_schema"):
            _check_schema_name(name, getattr(self, name))
        _check_pattern("source", self.source, _NAME, "letters, digits, '.', '_' and '-', at most 63, as in head-office")
        _check_pattern(
            "organization_slug", self.organization_slug, _SLUG, "lower case words joined by '-', as in acme-it"
        )
        _check_batch_rows(self.batch_rows)
        _check_deletes(self.deletes)
        _check_schemas_apart(self)

    def __repr__(self) -> str:
        """Show every setting, without passwords."""
        shown = {name: getattr(self, name) for name in self.__slots__}
        for name in ("legacy_url", "target_url"):
            shown[name] = shown[name] and redact_url(shown[name])
        return f"Settings({', '.join(f'{name}={value!r}' for name, value in shown.items())})"

    @classmethod
    def load(cls, environ: Mapping[str, str] = os.environ, directory: Path | None = None) -> "Settings":
        """Read the environment and the configuration file of the project around `directory` (default: the current one).

        The file is the one that REMOTEIQ_CONFIG names, else remoteiq.toml in the project directory when there is one.
        An empty variable counts as unset. Raises ConfigurationError.
        """
        project = project_directory(directory)
        _refuse_misspelt_variables(environ)
        config_file = _config_file(environ, project)
        given: dict[str, Any] = _read_config(config_file) if config_file else {}
        given.update(_from_environment(environ))
        keys = sealing_keys.from_environment(environ, project)
        alerts = Alerting.read(given.pop("alerts", {}), environ, str(config_file or CONFIG_NAME))
        return cls(**_resolved(given, project), config_file=config_file, sealing_keys=keys, alerts=alerts)


def project_directory(start: Path | None = None) -> Path:
    """Give the nearest directory from `start` up with a .remoteiq, remoteiq.toml or workspace.yaml, else `start`."""
    start = (start or Path.cwd()).resolve()
    for directory in (start, *start.parents):
        if any((directory / name).exists() for name in (HOME_NAME, CONFIG_NAME, "workspace.yaml")):
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
    for name in document:
        if name not in (*SETTING_NAMES, *_FILE_ONLY):
            raise ConfigurationError(_unknown_setting(path, name))
    retention = document.pop("retention", {})
    return {
        **document,
        "before_images_days": _read_retention(path, retention),
        "values": _read_values(path, document.get("values", {})),
        "throttle": Limits.read(document.get("throttle", {}), path),
        "schedules": Schedules.read(document.get("schedules", {}), path),
        "conflicts": policies_of(document.get("conflicts", {}), f"{path}: [conflicts]"),
        "accept_drift": _read_names(path, "accept_drift", document.get("accept_drift", [])),
    }


def _read_retention(path: Path, table: object) -> int | None:
    """The one setting of [retention]: after how many days before images go; None keeps them."""
    if not isinstance(table, dict) or table.keys() - {"before_images_days"}:
        raise ConfigurationError(f"{path}: expected [retention] with before_images_days alone, found {table!r}.")
    days = table.get("before_images_days")
    if days is not None and (isinstance(days, bool) or not isinstance(days, int) or not 1 <= days <= MOST_DAYS):
        raise ConfigurationError(
            f"{path}: expected [retention] before_images_days to be 1 to {MOST_DAYS}, found {days!r}. Without it they are kept."
        )
    return days


def _unknown_setting(path: Path, name: str) -> str:
    if PREFIX + name.upper() in ONLY_IN_ENVIRONMENT:
        return f"{path}: {name!r} may not stand in a file that is kept with the code. Set {PREFIX}{name.upper()} in the environment."
    meant = difflib.get_close_matches(name, (*SETTING_NAMES, *_FILE_ONLY), n=1)
    hint = f" {meant[0]!r} is meant?" if meant else ""
    tables = '[values."<table>.<column>"], [throttle], [schedules], [alerts], [conflicts] and [retention]'
    known = f"{', '.join(SETTING_NAMES)}, accept_drift and the tables {tables}"
    return f"{path}: unknown setting {name!r}.{hint} Known: {known}."


def _read_values(path: Path, tables: object) -> Words:
    """Each table [values."<table>.<column>"] maps legacy words to target words, both text."""
    if not isinstance(tables, dict):
        raise ConfigurationError(f'{path}: expected tables [values."<table>.<column>"], found values = {tables!r}.')
    for name, words in tables.items():
        if not isinstance(words, dict) or not all(isinstance(word, str) for word in words.values()):
            raise ConfigurationError(
                f'{path}: [values."{name}"] must hold lines such as "legacy word" = "target word", both text.'
                " Write the table's name in double quotes, because it has a dot."
            )
    return MappingProxyType({name: MappingProxyType(dict(words)) for name, words in tables.items()})


def _read_names(path: Path, setting: str, names: object) -> tuple[str, ...]:
    if not isinstance(names, list) or not all(isinstance(name, str) and name for name in names):
        raise ConfigurationError(f'{path}: expected {setting} = ["name", "another name"], found {names!r}.')
    return tuple(names)


def _resolved(given: Mapping[str, Any], project: Path) -> dict[str, Any]:
    """Bring texts to their types; a relative home is the project directory's."""
    home = given.get("home", HOME_NAME)
    if not isinstance(home, str):
        raise ConfigurationError(f"home: expected the path of a directory, found {home!r}.")
    resolved = {**given, "home": (project / Path(home).expanduser()).resolve()}
    if "batch_rows" in given:
        resolved["batch_rows"] = _number("batch_rows", given["batch_rows"])
    return resolved


def _number(name: str, value: object) -> int:
    text = str(value).replace("_", "")
    if isinstance(value, bool) or not re.fullmatch(r"[0-9]{1,12}", text, re.ASCII):
        raise ConfigurationError(
            f"{name}: expected a whole number, found {value!r}. Set {PREFIX}{name.upper()}, e.g. {DEFAULT_BATCH_ROWS}."
        )
    return int(text)


def _check_batch_rows(value: int) -> None:
    if not 1 <= value <= MAX_BATCH_ROWS:
        raise ConfigurationError(
            f"batch_rows: expected 1 to {MAX_BATCH_ROWS}, found {value}. The default is {DEFAULT_BATCH_ROWS}."
        )


def _check_deletes(value: object) -> None:
    if value not in DELETES:
        raise ConfigurationError(f"deletes: expected {' or '.join(DELETES)}, found {value!r}. Set {PREFIX}DELETES.")


def _check_url(name: str, url: object) -> None:
    if url is None:
        return
    scheme = _SCHEME.match(url) if isinstance(url, str) else None
    if not isinstance(url, str) or not scheme or (scheme[2] or "+psycopg").lower() != "+psycopg":
        shown = redact_url(url) if isinstance(url, str) else url
        raise ConfigurationError(
            f"{name}: expected postgresql://user@host:5432/database or postgresql+psycopg://…, found {shown!r}."
            f" Set {PREFIX}{name.upper()}, or leave it out for the bundled server."
        )
    _connection_facts(name, url)


def _connection_facts(name: str, url: str) -> dict[str, Any]:
    try:
        return dict(conninfo_to_dict(libpq_url(url)))
    except ProgrammingError:
        # libpq's own message quotes the URL, and with it the password.
        raise ConfigurationError(
            f"{name}: {redact_url(url)!r} is not a connection URL. Write @ : / ? # % in a user or password"
            " percent-encoded (@ is %40) and check the names of the parameters after '?'."
        ) from None


def _check_schema_name(name: str, value: object) -> None:
    if not isinstance(value, str) or not value or "\0" in value or len(value.encode()) > 63 or value.startswith("pg_"):
        raise ConfigurationError(f"{name}: expected the name of a schema (1 to 63 bytes, not pg_…), found {value!r}.")


def _check_pattern(name: str, value: object, pattern: re.Pattern[str], expected: str) -> None:
    if not isinstance(value, str) or not pattern.fullmatch(value):
        raise ConfigurationError(f"{name}: expected {expected}; found {value!r}. Set {PREFIX}{name.upper()}.")


def _check_schemas_apart(settings: Settings) -> None:
    """The state has a schema of its own; in one database legacy and target must differ by schema."""
    if settings.state_schema in (settings.legacy_schema, settings.target_schema):
        raise ConfigurationError(
            f"{settings.state_schema!r} is the schema of our own state; name another for legacy and target."
        )
    if _same_database(settings) and settings.legacy_schema == settings.target_schema:
        raise ConfigurationError(
            f"legacy_url and target_url name one database and both schemas are {settings.legacy_schema!r}."
            " Set REMOTEIQ_LEGACY_SCHEMA and REMOTEIQ_TARGET_SCHEMA to different ones, or use two databases."
        )


def _same_database(settings: Settings) -> bool:
    if settings.legacy_url is None or settings.target_url is None:
        return False
    facts = [_connection_facts("url", url) for url in (settings.legacy_url, settings.target_url)]
    place = [
        [fact.get(name) for name in ("host", "hostaddr")] + [str(fact.get("port", 5432)), fact.get("dbname")]
        for fact in facts
    ]
    return place[0] == place[1]
