from datetime import UTC, datetime
from functools import cache
from typing import Any

import pandas as pd
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    KeySerializationEncryption,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_der_public_key,
)

from assets.email import dkim_domains, dkim_keys
from assets.email.rules.dkim import public_key, repaired_pem
from remoteiq_etl.frames.dtypes import TIMESTAMP, frame
from remoteiq_etl.frames.row_keys import key_text
from remoteiq_etl.spec.batch import KEY, Batch
from remoteiq_etl.spec.decisions import Decided, Decision, StoredDecisions
from remoteiq_etl.spec.lookup import Lookup
from remoteiq_etl.spec.transform_context import Context
from tests.assets.builders import archived, batch_of, outcomes, plain, rows_of, waits

LOOKUPS = {
    ("organizations", "derived"): Lookup.of({"default": "org"}),
    ("dkim_domains", "derived"): Lookup.of({"example.com": "d1"}),
}
COLUMNS = ("id", "domain", "selector", "private_key", "created_at", "updated_at")
NAME = key_text(["example.com", "mail"])


def day(number: int) -> datetime:
    return datetime(2024, 1, number, tzinfo=UTC)


@cache
def pem(number: int = 1) -> str:
    """A fresh private key; the same for the same number."""
    key = ed25519.Ed25519PrivateKey.from_private_bytes(bytes([number]) * 32)
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


def row(number: int, **values: object) -> dict[str, Any]:
    known = {"id": str(number), "domain": "example.com", "selector": "mail", "private_key": pem(number)}
    return {**known, "created_at": day(number), "updated_at": day(number), **values}


def inputs(settings: list[dict[str, Any]], keys: list[dict[str, Any]]) -> dict[str, pd.DataFrame]:
    times = {"created_at": TIMESTAMP, "updated_at": TIMESTAMP}
    return {
        table: frame({name: [values[name] for values in rows] for name in COLUMNS}, times)
        for table, rows in (("dkim_settings", settings), ("dkim_keys", keys))
    }


def decided(settings: list[dict[str, Any]], keys: list[dict[str, Any]], *recorded: Decision) -> Decided:
    known = StoredDecisions({(choice.legacy_table, choice.legacy_key): choice for choice in recorded})
    return dkim_keys.decide(inputs(settings, keys), known, Context())


def winners(found: Decided) -> dict[str, tuple[str, str, str]]:
    return {
        choice.legacy_key: (choice.rule, choice.values["table"], choice.values["key"]) for choice in found.decisions
    }


def transformed(settings: list[dict[str, Any]], keys: list[dict[str, Any]]) -> tuple[Batch, Batch]:
    context = Context(lookups=LOOKUPS, prepared=decided(settings, keys).prepared)
    times = {"created_at": TIMESTAMP, "updated_at": TIMESTAMP}
    batches = []
    for rows, names in ((settings, [name for name in COLUMNS if name != "created_at"]), (keys, COLUMNS)):
        columns = {name: [values[name] for values in rows] for name in names}
        batches.append(batch_of(columns, {name: dtype for name, dtype in times.items() if name in columns}))
    return dkim_keys.transform_settings(batches[0], context), dkim_keys.transform_keys(batches[1], context)


def test_a_public_key_is_derived() -> None:
    """The public key is the base64 SubjectPublicKeyInfo of the private key, whatever its kind."""
    import base64

    key = rsa.generate_private_key(65537, 2048)
    text = key.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption()).decode()
    derived = public_key(text)
    assert derived is not None
    assert load_der_public_key(base64.b64decode(derived)) == key.public_key()
    assert "\n" not in derived
    ed = ed25519.Ed25519PrivateKey.from_private_bytes(bytes([1]) * 32).public_key()
    expected = ed.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    assert public_key(pem(1)) == base64.b64encode(expected).decode()


def test_a_key_that_cannot_be_read_has_no_public_key() -> None:
    """Text that is no key, a public key, and a key with a passphrase cannot be read."""
    key = ed25519.Ed25519PrivateKey.generate()
    public = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
    sealed = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"x")).decode()
    assert [public_key(text) for text in ("nonsense", public, sealed, pem()[:60])] == [None] * 4


def test_literal_line_ends_are_repaired() -> None:
    """A literal \\n, also after \\r, becomes a line end; a blank key is none."""
    assert repaired_pem(pem().replace("\n", "\\n")) == pem()
    assert repaired_pem(pem().replace("\n", "\\r\\n")) == pem()
    assert repaired_pem(" \n") is None


def test_one_domain_per_name() -> None:
    """Domains are trimmed and lower-cased; blank ones make no row; the times are the first and the last."""
    settings = [row(2, domain=" Example.COM "), row(9, domain=" "), row(4, domain="example.net")]
    keys = [row(1, domain="example.com", updated_at=day(5)), row(3, domain="example.org")]
    found = dkim_domains.decide(inputs(settings, keys), StoredDecisions(), Context())
    assert plain(found.rows["derived"]) == [
        {KEY: "example.com", "created_at": day(1), "updated_at": day(5)},
        {KEY: "example.net", "created_at": day(4), "updated_at": day(4)},
        {KEY: "example.org", "created_at": day(3), "updated_at": day(3)},
    ]
    context = Context(lookups=LOOKUPS)
    made = rows_of(dkim_domains.transform(Batch(found.rows["derived"]), context))[0]
    assert made == {
        KEY: "example.com",
        "id": context.derive("dkim_domains", "derived", "example.com"),
        "organization_id": "org",
        "domain": "example.com",
        "created_at": day(1),
        "updated_at": day(5),
    }


def test_the_key_of_the_settings_wins() -> None:
    """Of equal domain and selector the settings' key wins, though a key of the table was changed later."""
    found = decided([row(1, domain=" EXAMPLE.com", selector=" mail ")], [row(7)])
    assert winners(found) == {NAME: ("in_use", "dkim_settings", "1")}
    assert [choice.legacy_table for choice in found.decisions] == ["winner"]


def test_of_two_keys_of_the_table_the_latest_changed_wins() -> None:
    """Of equal names within the table the latest changed wins, then the lowest id."""
    assert winners(decided([], [row(1), row(3), row(2)])) == {NAME: ("latest", "dkim_keys", "3")}
    assert winners(decided([], [row(10, updated_at=day(1)), row(9, updated_at=day(1))]))[NAME][2] == "9"
    assert winners(decided([], [row(1, updated_at=None), row(2)]))[NAME][2] == "2"


@pytest.mark.parametrize("missing", [{"selector": " "}, {"private_key": None}, {"private_key": ""}, {"domain": ""}])
def test_a_row_without_a_whole_key_does_not_compete(missing: dict[str, Any]) -> None:
    """A row without domain, selector or key is no candidate."""
    assert winners(decided([row(1, **missing)], [row(2)])) == {NAME: ("latest", "dkim_keys", "2")}


def test_a_recorded_winner_stands_while_it_is_there() -> None:
    """A recorded winner stays when a new row comes; when it is gone, the choice is made anew."""
    known = Decision("winner", NAME, "latest", {"table": "dkim_keys", "key": "2"})
    assert winners(decided([row(1)], [row(2)], known)) == {NAME: ("latest", "dkim_keys", "2")}
    assert winners(decided([row(1)], [row(3)], known)) == {NAME: ("in_use", "dkim_settings", "1")}
    assert winners(decided([], [], known)) == {NAME: ("latest", "dkim_keys", "2")}


def test_a_key_becomes_a_row() -> None:
    """A key of the table is carried with its repaired text; one changed later was rotated then."""
    _, keys = transformed([], [row(1, selector=" mail ", private_key=pem().replace("\n", "\\n"), updated_at=day(4))])
    assert rows_of(keys) == [
        {
            KEY: "1",
            "id": Context().derive("dkim_keys", "dkim_keys", "1"),
            "dkim_domain_id": "d1",
            "selector": "mail",
            "public_key": public_key(pem()),
            "private_key": pem(),
            "created_at": day(1),
            "rotated_at": day(4),
        }
    ]
    assert rows_of(transformed([], [row(1)])[1])[0]["rotated_at"] is None
    undated = rows_of(transformed([], [row(1, created_at=None)])[1])[0]
    assert (undated["created_at"], undated["rotated_at"]) == (day(1), None)


def test_the_key_in_use_becomes_a_row() -> None:
    """The settings' key was made when the settings were last changed, and never rotated."""
    settings, _ = transformed([row(1, updated_at=day(6))], [])
    made = rows_of(settings)[0]
    assert made["id"] == Context().derive("dkim_keys", "dkim_settings", "1")
    assert (made["created_at"], made["rotated_at"]) == (day(6), None)


def test_a_superseded_key_is_merged_and_archived() -> None:
    """A loser is merged; its key is archived where it differs from the winner's, and so are its times."""
    settings, keys = transformed([row(1)], [row(2), row(3, private_key=pem(1).replace("\n", "\\n"))])
    assert len(rows_of(settings)) == 1
    assert outcomes(keys) == {"2": ("merged", "superseded"), "3": ("merged", "superseded")}
    kept = [(key, column) for key, column, _, rule in archived(keys) if rule == "superseded"]
    assert sorted(kept) == [
        (key, name)
        for key in ("2", "3")
        for name in ("created_at", "private_key", "updated_at")
        if (key, name) != ("3", "private_key")
    ]
    _, same_table = transformed([], [row(2), row(3)])
    assert outcomes(same_table) == {"2": ("merged", "superseded")}
    assert [disposal.into for disposal in same_table.disposals.values()] == ["3"]
    assert [disposal.into for disposal in keys.disposals.values()] == [None, None]


def test_rows_without_a_key_make_a_domain_only() -> None:
    """A blank domain makes no row; a domain without selector or key makes the domain only; both are archived whole."""
    settings, keys = transformed([row(1, domain=" ")], [row(2, selector=""), row(3, selector="x", private_key=" ")])
    assert outcomes(settings) == {"1": ("archived", "blank_domain")}
    assert outcomes(keys) == {"2": ("archived", "domain_only"), "3": ("archived", "domain_only")}


def test_a_broken_key_is_quarantined() -> None:
    """A key that does not parse is quarantined; the key is not named in the reason."""
    settings, _ = transformed([row(1, private_key="-----BEGIN PRIVATE KEY-----\nbroken")], [])
    assert outcomes(settings) == {"1": ("quarantined", "unreadable_key")}
    assert archived(settings) == [("1", "selector", "mail", "unreadable_key")]
    disposal = settings.disposals[0]
    assert (disposal.columns, disposal.detail) == (("private_key",), "not a private key in PEM form")


ENCRYPTED = "a private key behind a passphrase, which the legacy database does not hold"
OPENSSH = "a private key in the form of OpenSSH, not in PKCS#1 or PKCS#8"
PASSPHRASE = BestAvailableEncryption(b"invented")


@pytest.mark.parametrize(
    ("form", "encryption", "rule", "detail"),
    [
        (PrivateFormat.PKCS8, PASSPHRASE, "encrypted_key", ENCRYPTED),
        (PrivateFormat.TraditionalOpenSSL, PASSPHRASE, "encrypted_key", ENCRYPTED),
        (PrivateFormat.OpenSSH, NoEncryption(), "openssh_key", OPENSSH),
    ],
)
@pytest.mark.parametrize("end", ["\n", "\r\n", "\\n"])
def test_a_key_of_another_form_is_named_as_what_it_is(
    form: PrivateFormat, encryption: KeySerializationEncryption, rule: str, detail: str, end: str
) -> None:
    """An encrypted key and one of OpenSSH are quarantined under their own names, and their selectors archived."""
    text = ec.generate_private_key(ec.SECP256R1()).private_bytes(Encoding.PEM, form, encryption).decode()
    _, keys = transformed([], [row(1, selector=" mail ", private_key=text.replace("\n", end)), row(2, selector="x")])
    assert outcomes(keys) == {"1": ("quarantined", rule)}
    assert (keys.disposals[0].columns, keys.disposals[0].detail) == (("private_key",), detail)
    assert archived(keys) == [("1", "selector", " mail ", rule)]


def test_the_selector_of_a_superseded_key_is_that_of_the_winner() -> None:
    """It is not archived once more, though the superseded key cannot be read."""
    _, keys = transformed([row(1)], [row(2, private_key="broken")])
    assert outcomes(keys) == {"2": ("merged", "superseded")}
    assert "selector" not in [column for _, column, _, _ in archived(keys)]


def test_a_key_waits_for_its_domain() -> None:
    """A key whose domain is not there yet is held."""
    _, keys = transformed([], [row(1, domain="example.org")])
    assert outcomes(keys) == {"1": ("held", "parent_missing")}
    assert waits(keys) == {"1": (("dkim_domains", "example.org"), ("domain",))}
