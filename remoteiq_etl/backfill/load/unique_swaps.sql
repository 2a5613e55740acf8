-- name: park
-- Off the value that another row of the batch may want; the row gets its own new value right after.
UPDATE {target} AS t
SET {assignments}
FROM {stage} AS s
JOIN merge_plan AS p USING (_row)
WHERE {target_join} AND p.action IN ('updated', 'taken') AND ROW({current}) IS DISTINCT FROM ROW({incoming})
