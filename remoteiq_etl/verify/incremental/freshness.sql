-- name: later_runs
-- The last run that inserted, adopted, updated or took away rows of a table after it was verified. To read quarantined rows again,
-- as every run does, moves nothing.
SELECT v.table_name, max(w.run_id)
FROM {verifications} AS v
JOIN ({written}) AS w USING (table_name)
JOIN {runs} AS r ON r.id = w.run_id
WHERE v.source_id = %(source_id)s AND r.source_id = v.source_id AND w.written_at > v.confirmed_at
GROUP BY v.table_name
