-- name: snapshots
-- The snapshots of the legacy database in which these assets were last completed.
SELECT r.snapshot
FROM {assets} AS a
JOIN {runs} AS r ON r.id = a.run_id
WHERE a.source_id = %(source_id)s AND a.table_name = ANY (%(assets)s) AND r.snapshot IS NOT NULL
