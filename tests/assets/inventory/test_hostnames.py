from typing import Any

from assets.inventory.rules.hostnames import Machine, renamed
from assets.inventory.rules.pairing import Ref


def machine(number: int, **values: object) -> Machine:
    defaults = {"ref": ("devices", str(number)), "id": f"{number:08d}-rest", "site": "s", "hostname": "pc"}
    return Machine(**(defaults | {"mapped": False, "seen": 0.0} | values))


def losers(*machines: Machine, recorded: dict[Ref, dict[str, Any]] | None = None) -> dict[str, Any]:
    return {ref[1]: values["hostname"] for ref, values in renamed(machines, recorded or {}).items()}


def test_most_recently_seen_keeps_the_hostname() -> None:
    """Of equal hostnames at one site the most recently seen keeps it; the others get ~ and 8 characters of their id."""
    assert losers(machine(1), machine(2, seen=2.0), machine(3, seen=1.0)) == {"1": "pc~00000001", "3": "pc~00000003"}
    assert losers(machine(2), machine(1)) == {"2": "pc~00000002"}
    assert losers(machine(2, hostname=""), machine(1, hostname="")) == {"2": "~00000002"}


def test_only_byte_equal_names_at_one_site() -> None:
    """Other sites, no site, and hostnames that differ in any byte do not compete."""
    assert losers(machine(1), machine(2, site="t"), machine(3, hostname="PC"), machine(4, hostname="pc ")) == {}
    assert losers(machine(1, site=None), machine(2, site=None)) == {}


def test_a_machine_written_before_keeps_its_hostname() -> None:
    """A new machine does not take the hostname of one that was written before, though it was seen later."""
    assert losers(machine(1, mapped=True), machine(2, seen=9.0)) == {"2": "pc~00000002"}


def test_recorded_keeper_stays() -> None:
    """The recorded keeper keeps the hostname while it is one of those that want it."""
    recorded = {("devices", "2"): {"keeper": ["devices", "1"]}}
    rivals = [machine(2, mapped=True, seen=9.0), machine(3, mapped=True, seen=5.0)]
    assert losers(machine(1), *rivals, recorded=recorded) == {"2": "pc~00000002", "3": "pc~00000003"}
    assert losers(*rivals, recorded=recorded) == {"3": "pc~00000003"}
    assert losers(machine(1, site="t"), *rivals, recorded=recorded) == {"3": "pc~00000003"}


def test_the_keeper_is_recorded() -> None:
    """With a loser its keeper is recorded."""
    found = renamed([machine(1), machine(2, ref=("agents", "2"), seen=1.0)], {})
    assert found == {("devices", "1"): {"hostname": "pc~00000001", "keeper": ["agents", "2"]}}


def test_a_recorded_name_stays() -> None:
    """Also where the row has come to another id; another hostname gets another name."""
    recorded = {("devices", "1"): {"keeper": ["devices", "2"], "hostname": "pc~expected"}}
    assert losers(machine(1), machine(2, seen=1.0), recorded=recorded) == {"1": "pc~expected"}
    others = machine(1, hostname="mac"), machine(2, hostname="mac", seen=1.0)
    assert losers(*others, recorded=recorded) == {"1": "mac~00000001"}
