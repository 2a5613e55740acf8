"""The pure parts of the report: the geometry of charts, the packing of the index, and how values read."""

import json
from datetime import UTC, datetime
from itertools import pairwise

import pytest

from remoteiq_etl.report import chart, document, page
from remoteiq_etl.report.model import SourceValue, TableAccount
from remoteiq_etl.report.search import packed
from remoteiq_etl.report.values import folded


class TestChart:
    def test_bars_stand_on_the_axis_in_proportion_to_their_values(self) -> None:
        drawn = chart.bars("rates", "Rates", "rows/s", "run", [("1", 1000.0), ("2", 250.0)])
        tall, short = drawn.bars
        assert tall.height / short.height == pytest.approx(4, rel=0.01)
        assert {round(bar.y + bar.height, 1) for bar in drawn.bars} == {drawn.bottom}
        assert tall.title == "1: 1,000 rows/s"

    def test_sixty_bars_fit_and_few_of_them_are_labelled(self) -> None:
        drawn = chart.bars("rows", "Rows", "rows", "run", [(str(number), float(number)) for number in range(60)])
        assert all(drawn.left <= bar.x and bar.x + bar.width <= drawn.right for bar in drawn.bars)
        edges = [(bar.x, bar.x + bar.width) for bar in drawn.bars]
        assert all(end < begin for (_, end), (begin, _) in pairwise(edges))
        assert 5 <= sum(bar.label is not None for bar in drawn.bars) <= 10

    @pytest.mark.parametrize(
        ("value", "round_number"),
        [(0, 4), (3.2, 4), (5, 8), (9, 10), (11, 20), (80, 80), (81, 100), (123_456, 200_000)],
    )
    def test_the_axis_ends_at_a_round_number_that_is_not_smaller(self, value: float, round_number: float) -> None:
        assert chart.nice(value) == round_number

    def test_it_is_told_in_words_too(self) -> None:
        drawn = chart.bars("rates", "Rates", "rows/s", "run", [("1", 1000.0), ("2", 250.0)])
        assert drawn.about == "2 bars, run 2 has the least with 250 rows/s, 1 the most with 1,000."
        assert chart.bars("rates", "Rates", "rows/s", "run", []).about == "No value."
        assert [tick.label for tick in drawn.ticks] == ["0", "250", "500", "750", "1k"]


class TestIndex:
    ROWS = (
        ("users", "k1", "users", "k1", "migrated", "kept"),
        ("users", "k2", "users", None, "quarantined", "duplicate_email"),
        ("agents", "7", "agents", "n7", "migrated", "kept"),
    )

    def test_words_are_numbers_and_a_kept_key_is_not_repeated(self) -> None:
        rows, names = packed(self.ROWS, 1000)
        assert [(names[row[0]], row[1], names[row[2]], row[3], names[row[4]], names[row[5]]) for row in rows] == [
            ("users", "k1", "users", 0, "migrated", "kept"),
            ("users", "k2", "users", None, "quarantined", "duplicate_email"),
            ("agents", "7", "agents", "n7", "migrated", "kept"),
        ]
        assert sorted(names) == sorted({word for row in self.ROWS for word in (row[0], row[2], row[4], row[5])})

    def test_it_ends_before_it_is_too_long(self) -> None:
        rows, _ = packed(self.ROWS * 100, 500)
        assert 0 < len(rows) < 300
        assert len(json.dumps(rows, separators=(",", ":"))) <= 500


class TestWords:
    @pytest.mark.parametrize(
        ("seconds", "words"), [(None, "–"), (0.24, "0.2 s"), (61, "1 min 01 s"), (7325, "2 h 02 min")]
    )
    def test_spans_have_the_unit_that_suits_them(self, seconds: float | None, words: str) -> None:
        assert page.duration(seconds) == words

    @pytest.mark.parametrize(
        ("count", "words"), [(0, "0 bytes"), (1500, "1.5 kB"), (2_340_000, "2.34 MB"), (5 * 10**9, "5 GB")]
    )
    def test_sizes_too(self, count: int, words: str) -> None:
        assert page.size(count) == words.replace(" ", "\u00a0")

    def test_an_exact_figure_loses_no_digit(self) -> None:
        shown = map(page.figure, (None, 0, "-1764000000000000001", "12345.5", "2026-01-01 00:00:00+00"))
        assert list(shown) == ["–", "0", "-1,764,000,000,000,000,001", "12,345.5", "2026-01-01 00:00:00+00"]

    def test_moments_are_in_utc_and_say_so(self) -> None:
        assert page.moment(datetime(2026, 3, 1, 12, 0, 5, tzinfo=UTC)) == "2026-03-01 12:00:05 UTC"

    def test_a_long_value_is_cut_and_a_null_is_no_text(self) -> None:
        assert page.value("x" * 600) == "x" * 500 + "…"
        assert page.value(None) == "(null)"
        assert page.value({"a": ["ü"]}) == '{"a": ["ü"]}'

    def test_nothing_in_embedded_data_ends_its_element(self) -> None:
        text = page.embedded({"key": "</script><!-- &"})
        assert not {"<", ">", "&"} & set(text)
        assert json.loads(text) == {"key": "</script><!-- &"}


def test_of_many_words_the_rarer_ones_are_told_as_one() -> None:
    words = [SourceValue(f"word {number}", 10 - number, 1, 1, {"open": 1, "closed": 9 - number}) for number in range(5)]
    assert folded(words, 5) == words
    assert folded(words, 3) == [*words[:3], SourceValue("2 other words", 13, None, None, {"open": 2, "closed": 11})]


def test_what_follows_from_the_fields_is_in_the_json() -> None:
    account = TableAccount("users", True, 10, {"migrated": 7, "quarantined": 2})
    assert document.plain(account)["remainder"] == 1
    assert document.plain(TableAccount("derived", False, None, {"migrated": 3}))["remainder"] is None
