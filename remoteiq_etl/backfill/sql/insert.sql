INSERT INTO {target} ({columns})
SELECT {values}
FROM {stage} AS s
JOIN merge_plan AS p USING (_row)
WHERE p.action IN ('inserted', 'recreated', 'moved') AND p._row BETWEEN %(first)s AND %(last)s
