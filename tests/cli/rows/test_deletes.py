"""`deletes list` and `propagate`: what they print, and how they end."""

import json

from tests.cli.conftest import Cli, Ended, Migrated


def call(cli: Cli, migrated: Migrated, *arguments: str) -> Ended:
    # The target was made from another copy of the legacy database; what is gone is told by keys, which are the same.
    return cli("deletes", *arguments, legacy=migrated.legacy, target=migrated.target)


def test_nothing_gone_is_said_so(cli: Cli, migrated: Migrated) -> None:
    ended = call(cli, migrated, "list")
    assert (ended.code, ended.out) == (0, "No row that was migrated is gone from the legacy database.\n")


def test_what_is_gone_is_listed_and_deleted_when_asked_to(cli: Cli, migrated: Migrated) -> None:
    with migrated.legacy.connect() as connection:
        gone = connection.execute(
            "DELETE FROM agent_software WHERE id = (SELECT min(id) FROM agent_software) RETURNING id"
        ).fetchone()
    assert gone is not None
    ended = call(cli, migrated, "list", "--table", "agent_software")
    assert ended.code == 3
    assert "agent_software" in ended.out
    assert str(gone[0]) in ended.out
    assert max(map(len, ended.out.splitlines())) <= 100
    said = json.loads(call(cli, migrated, "propagate", "--table", "agent_software", "--json").out)
    assert (said["policy"], said["tables"]["agent_software"]["deleted"], said["rows"]) == ("propagate", 1, [])
    every = json.loads(call(cli, migrated, "list", "--all", "--json").out)["rows"]
    assert [(row["legacy_key"], row["outcome"]) for row in every] == [(str(gone[0]), "deleted")]


def test_the_brake_says_what_it_held_and_how_to_go_on(cli: Cli, migrated: Migrated) -> None:
    migrated.legacy.execute("DELETE FROM backup_job_logs")
    ended = call(cli, migrated, "propagate", "--table", "backup_job_logs")
    assert ended.code == 3
    assert "--confirm backup_job_logs" in " ".join(ended.out.split())
    said = json.loads(
        call(cli, migrated, "propagate", "--table", "backup_job_logs", "--confirm", "backup_job_logs", "--json").out
    )
    assert said["tables"]["backup_job_logs"]["brake"] is None
    assert said["tables"]["backup_job_logs"]["deleted"] > 0


def test_a_table_that_there_is_not_is_wrong_usage(cli: Cli, migrated: Migrated) -> None:
    for option in ("--table", "--confirm"):
        ended = call(cli, migrated, "list", option, "no_such_table")
        assert (ended.code, "no_such_table" in ended.err) == (2, True)
