"""Every opinion agrees with what the edge-case database became."""

import pytest

from remoteiq_etl.verify.opinion import Opinion, opinions
from tests.verify.conftest import Bench


@pytest.mark.parametrize("opinion", opinions(), ids=lambda opinion: opinion.name)
def test_the_opinion_agrees(opinion: Opinion, asking: Bench) -> None:
    assert asking.differences(opinion) == []
