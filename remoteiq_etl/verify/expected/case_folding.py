"""Names as the mapping compares them, for opinions: `pg_temp.normalised(text)`, `pg_temp.tidy(text)` for spellings, and
`pg_temp.lowered(text)` for addresses and keys; and what mail says: `pg_temp.mail_address(text)`, `pg_temp.mail_headers(text)`.

PostgreSQL has no full case fold before version 18, and its lower() differs between servers and locales. So Unicode's table
of letters comes along, as `case_fold` (letter, folded, lowered), and SQL applies it. Belongs here: that table and the
functions. Does not belong here: which names are compared (see opinions).
"""

import sys
from functools import cache

from remoteiq_etl.postgres.database import Session
from remoteiq_etl.postgres.statements import statements

SQL = statements(__file__)

#: The files that define them; each may use those before it.
FUNCTIONS = ("normalised", "lowered", "mail_address", "mail_headers")


def offer_names(session: Session) -> None:
    """Make the functions known in a session; blank is null there."""
    session.execute("DROP TABLE IF EXISTS pg_temp.case_fold")
    session.execute('CREATE TEMP TABLE case_fold (letter text COLLATE "C" PRIMARY KEY, folded text, lowered text)')
    with session.connection.cursor().copy("COPY pg_temp.case_fold FROM STDIN") as copy:
        for letter in _folding():
            copy.write_row((letter, letter.casefold(), letter.lower()))
    session.execute("ANALYZE pg_temp.case_fold")
    for name in FUNCTIONS:
        session.execute(SQL[name])


@cache
def _folding() -> tuple[str, ...]:
    """Every letter that the full case fold or lower case changes."""
    return tuple(
        letter for letter in map(chr, range(sys.maxunicode + 1)) if {letter.casefold(), letter.lower()} != {letter}
    )
