from typing import Any

import pandas as pd
import pytest

from assets.inventory.rules.device_texts import READS, dispose_deviceless, resolve
from assets.inventory.rules.pairing import pair
from remoteiq_etl.spec.lookup import Lookup
from remoteiq_etl.spec.transform_context import Context
from tests.assets.builders import batch_of, outcomes, uid, waits
from tests.assets.inventory.rows import agent, device


def meant(text: str, devices: list[dict[str, Any]], agents: list[dict[str, Any]]) -> tuple[str, str] | None:
    found = resolve([text], devices, agents, pair(devices, agents, {})).get(text)
    return None if found is None else (found.device[1], found.way)


DEVICES = [device(1, agent_uuid=uid(9007), hostname="front-desk"), device(2)]
AGENTS = [agent(7, hostname="Reception"), agent(8)]


@pytest.mark.parametrize(
    ("text", "key", "way"),
    [
        (uid(2), uid(2), "device_id"),
        (f" {uid(2).upper()} ", uid(2), "device_id"),
        ("box-7", uid(1), "agent_device_id"),
        ("BOX-8", "8", "agent_device_id"),
        ("7", uid(1), "agent_id"),
        ("8 ", "8", "agent_id"),
        (uid(9008).upper(), "8", "agent_uuid"),
        ("FRONT-desk", uid(1), "hostname"),
        ("reception", uid(1), "hostname"),
        ("host8", "8", "hostname"),
    ],
)
def test_five_ways(text: str, key: str, way: str) -> None:
    """A text may be a devices.id, agents.device_id, agents.id, agents.agent_uuid or a unique hostname."""
    assert meant(text, DEVICES, AGENTS) == (key, way)


@pytest.mark.parametrize("text", ["", " ", "unknown", uid(99), f"win-{uid(1)}", "07"])
def test_texts_that_mean_no_device(text: str) -> None:
    """Any other text means none."""
    assert meant(text, DEVICES, AGENTS) is None


def test_order() -> None:
    """The ways are tried in their order, so that a text that fits several means the first."""
    devices = [device(1), device(2, hostname="8"), device(3, hostname=uid(9009)), device(4, hostname="box-9")]
    agents = [
        agent(7, device_id=uid(99)),
        agent(8, device_id="x", agent_uuid=uid(1)),
        agent(9, device_id="7"),
        agent(10),
    ]
    assert meant(uid(1), devices, agents) == (uid(1), "device_id")
    assert meant("7", devices, agents) == ("9", "agent_device_id")
    assert meant("8", devices, agents) == ("8", "agent_id")
    assert meant(uid(9009), devices, agents) == ("9", "agent_uuid")
    assert meant("box-9", devices, agents) == (uid(4), "hostname")


def test_agent_texts_that_differ_only_in_case() -> None:
    """An agents.device_id as it is spelt wins; in another spelling it means nothing when two agents share it."""
    agents = [agent(7, device_id="Box"), agent(8, device_id="BOX")]
    assert meant("BOX", [], agents) == ("8", "agent_device_id")
    assert meant("box", [], agents) is None


def test_hostname_of_several_devices() -> None:
    """A hostname that two devices have means none, in whatever case; one that a device and its own agent share does."""
    assert meant("PC1", [device(1), device(2, hostname="PC1")], []) is None
    assert meant("pc1", [device(1)], [agent(7, hostname="PC1", client="Acme"), agent(8, hostname="pc1")]) is None
    assert meant("pc1", [device(1)], [agent(7, hostname="PC1")]) == (uid(1), "hostname")


def test_texts_of_three_tables_are_read() -> None:
    """The texts of assignments, runs and tickets are resolved."""
    assert list(READS) == ["check_assignments_texts", "check_runs_texts", "tickets_texts"]


def test_rows_without_a_device() -> None:
    """A text that means no device quarantines; a device that was deleted filters, one that is not there holds."""
    texts = Lookup.of({}, decisions={"a": {"way": "hostname"}, "b": {"way": "hostname"}}, deleted=frozenset({"b"}))
    batch = batch_of({"id": [1, 2, 3, 4], "device_id": ["a", "b", "c", "d"]})
    where = pd.Series([True, True, True, False])
    dispose_deviceless(batch, Context(lookups={("devices", "device_text"): texts}), where)
    assert outcomes(batch) == {
        "1": ("held", "parent_missing"),
        "2": ("filtered", "parent_deleted_in_target"),
        "3": ("quarantined", "unresolvable_device"),
    }
    assert waits(batch) == {"1": (("devices", "a"), ("device_id",)), "2": (None, ()), "3": (None, ("device_id",))}
    assert batch.disposals[0].parent == ("devices", "a")
