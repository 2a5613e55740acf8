-- An adopted row keeps what it has: only its empty values are filled.
UPDATE {target} AS t
SET {assignments}
FROM {stage} AS s
JOIN merge_plan AS p USING (_row)
WHERE {target_join} AND p.action = 'adopted' AND p._row BETWEEN %(first)s AND %(last)s
    AND ROW({current}) IS DISTINCT FROM ROW({filled})
