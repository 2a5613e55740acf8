INSERT INTO {held} AS known
    (source_id, legacy_table, legacy_key, table_name, parent_table, parent_key, "column", first_run, last_run)
VALUES
    ({source_id}, {legacy_table}, %(legacy_key)s, {table_name}, %(parent_table)s, %(parent_key)s, %(column)s, {run_id}, {run_id})
ON CONFLICT (source_id, legacy_table, legacy_key, table_name) DO UPDATE SET
    parent_table = EXCLUDED.parent_table, parent_key = EXCLUDED.parent_key, "column" = EXCLUDED."column",
    last_run = EXCLUDED.last_run, attempts = known.attempts + 1, released_run = NULL
