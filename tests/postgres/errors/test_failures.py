"""What an error stands for."""

import psycopg
import pytest

from remoteiq_etl.postgres.errors.failures import is_interruption


def _cut_short() -> None:
    try:
        raise KeyboardInterrupt
    finally:
        raise psycopg.OperationalError("another command is already in progress")


def test_the_error_of_a_session_that_ctrl_c_cut_short_stands_for_it() -> None:
    with pytest.raises(psycopg.OperationalError) as raised:
        _cut_short()
    assert is_interruption(raised.value)
    assert is_interruption(KeyboardInterrupt())
    assert not is_interruption(psycopg.OperationalError("the server is gone"))
    assert not is_interruption(None)
