"""The roles of a migration with least rights, as SQL for their real names.

Belongs here: putting that script together from the settings; it reaches no database. Does not belong here: looking whether a
role has them (see drift.checkup).
"""

from dataclasses import dataclass

from psycopg import sql

from remoteiq_etl.config.settings import Settings
from remoteiq_etl.config.urls import connection_parameters
from remoteiq_etl.postgres.statements import statements
from schemas import ddl

SQL = statements(__file__)

#: The names of roles and databases where the settings give none.
READER, WRITER, ADMINISTRATOR = "etl_reader", "etl_writer", "etl_administrator"
DATABASE = "remoteiq"


@dataclass(frozen=True)
class RightsScript:
    """What an administrator runs on each side, each as one piece that may be repeated."""

    legacy: str
    target: str

    def __str__(self) -> str:
        """Both, the legacy side first."""
        return f"{self.legacy}\n\n{self.target}\n"


def rights_script(settings: Settings) -> RightsScript:
    """The SQL for the roles, databases and schemas that the settings name."""
    legacy, admin = _parameters(settings.legacy_url), _parameters(settings.legacy_admin_url)
    target = _parameters(settings.target_url)
    return RightsScript(
        _text(
            "legacy",
            database=legacy.get("dbname", DATABASE),
            schema=settings.legacy_schema,
            reader=legacy.get("user", READER),
            administrator=admin.get("user", ADMINISTRATOR),
        ),
        _text(
            "target",
            database=target.get("dbname", DATABASE),
            schema=settings.target_schema,
            writer=target.get("user", WRITER),
        ),
    )


def _text(name: str, **names: str) -> str:
    """One of the statements with names, each also as the literal that a DO block needs."""
    quoted: dict[str, sql.Composable] = {key: sql.Identifier(value) for key, value in names.items()}
    literals = {f"{key}_text": sql.Literal(value) for key, value in names.items()}
    literals["schema_text"] = sql.Literal(sql.Identifier(names["schema"]).as_string(None))  # cast to regnamespace
    extensions = sql.SQL("\n").join(
        sql.SQL("CREATE EXTENSION IF NOT EXISTS {};").format(sql.Identifier(one)) for one in ddl.EXTENSIONS
    )
    return SQL[name].format(**quoted, **literals, extensions=extensions).as_string(None)


def _parameters(url: str | None) -> dict[str, str]:
    return connection_parameters(url) if url else {}
