"""What decide steps read of the legacy database: whole, once per asset, or narrowed to the rows that changed.

Belongs here: reading it, and the digests that tell whether it is as before. Does not belong here: the step itself
(remoteiq_etl.backfill.transform.decide).
"""

from collections.abc import Mapping

import pandas as pd

from remoteiq_etl.backfill.change_capture.fingerprint import digest
from remoteiq_etl.backfill.context.run_context import RunContext
from remoteiq_etl.backfill.source.extract import select_query
from remoteiq_etl.backfill.source.selection import Selection, followed_by
from remoteiq_etl.frames.dtypes import from_arrow
from remoteiq_etl.spec.dependencies import Inputs
from remoteiq_etl.spec.table import TableSpec
from remoteiq_etl.spec.transform_context import Context


class DecisionInputs:
    """The reads of decide steps in the snapshot of a run."""

    def __init__(self, run: RunContext) -> None:
        self.run = run
        self._frames: dict[tuple[str, str], pd.DataFrame] = {}

    def forget(self) -> None:
        """Free what was read: the asset is completed."""
        self._frames.clear()

    def frames(self, spec: TableSpec, selections: Mapping[str, Selection], context: Context) -> dict[str, pd.DataFrame]:
        """What the decide step of an asset reads of the legacy database, by name: of followed tables what is followed."""
        queries = {} if spec.decide is None else spec.decide.reads
        return {name: self._followed(spec, name, selections, context) for name in queries}

    def _frame(self, spec: TableSpec, name: str) -> pd.DataFrame:
        """One read of the decide step as a whole. Read once."""
        if (spec.asset, name) not in self._frames:
            queries = {} if spec.decide is None else spec.decide.reads
            query = select_query(self.run.legacy, queries[name])
            self._frames[spec.asset, name] = from_arrow(self.run.reader.table(query))
        return self._frames[spec.asset, name]

    def _followed(
        self, spec: TableSpec, name: str, selections: Mapping[str, Selection], context: Context
    ) -> pd.DataFrame:
        queries = {} if spec.decide is None else spec.decide.reads
        condition = followed_by(self.run.legacy, spec, queries[name], selections, context)
        if condition is None:
            return self._frame(spec, name)
        query = queries[name].where(condition)
        return from_arrow(self.run.reader.table(select_query(self.run.legacy, query)))

    def digests(self, spec: TableSpec, inputs: Inputs) -> dict[str, str]:
        """The digest of each of its reads as a whole, by name."""
        return {name: digest(self._frame(spec, name)) for name in inputs.reads}
