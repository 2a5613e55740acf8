-- The check that an assignment was matched with has its type and its name, unless it was changed since.
-- reads: checks(id, type, name)
WITH matched AS (
    SELECT legacy_key AS key, decision ->> 'check' AS check, last_run
    FROM map_checks
    WHERE legacy_table = 'assignment' AND decision ? 'check'
)

SELECT 'checks' AS table_name, m.key, 'matched with a check of another type or name: check' AS finding
FROM matched AS m
JOIN legacy_checks AS c ON c.id::text = m.check
JOIN map_checks AS k ON k.legacy_table = 'checks' AND k.legacy_key = m.check
WHERE
    k.last_run <= m.last_run
    AND m.key <> '[' || to_json(coalesce(pg_temp.normalised(c.type), ''))::text || ',' || to_json(
        pg_temp.normalised(coalesce(pg_temp.tidy(c.name), pg_temp.tidy(c.type), 'Agent Check'))
    )::text || ']'
UNION ALL
SELECT 'checks', m.key, 'matched with a check that the map does not know: check'
FROM matched AS m
WHERE NOT EXISTS (SELECT FROM map_checks AS k WHERE k.legacy_table = 'checks' AND k.legacy_key = m.check)
