-- Rows of which nothing was written: remember the legacy row that was compared, and what became of the target row.
UPDATE {map} AS m
SET source_hash = s._hash, state = coalesce(n.state, m.state), last_run = {run_id}
FROM {stage} AS s
JOIN merge_plan AS p USING (_row)
CROSS JOIN LATERAL (
    SELECT CASE p.action WHEN 'deleted in target' THEN 'deleted' WHEN 'move refused' THEN NULL ELSE 'live' END AS state
) AS n
WHERE m.source_id = {source_id} AND m.legacy_table = {legacy_table} AND m.legacy_key = s._key
    AND p.action IN ('unchanged', 'conflict kept', 'move refused', 'deleted in target')
    AND (m.source_hash IS DISTINCT FROM s._hash OR m.state <> n.state)
