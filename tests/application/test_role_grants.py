"""What counts as a grant is a setting: a change of it gives every role what a first run under it gives, and nothing waits."""

import contextlib

import pytest

from remoteiq_etl.backfill.context.report import Ledger
from remoteiq_etl.errors import ConfigurationError
from remoteiq_etl.gate.roles import would_change
from remoteiq_etl.verify.engine import verify
from remoteiq_etl.verify.verdicts.model import Label
from tests.support.drifting import settled
from tests.support.migrating import Migration

TABLES = ("organizations", "permissions", "roles", "users", "role_permissions", "user_roles", "seed_permissions", "seed_roles",
    "seed_role_permissions",)  # fmt: skip
ROWS = """
INSERT INTO roles (id, name, created_at) VALUES
    ('{0}01', 'Tech', '2024-01-01'), ('{0}02', 'tech ', '2024-01-02'), ('{0}03', 'Desk', '2024-01-03'), ('{0}04', 'Bare', '2024-01-04');
INSERT INTO permissions (id, key, label, group_key, group_label)
    SELECT ('{0}' || 50 + n)::uuid, 'extra.p' || n, 'P' || n, 'extra', 'Extra' FROM generate_series(1, 6) AS n;
INSERT INTO role_permissions (role_id, permission_id)
    SELECT ('{0}' || r)::uuid, ('{0}' || 50 + n)::uuid FROM unnest(ARRAY['01', '02', '03', '04']) AS r, generate_series(1, 4) AS n;
INSERT INTO role_meta (role_name, description, permissions) VALUES
    ('Tech', '', ARRAY['extra.p1', 'extra.p5']), ('tech ', '', ARRAY['extra.p2', 'extra.p5', 'extra.p6']),
    ('Desk', '', ARRAY['extra.p4', 'other.key']), ('Bare', '', '{{}}');
""".format("f0000000-0000-4000-8000-0000000000")
GRANTS = """
SELECT r.name, array_agg(g.permission_key::text ORDER BY g.permission_key) FROM role_permissions AS g
JOIN roles AS r ON r.id = g.role_id WHERE r.name IN ('Tech', 'Desk', 'Bare') GROUP BY r.name
"""
UNION, META = {"options": {"role_grants": "union"}}, {"options": {"role_grants": "role_meta_first"}}


@pytest.fixture
def mixed(pair: Migration) -> Migration:
    pair.legacy.execute(ROWS)
    return pair


def granted(migration: Migration) -> dict[str, list[str]]:
    return dict(migration.query(GRANTS))


def bugs(migration: Migration) -> list[str]:
    (verdict,) = verify(migration.plan, ["role_permissions"]).tables
    return [verdict.error or "", *(one.detail for one in verdict.findings if one.label is Label.BUG)]


def test_a_change_of_the_setting_gives_each_role_what_counts_now_and_back(mixed: Migration) -> None:
    mixed.run(*TABLES, **UNION)
    first = granted(mixed)
    every = [f"extra.p{number}" for number in range(1, 5)]
    assert first == {"Tech": [*every, "extra.p5", "extra.p6"], "Desk": [*every, "other.key"], "Bare": every}
    of_guard = {
        "Tech": ["extra.p1", "extra.p2", "extra.p5", "extra.p6"],
        "Desk": ["extra.p4", "other.key"],
        "Bare": every,
    }
    for setting, wanted in ((META, of_guard), (UNION, first), (META, of_guard), (UNION, first)):
        found = mixed.run(*TABLES, **setting)["role_permissions"]
        assert (found.total(Ledger.QUARANTINED), found.total(Ledger.HELD)) == (0, 0)
        assert (granted(mixed), bugs(mixed)) == (wanted, [""])
        written = mixed.versions()
        mixed.run(*TABLES)  # told nothing, it remembers
        assert mixed.versions() == written


def test_it_is_a_setting_and_what_another_run_was_told_goes_before_it(mixed: Migration) -> None:
    """A plan is no run, and is not remembered."""
    told = settled(mixed.legacy, mixed.target, role_grants="role_meta_first")
    with told.run(planning=True) as run:
        assert run.context.plan.options == {"role_grants": "role_meta_first"}
    with told.run(options={"role_grants": "union"}) as run:
        assert run.context.plan.options == {"role_grants": "union"}
    with settled(mixed.legacy, mixed.target).run() as run:
        assert run.context.plan.options == {"role_grants": "union"}
    with (
        pytest.raises(ConfigurationError, match="role_grants"),
        settled(mixed.legacy, mixed.target).run(options={"role_grants": "both"}),
    ):
        pass


def test_what_each_role_gains_and_loses_against_the_guard_is_told_before_a_run(mixed: Migration) -> None:
    with contextlib.closing(mixed.plan.legacy.connect()) as legacy:
        union = {one.role: one for one in would_change(legacy, mixed.plan.legacy, "union")}
        first = [str(one) for one in would_change(legacy, mixed.plan.legacy, "role_meta_first")]
    assert str(union["Desk"]) == "Desk: gains extra.p1, extra.p2, extra.p3"
    assert "Bare" not in union
    assert {line for line in first if line.lower().startswith("tech")} == {
        "Tech: gains extra.p2, extra.p6",
        "tech : gains extra.p1",
    }
