-- name: written_rows
-- The runs that have written target rows, by table, and when: batches with a row inserted, adopted or updated, and rows that
-- came or went otherwise. To read quarantined rows again, as every run does, is to write nothing.
SELECT l.run_id, l.table_name, l.committed_at AS written_at
FROM {ledger} AS l
WHERE EXISTS (
    SELECT FROM pg_catalog.jsonb_each_text(l.outcomes) AS o
    WHERE o.key IN ('inserted', 'adopted', 'updated') AND o.value::bigint > 0
)
UNION ALL
SELECT m.run_id, m.table_name, m.moved_at FROM {movements} AS m WHERE m.cause <> 'opening' AND m.run_id IS NOT NULL
