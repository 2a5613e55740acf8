-- name: balance
-- Rows that must be ours by the book of movements, and those that the map says are.
SELECT
    (SELECT coalesce(sum(b.change), 0)::bigint FROM {movements} AS b WHERE b.source_id = {source_id} AND b.table_name = {table_name}),
    (SELECT count(*) FROM {map} AS m WHERE m.source_id = {source_id} AND m.state = 'live')


-- name: ledger_full
-- Rows that the last full pass over a table's legacy rows has an account of, by legacy table.
SELECT l.legacy_table, sum(l.read)::bigint AS read
FROM {ledger} AS l
WHERE l.run_id = {run_id} AND l.table_name = {table_name} AND l.primary_rows
GROUP BY l.legacy_table


-- name: ledger_moved
-- Runs of which ledger and book of movements do not say the same: rows made, adopted, and deleted because legacy lost theirs.
-- What is older than the book is in the ledger alone.
SELECT run_id, what, coalesce(l."rows", 0) AS in_ledger, coalesce(b."rows", 0) AS in_book
FROM (
    SELECT l.run_id, o.key AS what, sum(o.value::bigint)::bigint AS "rows"
    FROM {ledger} AS l
    JOIN {runs} AS r ON r.id = l.run_id
    CROSS JOIN LATERAL jsonb_each_text(l.outcomes) AS o
    WHERE r.source_id = {source_id} AND l.table_name = {table_name}
        AND o.key IN ('inserted', 'adopted', 'deleted, gone from legacy')
        AND l.run_id > (
            SELECT coalesce(max(b.run_id), 0)
            FROM {movements} AS b
            WHERE b.source_id = {source_id} AND b.cause = 'opening'
        )
    GROUP BY 1, 2
) AS l
FULL JOIN (
    SELECT
        b.run_id,
        CASE b.cause WHEN 'recreated' THEN 'inserted' WHEN 'gone from legacy' THEN 'deleted, gone from legacy' ELSE b.cause END AS what,
        sum(b."rows")::bigint AS "rows"
    FROM {movements} AS b
    WHERE b.source_id = {source_id} AND b.table_name = {table_name} AND b.run_id IS NOT NULL
        AND b.cause IN ('inserted', 'recreated', 'adopted', 'gone from legacy')
    GROUP BY 1, 2
) AS b USING (run_id, what)
WHERE l."rows" IS DISTINCT FROM b."rows"
ORDER BY run_id, what


-- name: ledger_open
-- Batches of which not every row that was read has one outcome.
SELECT l.run_id, l.legacy_table, l.batch
FROM {ledger} AS l
JOIN {runs} AS r ON r.id = l.run_id
WHERE r.source_id = {source_id} AND l.table_name = {table_name} AND l.primary_rows
    AND l.read <> (SELECT coalesce(sum(o.value::bigint), 0) FROM jsonb_each_text(l.outcomes) AS o)
ORDER BY l.run_id, l.legacy_table, l.batch
