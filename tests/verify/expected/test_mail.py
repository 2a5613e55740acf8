"""What SQL reads in mail for certain is what the program reads there; the rest it leaves to the program."""

import pytest

from assets.email.rules import headers
from assets.support.rules.requesters import address
from tests.verify.conftest import Bench

PLAIN = (
    "Message-ID: <one.mail@example.com>\r\nTo: help@example.com\r\nCc: Ann Lee <ann+x@example.org> , b_1@example.net\r\n"
    "Date: Mon, 15 Jan 2024 10:20:30 +0200\r\n\r\nTo: body@example.com",
    "to: a@example.com\ndate:5 Feb 2024 23:59:59 +1359\nMESSAGE-ID:\t<A@b> \n",
    "Subject: =?utf-8?q?Gr=C3=BC=C3=9Fe?=\r\n folded\r\nTo: a@example.com",
    "\r\nTo: body@example.com",
    "",
)
UNCERTAIN = (
    'To: "Roe, J." <j@example.com>',
    "To: =?utf-8?q?J=C3=BCrgen?= <j@example.com>",
    "To: a@example.com,\r\n b@example.com",
    "To: a@example.com\r\nTo: b@example.com",
    "To: staff: a@example.com;",
    "To:",
    "no header\r\nTo: a@example.com",
    "To: a@example.com\r\n \r\nX: y",
    "X-\u00dc: y\r\nTo: a@example.com",
    "Subject: x\r\n To: a@example.com",
    "Cc: b@example.com\r\n\tTo: a@example.com",
    " To: a@example.com",
    ">From nobody\r\nTo: a@example.com",
    "X : y\r\nTo: a@example.com",
    "\ufeffTo: a@example.com",
    "\\357\\273\\277To: a@example.com",  # the same, as raw mail arrives here
    "X: " + "y" * 60_000 + "\r\nTo: a@example.com",
)
DATES = (
    "30 Feb 2024 10:00:00 +0000",
    "sometime",
    "1 Jan 24 10:00:00 +0000",
    "1 Jan 2024 10:00:00 GMT",
    "",
    "1 Jux 2024 10:00:00 +0000",
    "1 Jan 0001 10:00:00 +0000",
    "1 Jan 2024 10:00:00 PM",
    "1 Jan 2024 10:00:00 CET",
)
READ = "SELECT message_id, to_addresses, cc_addresses, sent_at FROM pg_temp.mail_headers(%s)"
KNOWN = "SELECT message_id_known, to_known, cc_known, sent_at_known FROM pg_temp.mail_headers(%s)"


@pytest.mark.parametrize("mail", PLAIN)
def test_plain_headers_are_read_alike(mail: str, asking: Bench) -> None:
    said = headers.of_text(mail)
    session = asking.legacy_copy.session
    assert session.rows(READ, (mail,)) == [(said.message_id, said.to, said.cc, said.sent_at)]
    assert session.rows(KNOWN, (mail,)) == [(True, True, True, True)]


@pytest.mark.parametrize("mail", UNCERTAIN)
def test_recipients_that_take_a_parser_are_left_to_the_program(mail: str, asking: Bench) -> None:
    assert asking.legacy_copy.session.rows("SELECT to_known, to_addresses FROM pg_temp.mail_headers(%s)", (mail,)) == [
        (False, None)
    ]


@pytest.mark.parametrize("date", DATES)
def test_dates_of_another_form_are_left_to_the_program(date: str, asking: Bench) -> None:
    assert asking.legacy_copy.session.rows(
        "SELECT sent_at_known, sent_at FROM pg_temp.mail_headers(%s)", (f"Date: {date}",)
    ) == [(False, None)]


@pytest.mark.parametrize(
    "text",
    [
        "Bob <Bob@Example.com>",
        "<mailto> b <b@example.com>",
        " B@example.com ",
        "ZO\u00cb@example.com",
        "mailto:B@example.com",
        "MAILTO:\u00a0b@example.com ?subject=a@b",
        "b <mailto:b@example.com?cc=c@example.com>",
        "b@example.com> >\n",
        "b?c@example.com>",
        "mailto:",
        "mailto:?to=b@example.com",
        ">",
        "b@a@c",
        "@a",
        "a@",
        "b",
        "",
        "< >",
    ],
)
def test_an_address_is_read_alike(text: str, asking: Bench) -> None:
    assert asking.legacy_copy.session.value("SELECT pg_temp.mail_address(%s)", (text,)) == address(text)
