"""Value maps are data: words compared trimmed and without case, extended by an operator."""

from remoteiq_etl.frames.dtypes import frame
from remoteiq_etl.spec.batch import KEY, Batch
from remoteiq_etl.spec.value_map import ValueMap

STATUS = ValueMap("things.status", {"OK": "passed", "WARN": "warning"}, lossy=frozenset({"WARN"}))


def test_words_are_compared_trimmed_and_without_case() -> None:
    assert STATUS.apply(frame({"s": ["ok", " Ok ", "WARN"]})["s"]).to_list() == ["passed", "passed", "warning"]


def test_an_unknown_word_has_no_label_unless_there_is_a_default() -> None:
    column = frame({"s": ["odd", None, " "]})["s"]
    assert STATUS.apply(column).isna().all()
    given = ValueMap("x", {}, default="other", null="none")
    assert given.apply(column).to_list() == ["other", "none", "none"]


def test_an_operator_s_words_win() -> None:
    extended = STATUS.extended({"odd": "muted", "ok": "muted"})
    assert extended.apply(frame({"s": ["odd", "OK", "warn"]})["s"]).to_list() == ["muted", "muted", "warning"]
    assert STATUS.extended({}) is STATUS


def test_lossy_words_are_known() -> None:
    assert STATUS.loses(frame({"s": ["warn", "ok", None]})["s"]).to_list() == [True, False, False]


def test_a_batch_quarantines_unknown_words_and_counts_all() -> None:
    batch = Batch(frame({KEY: ["1", "2", "3"], "status": ["ok", "odd", "ok"]}))
    batch["status"] = batch.words_of("status", STATUS)
    assert batch.rows()["status"].to_list() == ["passed", "passed"]
    assert [(d.key, d.rule, d.columns) for d in batch.disposals.values()] == [("2", "unknown_word", ("status",))]
    assert batch.words["things.status"] == {"ok": 2, "odd": 1}
