-- A row that waited and is gone waits no longer.
UPDATE {waiting} AS w
SET released_run = {run_id}
WHERE w.source_id = {source_id} AND w.legacy_table = {legacy_table} AND w.table_name = {table_name} AND w.released_run IS NULL
    AND NOT EXISTS (SELECT FROM {stage} AS s WHERE s._key::text = w.legacy_key)
