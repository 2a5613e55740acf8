-- name: park
-- Off the value that another row of the batch may want; the row gets its own new value right after.
UPDATE {target} AS t
SET {assignments}
FROM {stage} AS s
JOIN merge_plan AS p USING (_row)
WHERE {target_join} AND p.action IN ('updated', 'taken') AND ROW({current}) IS DISTINCT FROM ROW({incoming})


-- name: constrained
-- The columns of a unique constraint or index of a table, where it is about all rows and no expression.
SELECT a.attname
FROM pg_index AS i
JOIN pg_class AS c ON c.oid = i.indexrelid
CROSS JOIN LATERAL unnest(i.indkey) WITH ORDINALITY AS k (attnum, position)
JOIN pg_attribute AS a ON a.attrelid = i.indrelid AND a.attnum = k.attnum
WHERE i.indrelid = %(target)s::regclass AND c.relname = %(constraint)s AND i.indisunique
    AND i.indexprs IS NULL AND i.indpred IS NULL AND k.position <= i.indnkeyatts


-- name: kept_by_others
-- Rows to be inserted with the unique value of a row to which the batch writes nothing.
SELECT DISTINCT p._row
FROM merge_plan AS p
JOIN {stage} AS s USING (_row)
JOIN {target} AS t ON {same}
WHERE p.action IN ('inserted', 'recreated')
    AND NOT EXISTS (
        SELECT FROM merge_plan AS o
        WHERE o.new_key = t.{key} AND o.action NOT IN ('unchanged', 'conflict kept', 'quarantined', 'deferred')
    )
ORDER BY 1
