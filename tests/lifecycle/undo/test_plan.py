"""The plan of an undo as a file, and what a scope may be."""

from pathlib import Path

import pytest

from remoteiq_etl.errors import UndoError
from remoteiq_etl.lifecycle.undo.plan import Listed, TablePlan, UndoPlan
from remoteiq_etl.lifecycle.undo.scope import UndoScope

PLAN = UndoPlan(
    UndoScope(run=3), "default", False, [TablePlan("users", restore=2, digest="d")],
    [Listed("users", "1", "edited in target")], [], [], ["a remark"], "abc",
)  # fmt: skip


def test_a_plan_survives_its_file(tmp_path: Path) -> None:
    PLAN.write(tmp_path / "plan.json")
    assert UndoPlan.read(tmp_path / "plan.json") == PLAN


@pytest.mark.parametrize(
    ("text", "said"),
    [("", "is no plan"), ("[]", "is no plan"), ("{}", "expected a remoteiq-etl undo plan of version 1, found None")],
)
def test_another_file_is_no_plan(tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / "plan.json").write_text(text)
    with pytest.raises(UndoError, match=said):
        UndoPlan.read(tmp_path / "plan.json")


def test_a_plan_that_lacks_something_is_refused() -> None:
    found = PLAN.as_json()
    del found["kept"]
    with pytest.raises(UndoError, match="lacks or misstates"):
        UndoPlan.from_json(found)


@pytest.mark.parametrize("scope", [{}, {"run": 1, "everything": True}, {"run": 1, "assets": ("users",)}])
def test_a_scope_is_one_thing(scope: dict[str, object]) -> None:
    with pytest.raises(UndoError, match="name exactly one"):
        UndoScope(**scope)
