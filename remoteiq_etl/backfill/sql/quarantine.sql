INSERT INTO {quarantine} AS known
    (source_id, legacy_table, legacy_key, table_name, rule, columns, detail, "row", first_run, last_run)
SELECT {source_id}, {legacy_table}, v.legacy_key, {table_name}, v.rule, v.columns, v.detail, v."row", {run_id}, {run_id}
FROM json_to_recordset(%(rows)s::json) AS v (legacy_key text, rule text, columns text[], detail text, "row" jsonb)
ON CONFLICT (source_id, legacy_table, legacy_key, table_name) DO UPDATE SET
    rule = EXCLUDED.rule, columns = EXCLUDED.columns, detail = EXCLUDED.detail, "row" = EXCLUDED."row",
    last_run = EXCLUDED.last_run, attempts = known.attempts + 1, released_run = NULL
