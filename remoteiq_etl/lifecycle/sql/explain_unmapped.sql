-- The same of a table that has no map.
SELECT {row} AS "row", NULL::jsonb AS last_written
FROM (SELECT %(key)s::text AS new_key) AS k
JOIN {target} AS t ON {joined}
