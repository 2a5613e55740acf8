"""What the headers of a mail say: its id, its recipients, and when it was sent. The input is hostile.

U+0000 and lone surrogates become U+FFFD; a header is cut at 64 KiB, and at 1,000 addresses; nothing is raised. A line that
is no header hides none after it, which the standard parser lets it do. Belongs here: reading headers from text or bytes.
Does not belong here: what is stored of them (see email_messages).
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email import policy
from email.errors import HeaderParseError
from email.utils import parsedate_to_datetime
from functools import lru_cache
from itertools import takewhile

HEADER_BYTES = 64 * 1024
ADDRESSES = 1000
# RFC 5321 allows 254 characters and a name beside them. The standard parser takes the square of the length: 64 KiB of
# dots took it 49 s, a thousand 0.01 s.
ADDRESS_CHARACTERS = 1000

UNREADABLE_DATE = "unreadable_date"
UNREADABLE_ADDRESS = "unreadable_address"
HEADER_CUT = "header_cut"

_UNSTORABLE = re.compile("[\0\ud800-\udfff]")
_LINE_ENDS = re.compile("\r\n|\r|\n")
_BYTE_ORDER_MARK = "\ufeff"
_NAMES = ("message-id", "to", "cc", "date")
# A space before the colon is none of the name's (RFC 5322, 4.5).
_HEADER = re.compile("([!-9;-~]+)[\t ]*:(.*)", re.DOTALL)
_INDENTED = re.compile("[\t ]+(?:message-id|to|cc|bcc|from|reply-to|sender|subject|date)[\t ]*:", re.IGNORECASE)
# What the standard parser reads as it is meant. Of anything else it makes a date, too: it reads the year 0001 as 2001, 10 PM
# as the morning, and a zone that it does not know, or that stands in a comment alone, as UTC. A name may follow a zone.
_MONTH = "(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*"
_TIME = "[0-9]{1,2}:[0-9]{2}(?::[0-9]{2})?"
_YEAR = "(?:[0-9]{2}|19[0-9]{2}|[2-9][0-9]{3})"
_ZONE = "(?: *[+-][0-9]{2}[0-5][0-9]| +(?:utc?|gmt|z|[aecmp][sd]t))"
_DATE = re.compile(
    "((?:[a-z]{3,9}(?:, *| +))?"
    f"(?:[0-9]{{1,2}}(?: +{_MONTH} +|-{_MONTH}-){_YEAR} +{_TIME}({_ZONE})?|{_MONTH} +[0-9]{{1,2}} +{_TIME}{_ZONE}? +{_YEAR}))"
    "(?(2)(?: *\\(.*\\)| +[a-z]{3,5})?)",
    re.IGNORECASE | re.ASCII,
)
_END_OF_HEADERS = re.compile(rb"\r\n\r\n|\n\n|\r\r")
# Quoted text, comment, bracketed part, or other characters; what is not closed is plain characters. The bounds keep the
# search linear: without them 64 KiB of escaped quotes took 12 s.
_PIECES = re.compile(
    r'"(?:[^"\\]|\\.){0,1000}"|\((?:[^()\\]|\\.){0,1000}\)|<[^<>]*>|\[[^\[\]]*\]|[^"(<\[,;:]+|.', re.DOTALL
)
_SEPARATORS = frozenset(",;:")


@dataclass
class Headers:
    """What was read, and the rules under which something was left out."""

    message_id: str | None = None
    to: list[str] | None = None
    cc: list[str] | None = None
    sent_at: datetime | None = None
    warnings: set[str] = field(default_factory=set)


def storable(text: str) -> str:
    """Text that a database can hold."""
    return _UNSTORABLE.sub("\ufffd", text)


def of_bytes(raw: bytes | None) -> Headers:
    """The headers of a raw mail; bytes that are no UTF-8 become U+FFFD."""
    if raw is None:
        return Headers()
    return of_text(_END_OF_HEADERS.split(raw, maxsplit=1)[0].decode("utf-8", "replace"))


def of_text(text: str | None) -> Headers:
    """The headers in a text that starts with them."""
    found = Headers()
    if text is None:
        return found
    values = {name: [_value(value, found) for value in said] for name, said in _said(storable(text)).items()}
    found.message_id = next((value for value in values["message-id"] if value), None)
    found.to, found.cc = (_addresses(values[name], found) for name in ("to", "cc"))
    found.sent_at = _date(values["date"][0], found) if values["date"] else None
    return found


def _said(text: str) -> Mapping[str, list[str]]:
    """What each header that we read says, one text for each time that it is there, without folds."""
    said: dict[str, list[list[str]]] = {name: [] for name in _NAMES}
    name, parts = "", list[str]()
    indented = True  # Of the header before: where all are indented, or the first is, a line is no fold of it.
    for line in takewhile(bool, _LINE_ENDS.split(text.removeprefix(_BYTE_ORDER_MARK))):
        is_indented = line[0] in "\t "
        if is_indented and not ((indented or name in said) and _INDENTED.match(line)):
            parts.append(line)
            continue
        header = _HEADER.fullmatch(line.lstrip("\t "))
        name, parts, indented = (header[1].lower() if header else ""), [header[2] if header else ""], is_indented
        if name in said:
            said[name].append(parts)
    return {name: ["".join(lines) for lines in headers] for name, headers in said.items()}


def _value(value: str, found: Headers) -> str:
    """One header, cut at its limit; an address that the cut would leave in part is dropped."""
    text = value.strip()
    encoded = text.encode()
    if len(encoded) <= HEADER_BYTES:
        return text
    found.warnings.add(HEADER_CUT)
    cut = encoded[:HEADER_BYTES].decode("utf-8", "ignore")
    return cut.rpartition(",")[0] or cut


def _date(value: str, found: Headers) -> datetime | None:
    """A date in UTC, which a date without zone is taken for; null where it would have to be guessed."""
    try:
        read = _DATE.fullmatch(" ".join(value.split()))
        date = parsedate_to_datetime(read[1] if read else "")
        return (date if date.tzinfo else date.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, TypeError, IndexError, OverflowError):
        found.warnings.add(UNREADABLE_DATE)
        return None


def _addresses(values: list[str], found: Headers) -> list[str] | None:
    """The addresses of the headers of one name; null without such a header."""
    if not values:
        return None
    addresses: list[str] = []
    for piece in (piece for value in values for piece in _split(value)):
        if len(addresses) == ADDRESSES:
            found.warnings.add(HEADER_CUT)
            break
        address = _address(piece)
        if address is None:
            found.warnings.add(UNREADABLE_ADDRESS)
        else:
            addresses.append(address)
    return addresses


def _split(value: str) -> Iterator[str]:
    """The parts of an address list; the name of a group is no part of it."""
    part: list[str] = []
    for piece in [*_PIECES.findall(value), ","]:
        if piece not in _SEPARATORS:
            part.append(piece)
            continue
        text = "".join(part).strip()
        part = []
        if text and piece != ":":
            yield text


@lru_cache(maxsize=4096)
def _address(text: str) -> str | None:
    """The address in one part of a list. A mailbox's own address is in nearly every mail: it is parsed once."""
    if len(text) > ADDRESS_CHARACTERS:
        return None
    try:
        parsed = policy.default.header_factory("to", text).addresses
    except (HeaderParseError, ValueError, TypeError, IndexError, AttributeError, KeyError, RecursionError):
        return None
    address = parsed[0].addr_spec if len(parsed) == 1 else ""
    return storable(address) if "@" in address else None
