UPDATE {target} AS t
SET {assignments}
FROM {stage} AS s
JOIN merge_plan AS p USING (_row)
WHERE {target_join} AND p.action IN ('updated', 'taken') AND p._row BETWEEN %(first)s AND %(last)s
