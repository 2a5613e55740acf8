from assets.shared.optional import carry_optional
from remoteiq_etl.frames.dtypes import frame
from remoteiq_etl.spec.batch import KEY
from remoteiq_etl.spec.transform_context import Context
from tests.assets.builders import archived, batch_of, rows_of


def test_optional_columns() -> None:
    """A column that the target has is filled; the values of one that it has not are archived."""
    batch = batch_of({KEY: ["a", "b"]})
    values = frame({"phone": ["1", None], "city": ["Bern", None]})
    carry_optional(batch, Context(optional=frozenset({"phone"})), {name: values[name] for name in ("phone", "city")})
    assert rows_of(batch) == [{KEY: "a", "phone": "1"}, {KEY: "b", "phone": None}]
    assert archived(batch) == [("a", "city", "Bern", "no_optional_column")]
