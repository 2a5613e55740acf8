-- name: decision
INSERT INTO {map} AS known (source_id, legacy_table, legacy_key, new_key, rule, state, adopted, decision, first_run, last_run)
VALUES ({source_id}, %(legacy_table)s, %(legacy_key)s, %(new_key)s, %(rule)s, 'decided', false, %(values)s, {run_id}, {run_id})
ON CONFLICT ({map_key}) DO UPDATE SET
    decision = EXCLUDED.decision, rule = EXCLUDED.rule, new_key = coalesce(EXCLUDED.new_key, known.new_key), last_run = EXCLUDED.last_run
WHERE (known.decision, known.rule) IS DISTINCT FROM (EXCLUDED.decision, EXCLUDED.rule)
    OR known.new_key IS DISTINCT FROM coalesce(EXCLUDED.new_key, known.new_key)
