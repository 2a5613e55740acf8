import time
from datetime import UTC, datetime

import pytest

from assets.email.rules import headers
from assets.email.rules.headers import Headers, of_bytes, of_text, storable

SNIPPET = """Message-ID:
 <one@example.com>
To: Bob <bob@example.com>, "Doe, Jo" <jo@example.com>
TO: third@example.com
Cc: team: (a, b) ann@example.com, =?utf-8?q?J=C3=B6rg?= <joerg@example.com>;
Date: Tue, 02 Jan 2024 10:00:00 +0200 (EET)
Subject: nothing

To: body@example.com
"""


def test_the_headers_of_a_text() -> None:
    """Message-ID, To, Cc and Date are read from the headers, not from the body; folds and names are undone."""
    assert of_text(SNIPPET) == Headers(
        "<one@example.com>",
        ["bob@example.com", "jo@example.com", "third@example.com"],
        ["ann@example.com", "joerg@example.com"],
        datetime(2024, 1, 2, 8, tzinfo=UTC),
    )


@pytest.mark.parametrize("end", ["\r\n", "\n", "\r"])
def test_the_headers_of_bytes(end: str) -> None:
    """Raw mail is cut where its headers end, whatever ends its lines."""
    raw = SNIPPET.replace("\n", end).encode() + b"\xff" * 10
    assert of_bytes(raw) == of_text(SNIPPET)


@pytest.mark.parametrize("end", ["\r\n", "\n", "\r"])
def test_a_fold_is_undone_inside_a_value(end: str) -> None:
    """The line end of a fold is no part of the value."""
    assert of_bytes(f"Message-ID: <one{end} two@example.com>{end}".encode()).message_id == "<one two@example.com>"


def test_a_cut_leaves_no_half_character() -> None:
    """A header cut within a character ends before it."""
    found = of_text("Message-ID: " + "a" * (headers.HEADER_BYTES - 1) + "\u00e9")
    assert found.message_id == "a" * (headers.HEADER_BYTES - 1)
    assert found.warnings == {"header_cut"}


def test_nothing_gives_nothing() -> None:
    """Without headers nothing is known and nothing is wrong."""
    assert of_text(None) == of_bytes(None) == of_text("") == of_bytes(b"") == Headers()
    assert of_text("no headers at all") == Headers()
    assert of_text("Message-ID:\nMessage-ID: <two@example.com>").message_id == "<two@example.com>"


@pytest.mark.parametrize(
    "line",
    [">From nobody", "From nobody Tue Jan  2 10:00:00 2024", "X : y", "X-\u00dc: y", ": y", "words\n fold", "To"],
)
def test_a_malformed_line_hides_no_header(line: str) -> None:
    """What is no header is passed over, with its folds, wherever it stands."""
    expected = of_text(SNIPPET)
    assert of_text(f"{line}\n{SNIPPET}") == expected
    assert of_text(SNIPPET.replace("Cc:", f"{line}\nCc:")) == expected


def test_a_space_before_the_colon_is_none_of_the_name() -> None:
    assert of_text("To : a@example.com\nCC\t: b@example.com") == Headers(to=["a@example.com"], cc=["b@example.com"])


def test_a_name_may_begin_with_any_sign() -> None:
    """Such a line is no fold of the header before it, and its sign is not passed over."""
    assert of_text("To: a@example.com\n~Cc: b@example.com") == Headers(to=["a@example.com"])


def test_a_byte_order_mark_is_no_part_of_a_header() -> None:
    assert of_text("\ufeff" + SNIPPET) == of_text(SNIPPET)
    assert of_bytes(b"\xef\xbb\xbfTo: a@example.com") == Headers(to=["a@example.com"])


def test_an_indented_header_is_no_recipient() -> None:
    """Beneath a header that we read it is one of its own; a group, or a line beneath another header, stays a fold."""
    both = Headers(to=["a@example.com"], cc=["b@example.com"])
    assert of_text("To: a@example.com\n Cc: b@example.com") == both
    assert of_text("To: a@example.com\n\tSubject: x,\n y\n\tCC : b@example.com") == both
    assert of_text(" To: a@example.com\n Subject: x\n Cc: b@example.com") == both
    assert of_text("To: a@example.com,\n staff: b@example.com;") == Headers(to=["a@example.com", "b@example.com"])
    assert of_text("DKIM-Signature: h=From:\n To:Cc:Date; x\nTo: a@example.com\nCc: b@example.com") == both


def test_what_cannot_be_stored_is_replaced() -> None:
    """U+0000 and lone surrogates become U+FFFD, also when they arrive as bytes that are no UTF-8."""
    assert storable("a\0b\ud800c\udfffd\ue000") == "a\ufffdb\ufffdc\ufffdd\ue000"
    assert of_text("Message-ID: <a\0b\udc80@example.com>").message_id == "<a\ufffdb\ufffd@example.com>"
    found = of_bytes("Message-ID: <a\0b@exämple.com>".encode() + b"\nTo: \xff@example.com")
    assert found.message_id == "<a\ufffdb@exämple.com>"
    assert found.to == ["\ufffd@example.com"]


@pytest.mark.parametrize(
    ("date", "expected"),
    [
        ("Tue, 02 Jan 2024 10:00:00 -0000", datetime(2024, 1, 2, 10, tzinfo=UTC)),
        ("Tue, 02 Jan 2024 10:00:00", datetime(2024, 1, 2, 10, tzinfo=UTC)),
        ("2 Jan 2024 10:00:00 -0500", datetime(2024, 1, 2, 15, tzinfo=UTC)),
        ("2 Jan 2024\t10:00:00 EST", datetime(2024, 1, 2, 15, tzinfo=UTC)),
        ("Tue,2 January 2024 10:00 gmt", datetime(2024, 1, 2, 10, tzinfo=UTC)),
        ("02-Jan-2024 10:00:00 +0000 (not 10 PM)", datetime(2024, 1, 2, 10, tzinfo=UTC)),
        ("Tue, 02 Jan 24 10:00:00 +0200 CEST", datetime(2024, 1, 2, 8, tzinfo=UTC)),
        ("Tue, 02 Jan 2024 10:00:00-0500", datetime(2024, 1, 2, 15, tzinfo=UTC)),
        ("Tue Jan  2 10:00:00 2024", datetime(2024, 1, 2, 10, tzinfo=UTC)),
        ("Tue Jan  2 10:00:00 EST 2024", datetime(2024, 1, 2, 15, tzinfo=UTC)),
    ],
)
def test_dates_are_utc(date: str, expected: datetime) -> None:
    """A date is turned into UTC; one without zone is taken for it."""
    assert of_text(f"Date: {date}") == Headers(sent_at=expected)


@pytest.mark.parametrize(
    "date",
    [
        "",
        "yesterday",
        "Tue, 99 Jan 2024 10:00:00 +0000",
        "1 Jan 2024 10:00:00 +9999",
        "31 Dec 9999 23:00:00 -0500",
        "1 Jan 0001 10:00:00 +0000",
        "1 Jan 124 10:00:00 +0000",
        "1 Jan 1024 10:00:00 +0000",
        "1 Jan 2024 10:00:00 PM",
        "1 Jan 2024 10:00:00 +0000 PM",
        "1 Jan 2024 10:00:00 PM +0000",
        "1 Jan 2024 10:00:00 CET",
        "1 Jan 2024 10:00:00 Eastern Standard Time",
        "1 Jan 2024 10:00:00 (PST)",
        "1 Jan 2024 10:00:00 GMT+0200",
        "1 Jan 2024 10:00:00 +02:00",
        "1 Jan 2024 10:00:00 +0060",
        "Tue Jan 2 10:00:00 CET 2024",
    ],
)
def test_an_unreadable_date_is_null_and_warned(date: str) -> None:
    """A date that cannot be read, or would have to be guessed, is null, and counted."""
    assert of_text(f"Date: {date}") == Headers(warnings={"unreadable_date"})


def test_a_header_is_cut_at_its_limit() -> None:
    """A header is cut at 64 KiB; an address that the cut would leave in part is dropped."""
    limit = 64 * 1024
    assert len(of_text("Message-ID: " + "x" * limit).message_id or "") == limit
    assert of_text("Message-ID: " + "x" * limit).warnings == set()
    cut = of_text("Message-ID: " + "ä" * limit)
    assert (cut.message_id, cut.warnings) == ("ä" * (limit // 2), {"header_cut"})
    first = "a@example.com,"
    found = of_text("To: " + first + " " * (limit - len(first) - 9) + "b@example.com")
    assert (found.to, found.warnings) == (["a@example.com"], {"header_cut"})


def test_addresses_are_cut_at_a_thousand() -> None:
    """A thousand addresses are kept, over all headers of one name."""
    half = ",".join(f"a{number}@example.com" for number in range(500))
    assert (len(of_text(f"To: {half}\nTo: {half}").to or []), of_text(f"To: {half}\nTo: {half}").warnings) == (
        1000,
        set(),
    )
    more = of_text(f"To: {half}\nTo: {half}\nTo: last@example.com")
    assert (len(more.to or []), more.warnings) == (1000, {"header_cut"})


@pytest.mark.parametrize("text", ["nobody", "<>", "a@b <", "(" * 900, "x" * 1000 + "@example.com"])
def test_an_address_that_cannot_be_read_is_left_out_and_warned(text: str) -> None:
    """What is no address is left out and counted; the others stay."""
    found = of_text(f"To: {text}, bob@example.com")
    assert "unreadable_address" in found.warnings or found.to == ["a@b", "bob@example.com"]
    assert (found.to or [])[-1:] in (["bob@example.com"], [])


def test_an_address_has_a_limit() -> None:
    """A part of a list longer than a thousand characters is not parsed."""
    name = "x" * (1000 - len("<a@example.com>") - 1)
    assert of_text(f"To: {name} <a@example.com>") == Headers(to=["a@example.com"])
    assert of_text(f"To: x{name} <a@example.com>") == Headers(to=[], warnings={"unreadable_address"})


def test_undisclosed_recipients_are_none() -> None:
    """A group without members has no addresses, and nothing is wrong with it."""
    assert of_text("To: undisclosed-recipients:;") == Headers(to=[])


@pytest.mark.parametrize(
    "piece", ["(", ")", '"', '"\\', "(\\", "<", "<a", "[", "@", ".", ",", ":", "a:;,", "=?", "(,", "\\"]
)
def test_hostile_lists_are_read_in_linear_time(piece: str) -> None:
    """No repeated piece makes a header of 64 KiB slow."""
    started = time.process_time()
    of_text("To: " + piece * (headers.HEADER_BYTES // len(piece)))
    assert time.process_time() - started < 5
