UPDATE {waiting} AS w
SET released_run = {run_id}
FROM {stage} AS s
WHERE w.source_id = {source_id} AND w.legacy_table = {legacy_table} AND w.table_name = {table_name}
    AND w.legacy_key = s._key::text AND w.released_run IS NULL
    AND s._row <> ALL (%(deferred)s::int[])
