INSERT INTO {gone} AS known (source_id, table_name, legacy_table, legacy_key, new_key, unit, outcome, first_run, last_run)
SELECT
    {source_id}, f.table_name, f.legacy_table, f.legacy_key, f.new_key, f.unit,
    CASE f.state WHEN 'deleted' THEN 'was deleted in target' ELSE 'listed' END, {run_id}, {run_id}
FROM gone_found AS f
WHERE f.table_name = {table_name} AND f.legacy_table = {legacy_table} AND NOT f.silent
ON CONFLICT (source_id, table_name, legacy_table, legacy_key) DO UPDATE SET
    last_run = EXCLUDED.last_run,
    new_key = EXCLUDED.new_key,
    unit = EXCLUDED.unit,
    outcome = CASE WHEN known.returned_run IS NULL AND known.outcome = 'withdrawn' THEN known.outcome ELSE EXCLUDED.outcome END,
    reason = NULL,
    holder = NULL,
    first_run = CASE WHEN known.returned_run IS NULL THEN known.first_run ELSE EXCLUDED.first_run END,
    found_at = CASE WHEN known.returned_run IS NULL THEN known.found_at ELSE EXCLUDED.found_at END,
    returned_run = NULL
