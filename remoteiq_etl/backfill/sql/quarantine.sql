INSERT INTO {quarantine} AS known
    (source_id, legacy_table, legacy_key, table_name, rule, columns, detail, "row", first_run, last_run)
VALUES
    ({source_id}, {legacy_table}, %(legacy_key)s, {table_name}, %(rule)s, %(columns)s, %(detail)s, %(row)s, {run_id}, {run_id})
ON CONFLICT (source_id, legacy_table, legacy_key, table_name) DO UPDATE SET
    rule = EXCLUDED.rule, columns = EXCLUDED.columns, detail = EXCLUDED.detail, "row" = EXCLUDED."row",
    last_run = EXCLUDED.last_run, attempts = known.attempts + 1, released_run = NULL
