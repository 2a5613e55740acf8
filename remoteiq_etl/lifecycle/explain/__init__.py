"""What became of a legacy row, and what is behind a target row: put together from the state schema and both databases.

`tree` says what is known as plain data, `find` puts it together, `entries`, `legacy_side` and `target_side` read. It only
reads. Does not belong here: showing it (the command line, the report).
"""

from remoteiq_etl.lifecycle.explain.find import Explainer
from remoteiq_etl.lifecycle.explain.model import Explanation

__all__ = ["Explainer", "Explanation"]
