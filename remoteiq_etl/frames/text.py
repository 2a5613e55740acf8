"""Text as the mapping compares it. Only the program normalises: SQL lower() differs between servers and locales."""

import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterable

import pandas as pd

from remoteiq_etl.frames.dtypes import TEXT, by_distinct

# Unicode's property White_Space, spelled out: \s would add the separators U+001C to U+001F, which are not part of it.
_SPACES = re.compile("[\t-\r \x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]+")


def tidy(text: str | None) -> str | None:
    """The spelling of a name without accidental white space: NFC, one space between words, trimmed. Blank is None."""
    if not isinstance(text, str):  # None, or pandas' NA
        return None
    return _SPACES.sub(" ", unicodedata.normalize("NFC", text)).strip(" ") or None


def normalise(text: str | None) -> str | None:
    """The form in which names are compared: tidy and case folded. Blank is None."""
    tidied = tidy(text)
    return None if tidied is None else unicodedata.normalize("NFC", tidied.casefold())


def normalised(texts: pd.Series) -> pd.Series:
    """`normalise` of each value; each distinct spelling is worked out once."""
    return _by_spelling(texts, normalise)


def tidied(texts: pd.Series) -> pd.Series:
    """`tidy` of each value; each distinct spelling is worked out once."""
    return _by_spelling(texts, tidy)


def is_blank(texts: pd.Series) -> pd.Series:
    """Null, empty, or white space alone."""
    return tidied(texts).isna()


def common_spelling(spellings: Iterable[str]) -> str:
    """The spelling used most often; of equally frequent ones the first alphabetically."""
    counts = Counter(spellings)
    return min(counts, key=lambda spelling: (-counts[spelling], spelling))


def _by_spelling(texts: pd.Series, function: Callable[[str | None], str | None]) -> pd.Series:
    return by_distinct(texts.astype(TEXT), function)
