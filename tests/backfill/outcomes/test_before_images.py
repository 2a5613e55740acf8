"""What an image shows of a row, what it hides, and by what a row is recognised afterwards."""

from dataclasses import replace

import pytest
from psycopg import sql

from remoteiq_etl.backfill.outcomes.before_images import (
    Image,
    ImageWriter,
    activity_hash,
    outside,
    picked_hash,
    place_of,
    text_join,
    value_hash,
)
from remoteiq_etl.backfill.outcomes.bulk_images import keep_images
from remoteiq_etl.sensitive.sealing import Sealer
from tests.assets.builders import uid
from tests.support.library import BOOKS, TAGS, Library
from tests.support.undoing import SEALING_KEYS

STATE, TARGET = "remoteiq_etl", sql.Identifier("public", "books")
SEALER = Sealer(SEALING_KEYS, "default")


def of_book(library: Library, number: int, *shown: sql.Composable) -> tuple[object, ...]:
    image = Image.of(BOOKS, STATE)
    query = sql.SQL("SELECT {} FROM books AS t CROSS JOIN LATERAL (SELECT {} AS image) AS i WHERE id = {}")
    return library.context.session.rows(query.format(sql.SQL(", ").join(shown), image.shown, sql.Literal(uid(number))))[
        0
    ]


def test_an_image_shows_every_column_but_secrets_and_names_what_it_hides(library: Library) -> None:
    """A secret that is null hides nothing, and a JSON value without a secret is whole."""
    library.context.session.execute(f"UPDATE books SET pin = NULL, notes = '{{\"pages\": 1}}' WHERE id = '{uid(2)}'")
    image = Image.of(BOOKS, STATE)
    shown, hidden = of_book(library, 1, image.shown, image.hidden)
    assert isinstance(shown, dict)
    assert set(BOOKS.target.columns.keys()) - set(shown) == {"pin"}
    assert (shown["title"], shown["notes"], hidden) == (
        "Book 1",
        {"pages": 100, "token": "[redacted]"},
        ["pin", "notes"],
    )
    shown, hidden = of_book(library, 2, image.shown, image.hidden)
    assert isinstance(shown, dict)
    assert (shown["pin"], shown["notes"], hidden) == (None, {"pages": 1}, [])
    assert list(Image.of(BOOKS, STATE, ["title"]).columns) == [BOOKS.target.columns["title"]]


def test_a_row_is_recognised_by_its_values_but_those_of_activity(library: Library) -> None:
    spec_hash, active = Image.of(BOOKS, STATE).row_hash, activity_hash(BOOKS, STATE, sql.Identifier("t"))
    title = value_hash(sql.SQL("to_jsonb(t) -> 'title'"))
    before = of_book(library, 1, spec_hash, active, title)
    library.context.session.execute("UPDATE books SET read_at = '2024-01-01'")
    assert of_book(library, 1, spec_hash, title) == (before[0], before[2])
    assert of_book(library, 1, active) != (before[1],)
    library.context.session.execute("UPDATE books SET title = title || '!'")
    assert {of_book(library, 1, spec_hash, title)} & {(before[0], before[2])} == set()
    assert outside(BOOKS) == ["read_at", "updated_at"]
    names = [sql.SQL(f"ARRAY['{one}', '{other}']") for one, other in (("id", "pin"), ("pin", "id"))]
    one, other = (picked_hash(STATE, sql.Identifier("t"), order, ()) for order in names)
    assert len(set(of_book(library, 1, one, other))) == 1


@pytest.mark.parametrize("sealer", [None, SEALER])
def test_what_an_image_hides_is_sealed_where_there_is_a_key_and_withheld_without(
    library: Library, sealer: Sealer | None
) -> None:
    statement = _statement(library)
    (image,) = ImageWriter(BOOKS, TARGET, STATE, sealer).write(library.context.session, statement, {})
    ((withheld, sealed, key_id),) = library.rows(
        "SELECT withheld, sealed, key_id FROM remoteiq_etl.before_images WHERE id = %s", image
    )
    if sealer is None:
        assert (sorted(withheld), sealed, key_id) == (["notes", "pin"], None, None)
    else:
        assert (withheld, set(sealed), key_id) == ([], {"notes", "pin"}, sealer.key_id)
        place = place_of(image, "books", uid(1), "pin")
        assert sealer.open(sealed["pin"], place) == '"pin-1"'


def _statement(library: Library) -> sql.Composable:
    """Writes the image of book 1 and returns its id and whether it hides something."""
    run, image = library.context, Image.of(BOOKS, STATE)
    return sql.SQL(
        "INSERT INTO remoteiq_etl.before_images (source_id, run_id, table_name, new_key, operation, image, withheld, {kept})"
        " SELECT 1, {run}, 'books', t.id::text, 'update', i.image, {hidden}, {keeping}, NULL, NULL, NULL, NULL FROM books AS t"
        " CROSS JOIN LATERAL (SELECT {image} AS image OFFSET 0) AS i WHERE t.id = {id} RETURNING id, cardinality(withheld) > 0"
    ).format(**image.statement, run=sql.Literal(run.id), id=sql.Literal(uid(1)))


def test_what_a_row_is_after_the_change_is_remembered(library: Library) -> None:
    """Recognised by the same hash: whoever finds it otherwise, finds it edited."""
    session, writer = library.context.session, ImageWriter(BOOKS, TARGET, STATE, None)
    images = keep_images(library.context, BOOKS, "update", sql.SQL("t.id = {}").format(sql.Literal(uid(1))))
    session.execute("UPDATE books SET title = 'New', read_at = '2024-01-01'")
    writer.remember_left(session, images)
    writer.remember_left(session, [])
    left = library.rows("SELECT after_hash, after_activity FROM remoteiq_etl.before_images WHERE id = ANY (%s)", images)
    expected = of_book(library, 1, Image.of(BOOKS, STATE).row_hash, activity_hash(BOOKS, STATE, sql.Identifier("t")))
    assert left == [expected]


def test_a_key_as_text_names_its_row_whatever_its_columns(library: Library) -> None:
    query = "SELECT count(*) FROM {} AS t, (SELECT %s::text AS new_key) AS b WHERE {}"
    for spec, key, rows in ((BOOKS, uid(1), 1), (TAGS, f'["{uid(1)}","old"]', 1), (TAGS, f'["{uid(1)}","none"]', 0)):
        assert library.column(query.format(spec.name, text_join(replace(spec), "b").as_string(None)), key) == [rows]
