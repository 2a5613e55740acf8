"""Names as the mapping compares them, for opinions: `pg_temp.normalised(text)`, `pg_temp.tidy(text)` for spellings,
`pg_temp.lowered(text)` for addresses and keys, `pg_temp.raised(text)` for words in capitals; and what mail says:
`pg_temp.mail_address(text)`, `pg_temp.mail_headers(text)`.

PostgreSQL has no full case fold before version 18, and its lower() differs between servers and locales. So Unicode's table
of letters comes along, as `case_fold` (letter, folded, lowered, raised, titled, kind), and SQL applies it; `kind` is c of a
cased letter, i of what is passed over where a capital sigma looks for one. Belongs here: that table and the functions. Does
not belong here: which names are compared (see opinions).
"""

import sys
from functools import cache
from unicodedata import category

from remoteiq_etl.postgres.database import Session
from remoteiq_etl.postgres.statements import statements

SQL = statements(__file__)

#: The files that define them; each may use those before it.
FUNCTIONS = ("normalised", "raised", "final_sigma", "lowered", "mail_address", "mail_headers")

_FORMS = "folded text, lowered text, raised text, titled text, kind text"
_SIGMA, _LAST = "\u03a3", "\u03c2"
#: Categories of code points that no name has: unassigned, for private use, halves of others.
_NO_LETTERS = frozenset({"Cn", "Co", "Cs"})


def offer_names(session: Session) -> None:
    """Make the functions known in a session; blank is null there."""
    session.execute("DROP TABLE IF EXISTS pg_temp.case_fold")
    session.execute(f'CREATE TEMP TABLE case_fold (letter text COLLATE "C" PRIMARY KEY, {_FORMS})')
    with session.connection.cursor().copy("COPY pg_temp.case_fold FROM STDIN") as copy:
        for letter in _folding():
            copy.write_row((letter, *_forms(letter)))
    session.execute("ANALYZE pg_temp.case_fold")
    for name in FUNCTIONS:
        session.execute(SQL[name])


@cache
def _folding() -> tuple[str, ...]:
    """Every letter that has another form, or that tells a capital sigma whether it ends a word."""
    assigned = (letter for letter in map(chr, range(sys.maxunicode + 1)) if category(letter) not in _NO_LETTERS)
    return tuple(letter for letter in assigned if _kind(letter) or set(_forms(letter)[:4]) != {letter})


def _forms(letter: str) -> tuple[str, str, str, str, str | None]:
    return letter.casefold(), letter.lower(), letter.upper(), letter.capitalize(), _kind(letter)


def _kind(letter: str) -> str | None:
    """c: a cased letter; i: passed over; None: any other. Unicode's own rule of the last sigma tells."""
    if (letter + _SIGMA).lower().endswith(_LAST):
        return "c"
    return "i" if ("a" + letter + _SIGMA).lower().endswith(_LAST) else None
