"""Which trigger functions may be replaced by ours without loss."""

import pytest

from remoteiq_etl.lifecycle.target.trigger import sets_updated_at_only


@pytest.mark.parametrize(
    "body",
    [
        "BEGIN NEW.updated_at = now(); RETURN NEW; END;",
        "\nbegin\n  new.updated_at := CURRENT_TIMESTAMP;\n\treturn new;\nend\n",
        "-- sets the time\nBEGIN /* always */ NEW.updated_at=transaction_timestamp(); RETURN NEW; END;",
    ],
)
def test_a_function_that_sets_the_time_may_be_replaced(body: str) -> None:
    assert sets_updated_at_only(body)


@pytest.mark.parametrize(
    "body",
    [
        "BEGIN NEW.updated_at = clock_timestamp(); RETURN NEW; END;",
        "BEGIN NEW.updated_at = now(); NEW.version = OLD.version + 1; RETURN NEW; END;",
        "BEGIN IF NEW <> OLD THEN NEW.updated_at = now(); END IF; RETURN NEW; END;",
        "BEGIN NEW.created_at = now(); RETURN NEW; END;",
        "",
    ],
)
def test_a_function_that_does_anything_else_may_not(body: str) -> None:
    assert not sets_updated_at_only(body)
