-- name: alert_counts
-- Per table the rows that this run was the first to stop, and all that wait: in quarantine (those that a person accepts do
-- not count), and in conflict
-- (those that somebody decided do not count).
SELECT 'quarantine' AS kind, table_name, count(*) FILTER (WHERE first_run = %(run_id)s) AS new, count(*) AS waiting
FROM {quarantine}
WHERE source_id = %(source_id)s AND released_run IS NULL AND ignored_at IS NULL
GROUP BY table_name
HAVING count(*) FILTER (WHERE first_run = %(run_id)s) > 0
UNION ALL
SELECT 'conflict', table_name, count(*) FILTER (WHERE first_run = %(run_id)s), count(*)
FROM {conflicts}
WHERE source_id = %(source_id)s AND resolved_run IS NULL AND decision IS NULL
GROUP BY table_name
HAVING count(*) FILTER (WHERE first_run = %(run_id)s) > 0
ORDER BY 1, 2
