"""What the modules of this domain agree on: how an assignment names its check, and the words of severities.

No foreign key ties a legacy assignment to its check: type and name do, normalised. Belongs here: that natural key, the
shared words, and what a check is called whose name is taken. Does not belong here: which check goes first (see checks).
"""

from collections.abc import Container
from itertools import count

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from remoteiq_etl.frames.dtypes import TEXT, by_distinct, to_arrow
from remoteiq_etl.frames.row_keys import key_text
from remoteiq_etl.frames.text import normalise, tidy
from remoteiq_etl.spec.value_map import ValueMap

NAMELESS = "Agent Check"
UNATTRIBUTED = "Unattributed"
UNATTRIBUTED_KEY = key_text(["", "unattributed"])

SEVERITY_UNSET = "unset"
SEVERITIES = ValueMap("check_runs.severity", {"CRIT": "critical", "WARN": "medium"}, null=SEVERITY_UNSET)

_BETWEEN = "\0"  # PostgreSQL's text cannot hold it


def check_name(check_type: str | None, name: str | None) -> str:
    """The name of the check that an assignment means: its own, else its type's, else a fixed one."""
    return tidy(name) or tidy(check_type) or NAMELESS


def check_key(check_type: str | None, name: str | None) -> str:
    """The natural key of that check: [type or "", name], normalised. A null type is a type of its own."""
    return key_text([normalise(check_type) or "", normalise(check_name(check_type, name)) or ""])


def check_keys(types: pd.Series, names: pd.Series) -> pd.Series:
    """`check_key` of each row; worked out once per distinct pair (0.1 s for 400,000 assignments)."""
    filled = [pc.fill_null(to_arrow(column.astype(TEXT)), "") for column in (types, names)]
    pairs = pc.binary_join_element_wise(*filled, pa.scalar(_BETWEEN))
    return by_distinct(pd.Series(pd.array(pairs, dtype=TEXT), index=types.index), _key_of_pair)


def free_name(name: str, check_type: str | None, taken: Container[str]) -> str:
    """The name itself when it is free, else with the type behind it, else with type and number."""
    word = (tidy(check_type) or "script").upper()
    candidates = (f"{name} ({word} {number})" for number in count(2))
    first = next((candidate for candidate in (name, f"{name} ({word})") if candidate not in taken), None)
    return first or next(candidate for candidate in candidates if candidate not in taken)


def _key_of_pair(pair: str) -> str:
    return check_key(*pair.split(_BETWEEN))
