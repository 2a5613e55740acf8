-- The conflicts of this run about rows of another source, named as such: legacy keys of the rows that have no place beside them.
UPDATE {conflicts} AS c
SET reason = 'row of another source'
FROM merge_plan AS p
JOIN {stage} AS s ON s._row = p._row
JOIN {map} AS o ON o.new_key = p.new_key AND o.source_id <> {source_id} AND o.state = 'live'
WHERE c.source_id = {source_id} AND c.table_name = {table_name} AND c.new_key = p.new_key::text AND c.last_run = {run_id}
    AND c.resolved_run IS NULL AND p.action IN ('adopted', 'conflict kept')
RETURNING s._key::text
