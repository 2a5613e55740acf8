"""Hostnames: unique within a site of the new schema, not so in legacy (two live machines of one name are normal).

Belongs here: who keeps a hostname, and what the others are called. Does not belong here: where a device is (see
places).
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from assets.inventory.rules.pairing import Ref

KEEPER = "keeper"


class Machine(NamedTuple):
    """A device as it competes for its hostname. `mapped`: it was written by an earlier run; `seen`: larger is later."""

    ref: Ref
    id: str
    site: str | None
    hostname: str
    mapped: bool
    seen: int


def renamed(
    machines: Iterable[Machine], recorded: Mapping[Ref, Mapping[str, Any]], left: Iterable[Machine] = ()
) -> dict[Ref, dict[str, Any]]:
    """The machines that lose their hostname: what they are called, and which one keeps it.

    `left`: devices that legacy has lost, but whose rows, and so their hostnames, are still in the target.
    """
    groups: dict[tuple[str, str], list[Machine]] = defaultdict(list)
    for machine in machines:
        if machine.site is not None:
            groups[machine.site, machine.hostname].append(machine)
    held = {(machine.site, machine.hostname): machine.ref for machine in left}
    names = {}
    for place, group in groups.items():
        keeper = held.get(place) or _keeper(group, recorded)
        for machine in group:
            if machine.ref != keeper:
                names[machine.ref] = {"hostname": _name(machine, recorded), KEEPER: list(keeper)}
    return names


def _name(machine: Machine, recorded: Mapping[Ref, Mapping[str, Any]]) -> str:
    """The recorded name while the hostname is the same, also where the row has come to another id than was expected."""
    name = str(recorded.get(machine.ref, {}).get("hostname", ""))
    return name if name.startswith(f"{machine.hostname}~") else f"{machine.hostname}~{machine.id[:8]}"


def _keeper(group: list[Machine], recorded: Mapping[Ref, Mapping[str, Any]]) -> Ref:
    """The recorded keeper while it is of the group; else one written before; else the most recently seen."""
    refs = {machine.ref for machine in group}
    kept = {tuple(recorded[ref][KEEPER]) for ref in refs if KEEPER in recorded.get(ref, {})} & refs
    candidates = [machine for machine in group if not kept or machine.ref in kept]
    return min(candidates, key=lambda machine: (not machine.mapped, -machine.seen, machine.ref)).ref
