"""Sealing keys: where they come from, and that neither a message nor a repr holds one."""

import base64
from pathlib import Path

import pytest

from remoteiq_etl.config.settings import Settings
from remoteiq_etl.errors import ConfigurationError
from remoteiq_etl.sensitive.keys import SealingKeys, from_environment, new_key

RAW = bytes(range(200, 232))
KEY = base64.urlsafe_b64encode(RAW).decode()
OTHER = base64.urlsafe_b64encode(bytes(32)).decode()


def refused(tmp_path: Path, **environ: str) -> str:
    with pytest.raises(ConfigurationError) as caught:
        Settings.load(environ, tmp_path)
    assert caught.value.__cause__ is None or "KEY_FILE" in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize("text", [KEY, KEY.rstrip("="), base64.b64encode(RAW).decode(), f"  {KEY}\n"])
def test_a_key_is_read_in_both_alphabets_with_or_without_padding(tmp_path: Path, text: str) -> None:
    assert from_environment({"REMOTEIQ_SEALING_KEY": text}, tmp_path) == SealingKeys((RAW,))


def test_several_keys_keep_their_order_and_a_repeated_one_counts_once(tmp_path: Path) -> None:
    found = from_environment({"REMOTEIQ_SEALING_KEY": f"{KEY}, {OTHER},{KEY}"}, tmp_path)
    assert found == SealingKeys((RAW, bytes(32)))


def test_keys_may_stand_in_a_file_one_a_line(tmp_path: Path) -> None:
    (tmp_path / "keys").write_text(f"{KEY}\n{OTHER}\n")
    assert Settings.load({"REMOTEIQ_SEALING_KEY_FILE": "keys"}, tmp_path).sealing_keys == SealingKeys((RAW, bytes(32)))


def test_without_a_key_there_is_none(tmp_path: Path) -> None:
    assert Settings.load({"REMOTEIQ_SEALING_KEY": " "}, tmp_path).sealing_keys is None


@pytest.mark.parametrize("bad", ["hunter2-hunter2", KEY[:-3], f"{KEY[:20]}!{KEY[20:]}", f"{KEY},hunter2", KEY + KEY])
def test_what_is_no_key_is_refused_without_being_shown(tmp_path: Path, bad: str) -> None:
    text = refused(tmp_path, REMOTEIQ_SEALING_KEY=bad)
    assert "REMOTEIQ_SEALING_KEY" in text
    assert "seal new-key" in text
    assert not any(part in text for part in (bad, "hunter2", KEY[:8], KEY[20:28]))


def test_a_file_that_holds_no_key_is_refused_without_being_shown(tmp_path: Path) -> None:
    (tmp_path / "keys").write_bytes(b"\xff\xfehunter2")
    assert "hunter2" not in refused(tmp_path, REMOTEIQ_SEALING_KEY_FILE="keys")
    (tmp_path / "keys").write_text("\n")
    assert "found nothing" in refused(tmp_path, REMOTEIQ_SEALING_KEY_FILE="keys")
    assert "cannot be read" in refused(tmp_path, REMOTEIQ_SEALING_KEY_FILE="nowhere")


def test_two_places_for_keys_are_one_too_many(tmp_path: Path) -> None:
    text = refused(tmp_path, REMOTEIQ_SEALING_KEY=KEY, REMOTEIQ_SEALING_KEY_FILE="keys")
    assert "both set" in text
    assert KEY not in text


def test_the_configuration_file_may_not_hold_a_key(tmp_path: Path) -> None:
    (tmp_path / "remoteiq.toml").write_text(f'sealing_key = "{KEY}"\n')
    text = refused(tmp_path)
    assert "Set REMOTEIQ_SEALING_KEY in the environment" in text
    assert KEY not in text


def test_no_repr_shows_a_key(tmp_path: Path) -> None:
    settings = Settings.load({"REMOTEIQ_SEALING_KEY": KEY}, tmp_path)
    for text in (repr(settings), str(settings), repr(settings.sealing_keys), f"{settings.sealing_keys}"):
        assert KEY[:8] not in text
        assert repr(RAW)[2:12] not in text


def test_a_new_key_fits_and_is_new() -> None:
    first, second = new_key(), new_key()
    assert first != second
    assert from_environment({"REMOTEIQ_SEALING_KEY": f"{first},{second}"}, Path()) is not None
