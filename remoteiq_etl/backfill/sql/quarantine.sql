INSERT INTO {quarantine} AS known
    (source_id, legacy_table, legacy_key, table_name, rule, columns, detail, "row", source_hash, first_run, last_run)
SELECT {source_id}, {legacy_table}, v.legacy_key, {table_name}, v.rule, v.columns, v.detail, v."row", decode(v.hash, 'hex'), {run_id}, {run_id}
FROM json_to_recordset(%(rows)s::json) AS v (legacy_key text, rule text, columns text[], detail text, "row" jsonb, hash text)
ON CONFLICT (source_id, legacy_table, legacy_key, table_name) DO UPDATE SET
    rule = EXCLUDED.rule, columns = EXCLUDED.columns, detail = EXCLUDED.detail, "row" = EXCLUDED."row", source_hash = EXCLUDED.source_hash,
    last_run = EXCLUDED.last_run, attempts = known.attempts + 1, released_run = NULL
