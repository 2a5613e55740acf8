from typing import Any

import pytest

from assets.inventory.rules.pairing import Pair, Pairing, pair, recorded_pairs, with_late
from tests.assets.builders import uid
from tests.assets.inventory.rows import agent, day, device


def paired(devices: list[dict[str, Any]], agents: list[dict[str, Any]], **recorded: Pair) -> dict[str, tuple[str, str]]:
    """agents.id → (key of its device, rule); a synthesized device goes by the agent's own id."""
    found = pair(devices, agents, {key.removeprefix("a"): value for key, value in recorded.items()})
    return {key: (one.device[1], one.rule) for key, one in found.pairs.items()}


def late(devices: list[dict[str, Any]], agents: list[dict[str, Any]], **recorded: Pair) -> dict[str, str]:
    return dict(pair(devices, agents, {key.removeprefix("a"): value for key, value in recorded.items()}).late)


def test_device_names_its_agent() -> None:
    """Step 1: devices.agent_uuid names the agent."""
    assert paired([device(1, agent_uuid=uid(9007))], [agent(7)]) == {"7": (uid(1), "pair_agent_uuid")}


def test_of_several_devices_that_name_an_agent_the_most_recently_seen() -> None:
    """Several devices with one agent_uuid: the most recently seen, then the first by id."""
    named = {"agent_uuid": uid(9007)}
    assert paired([device(1, **named), device(2, seen=day(1), **named)], [agent(7)])["7"][0] == uid(2)
    assert paired([device(2, seen=day(1), **named), device(1, **named)], [agent(7)])["7"][0] == uid(2)
    assert paired([device(2, **named), device(1, **named)], [agent(7)])["7"][0] == uid(1)
    assert paired([device(1, seen=None, **named), device(2, **named)], [agent(7)])["7"][0] == uid(2)


@pytest.mark.parametrize("prefix", ["", "win-", "linux-", "mac-", "WIN-", " "])
def test_agent_names_its_device(prefix: str) -> None:
    """Step 2: agents.device_id is a devices.id, with or without a prefix."""
    assert paired([device(1)], [agent(7, device_id=prefix + uid(1).upper())]) == {"7": (uid(1), "pair_device_id")}


@pytest.mark.parametrize("text", [f"bsd-{uid(1)}", f"win-win-{uid(1)}", f"{uid(1)}-win-", "", uid(2)])
def test_other_texts_name_no_device(text: str) -> None:
    """Any other text is of the agent's own making: a device is synthesized."""
    assert paired([device(1)], [agent(7, device_id=text)]) == {"7": ("7", "synthesized")}


def test_equal_hostname() -> None:
    """Step 3: an equal hostname pairs, compared normalised."""
    assert paired([device(1, hostname="PC  One")], [agent(7, hostname="pc one ")]) == {"7": (uid(1), "pair_hostname")}


@pytest.mark.parametrize(
    ("mine", "its", "compatible"),
    [
        ({"client": "Acme"}, {"client": "ACME "}, True),
        ({"client": "Acme"}, {"client": "Beta"}, False),
        ({"client": "Acme"}, {}, True),
        ({}, {"client": "Acme", "site": "HQ"}, True),
        ({"client": "Acme", "site": "HQ"}, {"client": "Acme", "site": "Lab"}, False),
        ({"client": "Acme", "site": "HQ"}, {"client": " ", "site": "hq"}, True),
        ({"site": "HQ"}, {"site": "Lab"}, False),
    ],
)
def test_compatible_places(mine: dict[str, str], its: dict[str, str], compatible: bool) -> None:
    """Client and site must each be equal, or blank on one side."""
    found = paired([device(1, hostname="pc", **its)], [agent(7, hostname="pc", **mine)])
    assert (found["7"][1] == "pair_hostname") is compatible


def test_hostname_must_be_unambiguous() -> None:
    """Two devices for one agent, or two agents for one device, do not pair by hostname."""
    devices = [device(1, hostname="pc"), device(2, hostname="pc")]
    assert paired(devices, [agent(7, hostname="pc")])["7"] == ("7", "synthesized")
    agents = [agent(7, hostname="pc"), agent(8, hostname="pc")]
    assert set(paired(devices[:1], agents).values()) == {("7", "synthesized"), ("8", "synthesized")}


def test_place_tells_equal_hostnames_apart() -> None:
    """Equal hostnames at places that do not fit are no candidates."""
    devices = [device(1, hostname="pc", client="Acme"), device(2, hostname="pc", client="Beta")]
    agents = [agent(7, hostname="pc", client="Beta"), agent(8, hostname="pc", client="Acme")]
    assert paired(devices, agents) == {"7": (uid(2), "pair_hostname"), "8": (uid(1), "pair_hostname")}


def test_agents_found_by_an_earlier_step_do_not_count_for_hostnames() -> None:
    """Only agents that reach step 3 make a hostname ambiguous."""
    devices = [device(1, agent_uuid=uid(9007)), device(2, hostname="pc")]
    agents = [agent(7, hostname="pc"), agent(8, hostname="pc")]
    assert paired(devices, agents) == {"7": (uid(1), "pair_agent_uuid"), "8": (uid(2), "pair_hostname")}


def test_blank_hostnames_are_no_names() -> None:
    """A blank hostname equals nothing."""
    assert paired([device(1, hostname=" ")], [agent(7, hostname="")])["7"] == ("7", "synthesized")


def test_lower_step_wins() -> None:
    """Of two agents for one device the one with the lower step keeps it, though the other was seen later."""
    devices = [device(1, agent_uuid=uid(9008), hostname="pc")]
    agents = [agent(7, device_id=uid(1), seen=day(9)), agent(8), agent(9, hostname="pc", seen=day(9))]
    assert paired(devices, agents) == {
        "7": ("7", "synthesized"),
        "8": (uid(1), "pair_agent_uuid"),
        "9": ("9", "synthesized"),
    }


def test_most_recently_seen_wins_within_a_step() -> None:
    """Within a step the most recently seen agent keeps the device; of equal ones the lowest id, as a number."""
    named = [agent(7, device_id=uid(1), seen=day(1)), agent(8, device_id=f"win-{uid(1)}", seen=day(2))]
    assert paired([device(1)], named) == {"7": ("7", "synthesized"), "8": (uid(1), "pair_device_id")}
    named = [agent(10, device_id=uid(1)), agent(9, device_id=f"win-{uid(1)}")]
    assert paired([device(1)], named)["9"] == (uid(1), "pair_device_id")
    named = [agent(7, device_id=uid(1), seen=None), agent(8, device_id=f"win-{uid(1)}")]
    assert paired([device(1)], named)["8"] == (uid(1), "pair_device_id")


def test_recorded_pair_stays() -> None:
    """A pair of an earlier run stays, whatever would be decided today; a new agent does not take its device."""
    recorded = Pair(("devices", uid(1)), "pair_hostname")
    found = paired([device(1, agent_uuid=uid(9008)), device(2)], [agent(7), agent(8)], a7=recorded)
    assert found == {"7": (uid(1), "pair_hostname"), "8": ("8", "synthesized")}


def test_pair_is_decided_again_when_the_device_is_gone() -> None:
    """A recorded pair whose device is gone is decided again."""
    recorded = Pair(("devices", uid(1)), "pair_hostname")
    assert paired([device(2, hostname="host7")], [agent(7)], a7=recorded) == {"7": (uid(2), "pair_hostname")}
    assert paired([device(2)], [agent(7)], a7=recorded) == {"7": ("7", "synthesized")}


def test_nothing_is_decided_again_when_too_many_devices_are_gone() -> None:
    """More than 10 and more than 20 % of the devices gone, or all of them: the pairs stay."""

    def kept(gone: int, there: int) -> bool:
        numbers = range(1, gone + there + 1)
        pairs = {f"a{number}": Pair(("devices", uid(number)), "pair_hostname") for number in numbers}
        devices = [device(number, hostname="x") for number in numbers if number > gone]
        return paired(devices, [agent(number) for number in numbers], **pairs)["1"][0] == uid(1)

    assert not kept(10, 5)
    assert kept(11, 5)
    assert not kept(11, 44)
    assert kept(11, 43)
    assert kept(1, 0)


def test_late_device() -> None:
    """A device that comes to an agent on a synthesized device is late: the agent stays where it is."""
    recorded = Pair(("agents", "7"), "synthesized")
    named = device(1, agent_uuid=uid(9007))
    assert late([named], [agent(7)], a7=recorded) == {uid(1): "7"}
    assert paired([named], [agent(7)], a7=recorded) == {"7": ("7", "synthesized")}
    assert late([named], [agent(7)]) == {}


def test_late_device_goes_to_the_better_claim() -> None:
    """A late device is not late for an agent that loses the competition for it."""
    recorded = Pair(("agents", "7"), "synthesized")
    agents = [agent(7, device_id=uid(1)), agent(8)]
    assert late([device(1, agent_uuid=uid(9008))], agents, a7=recorded) == {}


def test_recorded_agent_that_is_gone_holds_nothing() -> None:
    """A device is free again when its agent is gone."""
    recorded = Pair(("devices", uid(1)), "pair_hostname")
    assert paired([device(1, agent_uuid=uid(9008))], [agent(8)], a7=recorded) == {"8": (uid(1), "pair_agent_uuid")}


def test_reading_recorded_pairs() -> None:
    """A recorded decision without a device means the one synthesized for the agent."""
    found = recorded_pairs({"7": {"same_as": ["devices", uid(1)]}, "8": {}}, {"7": "pair_hostname"})
    assert found == {"7": (("devices", uid(1)), "pair_hostname"), "8": (("agents", "8"), "synthesized")}


def test_a_device_that_took_over_has_the_agent() -> None:
    """After a device took over a synthesized one, its agent is on it."""
    pairing = Pairing({"7": Pair(("agents", "7"), "synthesized")}, {})
    assert with_late(pairing, {uid(1): "7", uid(2): "99"}).agent_of == {("devices", uid(1)): "7"}
