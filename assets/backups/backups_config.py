"""The legacy backup configuration, which the redesign keeps: one row per legacy row, unchanged."""

from remoteiq_etl.spec.batch import Batch
from remoteiq_etl.spec.table import Adoption, Source, TableSpec
from remoteiq_etl.spec.transform_context import Context
from schemas import legacy, target


def transform(batch: Batch, context: Context) -> Batch:
    """Every column as it is; the redesign's own times have no legacy source."""
    batch.carry(*(column.name for column in legacy.backups_config.columns))
    return batch


SPEC = TableSpec(
    target=target.backups_config,
    grain="one row per legacy backup configuration",
    sources=(Source(legacy.backups_config, transform),),
    adopt=Adoption(columns=("id",)),
)
