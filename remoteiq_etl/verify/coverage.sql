-- name: completed
-- How each asset was last completed: by which run, under which fingerprint, and with which options.
SELECT a.table_name, a.run_id, a.fingerprint, r.options
FROM {assets} AS a
JOIN {runs} AS r ON r.id = a.run_id
WHERE a.source_id = %(source_id)s


-- name: undone
-- The last undo that was interrupted, and the tables of which rows still wait for it.
SELECT DISTINCT w.table_name
FROM {undos} AS u
JOIN {undo_rows} AS w ON w.undo_id = u.id
WHERE u.source_id = %(source_id)s AND u.status = 'executing' AND NOT w.done


-- name: unfinished
-- By table the last run that has committed rows of it and did not succeed. One in work has not failed yet.
SELECT l.table_name, max(l.run_id) AS run_id
FROM {ledger} AS l
JOIN {runs} AS r ON r.id = l.run_id
WHERE r.source_id = %(source_id)s AND r.status NOT IN ('succeeded', 'plan') AND NOT (r.status = 'running' AND %(is_running)s)
GROUP BY l.table_name
