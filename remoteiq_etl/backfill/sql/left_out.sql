INSERT INTO {left_out} AS known (source_id, table_name, legacy_table, legacy_key, outcome, rule, source_hash, run_id)
SELECT {source_id}, {table_name}, {legacy_table}, v.legacy_key, v.outcome, v.rule, decode(v.hash, 'hex'), {run_id}
FROM json_to_recordset(%(rows)s::json) AS v (legacy_key text, outcome text, rule text, hash text)
ON CONFLICT (source_id, table_name, legacy_table, legacy_key) DO UPDATE SET
    outcome = EXCLUDED.outcome, rule = EXCLUDED.rule, source_hash = EXCLUDED.source_hash, run_id = EXCLUDED.run_id
WHERE (known.outcome, known.rule, known.source_hash) IS DISTINCT FROM (EXCLUDED.outcome, EXCLUDED.rule, EXCLUDED.source_hash)
