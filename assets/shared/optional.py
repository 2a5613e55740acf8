"""Columns that a running installation may have beside the redesign's: filled where they exist, archived where not.

Belongs here: the one rule that all tables with such columns share. Does not belong here: which columns there are (see
schemas.target.optional) or what their values are.
"""

from collections.abc import Mapping

import pandas as pd

from remoteiq_etl.spec.batch import Batch
from remoteiq_etl.spec.transform_context import Context


def carry_optional(batch: Batch, context: Context, columns: Mapping[str, pd.Series]) -> None:
    """Set each column that the target has; archive the values of those that it has not, under the same name."""
    for name, values in columns.items():
        if name in context.optional:
            batch[name] = values
        else:
            batch.keep(values.notna(), name, "no_optional_column", values)
