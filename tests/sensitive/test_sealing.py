"""A sealed text opens at its place, under its key, and nowhere else."""

import base64

import pytest

from remoteiq_etl.errors import SealBroken, SealingKeyMissing
from remoteiq_etl.sensitive.keys import SealingKeys
from remoteiq_etl.sensitive.sealing import Sealer

OLD, NEW = bytes(range(32)), bytes(range(32, 64))
PLACE = ("legacy_archive", "agents", "7", "token_hash")


def sealer(*keys: bytes, source: str = "default") -> Sealer:
    return Sealer(SealingKeys(keys), source)


@pytest.mark.parametrize("text", ['"s3cret"', "", "null", '{"käse": "\\u0000"}', "x" * 1_000_000])
def test_what_was_sealed_opens_as_it_was(text: str) -> None:
    sealed = sealer(OLD).seal(text, PLACE)
    assert sealer(OLD).open(sealed, PLACE) == text


def test_a_sealed_text_names_its_form_and_its_key_and_shows_nothing_else() -> None:
    sealed = sealer(OLD).seal('"s3cret"', PLACE)
    version, key_id, content = sealed.split(".")
    assert (version, key_id) == ("v1", sealer(OLD).key_id)
    assert b"s3cret" not in base64.urlsafe_b64decode(content + "==")
    assert OLD.hex()[:8] not in key_id


def test_a_repeated_run_seals_the_same_value_to_the_same_text_and_only_at_the_same_place() -> None:
    assert sealer(OLD).seal("1", PLACE) == sealer(OLD).seal("1", PLACE)
    assert sealer(OLD).seal("1", PLACE) != sealer(OLD).seal("1", (*PLACE[:2], "8", PLACE[3]))


@pytest.mark.parametrize(
    "place",
    [
        ("before_images", *PLACE[1:]),
        ("legacy_archive", "users", "7", "token_hash"),
        ("legacy_archive", "agents", "8", "token_hash"),
        ("legacy_archive", "agents", "7", "facts"),
        ("legacy_archive", "agents", "7,token_hash"),
        ("legacy_archive", 'agents", "7', "token_hash"),
    ],
)
def test_a_value_that_was_moved_to_another_place_does_not_open(place: tuple[str, ...]) -> None:
    with pytest.raises(SealBroken, match="moved from another place"):
        sealer(OLD).open(sealer(OLD).seal("1", PLACE), place)


def test_a_value_of_another_source_does_not_open() -> None:
    with pytest.raises(SealBroken):
        sealer(OLD, source="branch").open(sealer(OLD).seal("1", PLACE), PLACE)


def test_a_value_does_not_open_without_its_key() -> None:
    with pytest.raises(SealingKeyMissing, match=sealer(OLD).key_id):
        sealer(NEW).open(sealer(OLD).seal("1", PLACE), PLACE)


def test_the_id_of_another_key_does_not_make_it_open() -> None:
    _, _, content = sealer(OLD).seal("1", PLACE).split(".")
    with pytest.raises(SealBroken):
        sealer(NEW).open(f"v1.{sealer(NEW).key_id}.{content}", PLACE)


def test_a_text_of_a_later_form_is_left_to_a_later_program() -> None:
    sealed = sealer(OLD).seal("1", PLACE)
    with pytest.raises(SealingKeyMissing, match="newer version"):
        sealer(OLD).open(sealed.replace("v1.", "v2.", 1), PLACE)


@pytest.mark.parametrize("damaged", ["", "v1.only", "v1.{id}.???", "v1.{id}.AAAA", "v1.{id}.{content}AA"])
def test_a_damaged_text_is_refused_by_its_place(damaged: str) -> None:
    _, key_id, content = sealer(OLD).seal("1", PLACE).split(".")
    with pytest.raises(SealBroken, match="agents / 7 / token_hash"):
        sealer(OLD).open(damaged.format(id=key_id, content=content), PLACE)


def test_every_given_key_opens_and_the_first_one_seals() -> None:
    old = sealer(OLD).seal("1", PLACE)
    both = sealer(NEW, OLD)
    assert both.open(old, PLACE) == "1"
    assert both.resealed(old, PLACE).split(".")[1] == both.key_id == sealer(NEW).key_id
    assert sealer(NEW).open(both.resealed(old, PLACE), PLACE) == "1"


def test_no_error_and_no_repr_holds_the_value_or_a_key() -> None:
    sealed = sealer(OLD).seal('"s3cret"', PLACE)
    said = [repr(sealer(OLD, NEW))]
    for other, place in ((sealer(NEW), PLACE), (sealer(OLD), ("elsewhere",))):
        with pytest.raises((SealBroken, SealingKeyMissing)) as caught:
            other.open(sealed, place)
        said.append(str(caught.value))
    for text in said:
        assert not any(part in text for part in ("s3cret", sealed.split(".")[2], repr(OLD)[2:-1], OLD.hex()))
