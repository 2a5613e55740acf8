"""What an approval holds for: hashes of code, schemas and findings, and what last changed the target.

Belongs here: computing and comparing them. Does not belong here: keeping them (see approvals).
"""

import hashlib
from collections.abc import Iterable, Iterator, Mapping

from remoteiq_etl.backfill.change_capture.code_fingerprint import code_fingerprint
from remoteiq_etl.gate.view import GateView
from remoteiq_etl.postgres.database import Session
from remoteiq_etl.postgres.statements import statements
from remoteiq_etl.spec.table import TableSpec
from remoteiq_etl.state.schema import program_version

SQL = statements(__file__)

Seen = Mapping[str, str]
"""By what was looked at a text that is the same as long as that is."""

_FINDINGS = "findings: "
_WORDS = {
    "code": "this is another version of the program",
    "legacy_schema": "the legacy schema has changed",
    "target_schema": "the target's schema has changed",
    "last_change": "a run, a deletion or an undo has changed the target",
    "rehearsal": "there is another rehearsal",
}


def seen(view: GateView, findings: Mapping[str, Iterable[str]]) -> Seen:
    """What there is to approve now; `findings`: by title of a rule what it finds, accepted or not."""
    return {
        "code": code_of(view.plan.specs),
        "legacy_schema": catalogue(view.legacy, view.plan.legacy.schema),
        "target_schema": catalogue(view.session, view.plan.target.schema),
        "last_change": str(view.ask(SQL["last_change"])[0]),
        "rehearsal": str(view.ask(SQL["last_rehearsal"])[0][0]),
        **{_FINDINGS + title: _hash(found) for title, found in findings.items()},
    }


def moved(before: Seen, now: Seen) -> Iterator[str]:
    """What is not as it was seen, in words."""
    for name in sorted(before.keys() | now.keys()):
        if before.get(name) != now.get(name):
            title = name.removeprefix(_FINDINGS)
            yield _WORDS.get(name, f"what is found under {title!r} has changed")


def code_of(specs: Mapping[str, TableSpec]) -> str:
    """A hash over the program's version and all rules of these declarations."""
    return _hash([program_version(), *(f"{name} {code_fingerprint(spec)}" for name, spec in sorted(specs.items()))])


def catalogue(session: Session, schema: str) -> str:
    """A hash over the catalogue of a schema."""
    return str(session.value(SQL["catalogue"], {"schema": schema}))


def shape(session: Session, schema: str) -> str | None:
    """A hash over tables, columns and enum types of a schema; None where it has none."""
    found = session.value(SQL["shape"], {"schema": schema})
    return None if found is None else str(found)


def _hash(parts: Iterable[str]) -> str:
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:32]
