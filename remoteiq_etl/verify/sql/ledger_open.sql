-- Batches of which not every row that was read has one outcome.
SELECT l.run_id, l.legacy_table, l.batch
FROM {ledger} AS l
JOIN {runs} AS r ON r.id = l.run_id
WHERE r.source_id = {source_id} AND l.table_name = {table_name} AND l.primary_rows
    AND l.read <> (SELECT coalesce(sum(o.value::bigint), 0) FROM jsonb_each_text(l.outcomes) AS o)
ORDER BY l.run_id, l.legacy_table, l.batch
