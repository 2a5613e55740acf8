INSERT INTO {conflicts} AS known
    (source_id, table_name, new_key, legacy_table, legacy_key, columns, last_written, current, incoming, reason, first_run, last_run)
SELECT
    {source_id}, {table_name}, p.new_key::text, {legacy_table}, s._key::text, d.columns, m.last_written, {current}, {incoming},
    CASE p.action WHEN 'adopted' THEN 'adopted' ELSE 'edited in target' END, {run_id}, {run_id}
FROM {stage} AS s
JOIN merge_plan AS p USING (_row)
JOIN {target} AS t ON {target_join}
LEFT JOIN {map} AS m ON m.source_id = {source_id} AND m.legacy_table = {legacy_table} AND m.legacy_key = s._key
CROSS JOIN LATERAL (SELECT array_remove(ARRAY[{differing}]::text[], NULL) AS columns) AS d
WHERE p.action IN ('conflict kept', 'adopted') AND p._row BETWEEN %(first)s AND %(last)s AND cardinality(d.columns) > 0
ON CONFLICT (source_id, table_name, new_key) DO UPDATE SET
    columns = EXCLUDED.columns, last_written = EXCLUDED.last_written, current = EXCLUDED.current, incoming = EXCLUDED.incoming,
    last_run = EXCLUDED.last_run, resolved_run = NULL, resolution = NULL
