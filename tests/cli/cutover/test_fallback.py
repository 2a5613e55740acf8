"""`fallback` and `cutover --back` by the command line: counts and keys, no values; the file; how they end."""

import json
from collections.abc import Callable, Iterator

import pytest

from tests.cli.conftest import Cli, Ended
from tests.support.cutting_over import Ready
from tests.support.falling_back import cut_over_edge_cases
from tests.support.server import Server

WRITES = """
UPDATE users SET first_name = 'Invented-Name' WHERE id = 'c5000000-0000-4000-8000-000000000001';
INSERT INTO ticket_updates (id, ticket_id, message) VALUES
    ('56565656-5656-4656-8656-565656565656', '7c000001-0000-4000-8000-000000000000', 'Invented words');
"""


@pytest.fixture
def cut(server: Server, edge_template: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ready]:
    ready = cut_over_edge_cases(server, edge_template, tmp_path_factory.mktemp("home"))
    yield ready
    ready.legacy.drop()
    ready.target.drop()


@pytest.fixture
def call(cli: Cli, cut: Ready) -> Callable[..., Ended]:
    return lambda *arguments: cli(*arguments, legacy=cut.legacy, target=cut.target)


def test_what_was_written_goes_back_and_what_stays_behind_is_said(call: Callable[..., Ended], cut: Ready) -> None:
    nothing = call("fallback", "plan")
    assert (nothing.code, "0 rows go back, 0 do not" in nothing.out) == (0, True), nothing.err
    cut.target.execute(WRITES)
    file = cut.home / "left.jsonl"
    plan = call("fallback", "plan", "--json", "--file", str(file))
    assert plan.code == 3, plan.err
    found = json.loads(plan.out)
    assert found["tables"] == [{"table": "users", "inserts": 0, "updates": 1, "deletes": 0, "conflicts": 0}]
    assert [json.loads(line) for line in file.read_text().splitlines()] == found["left"]
    assert found["left"][0]["reason"] == "legacy has no table for it"
    refused = call("cutover", "--back")
    assert (refused.code, "ticket_updates (1 rows): legacy has no table for it" in refused.err) == (1, True)
    done = call("fallback", "run")
    assert (done.code, "legacy has no table for it" in " ".join(done.out.split())) == (3, True)
    back = call("cutover", "--back", "--lose")
    assert (back.code, "Stays behind: ticket_updates (1 rows)" in back.out) == (0, True)
    assert cut.in_legacy("SELECT name FROM users WHERE id = 'c5000000-0000-4000-8000-000000000001'") == [
        ("Invented-Name Lovelace",)
    ]
    after = call("fallback", "plan")
    assert (after.code, "needs a migration that is cut over" in after.err) == (1, True)
    for said in (plan, refused, done, back):
        assert "Invented" not in said.out + said.err + file.read_text()
