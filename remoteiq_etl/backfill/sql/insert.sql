INSERT INTO {target} ({columns})
SELECT {values}
FROM {stage} AS s
JOIN merge_plan AS p USING (_row)
WHERE p.action = 'inserted' AND p._row BETWEEN %(first)s AND %(last)s
