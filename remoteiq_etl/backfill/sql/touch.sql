-- Activity columns stand outside the comparison: the later time wins, with the values that belong to it.
UPDATE {target} AS t
SET {assignments}
FROM {stage} AS s
JOIN merge_plan AS p USING (_row)
WHERE {target_join} AND p.newer AND p.action IN ('touched', 'updated', 'taken', 'renewed', 'kept', 'conflict kept', 'adopted')
    AND p._row BETWEEN %(first)s AND %(last)s
