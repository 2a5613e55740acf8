-- name: later_runs
-- The last run that inserted, adopted, updated or took away rows of a table after it was verified. To read quarantined rows again,
-- as every run does, moves nothing.
SELECT v.table_name, max(w.run_id)
FROM {verifications} AS v
JOIN (
    SELECT l.run_id, l.table_name, l.committed_at AS written_at
    FROM {ledger} AS l
    WHERE EXISTS (
        SELECT FROM pg_catalog.jsonb_each_text(l.outcomes) AS o
        WHERE o.key IN ('inserted', 'adopted', 'updated') AND o.value::bigint > 0
    )
    UNION ALL
    SELECT m.run_id, m.table_name, m.moved_at FROM {movements} AS m WHERE m.run_id IS NOT NULL
) AS w USING (table_name)
JOIN {runs} AS r ON r.id = w.run_id
WHERE v.source_id = %(source_id)s AND r.source_id = v.source_id AND w.written_at > v.confirmed_at
GROUP BY v.table_name
