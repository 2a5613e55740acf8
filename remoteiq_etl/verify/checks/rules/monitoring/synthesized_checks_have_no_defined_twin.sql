-- No check is synthesized for a type and a name that a legacy check had already.
-- reads: checks(id, type, name)
WITH defined AS MATERIALIZED (
    SELECT
        c.id::text AS id,
        '[' || to_json(coalesce(pg_temp.normalised(c.type), ''))::text || ',' || to_json(
            pg_temp.normalised(coalesce(pg_temp.tidy(c.name), pg_temp.tidy(c.type), 'Agent Check'))
        )::text || ']' AS key,
        m.last_run
    FROM legacy_checks AS c
    JOIN map_checks AS m ON m.legacy_table = 'checks' AND m.legacy_key = c.id::text AND m.state = 'live'
)

SELECT 'checks' AS table_name, s.legacy_key AS key, 'a legacy check has this type and name: check_type, check_name' AS finding
FROM map_checks AS s
JOIN defined AS d ON d.key = s.legacy_key
WHERE s.legacy_table = 'derived' AND s.state = 'live' AND d.last_run <= s.first_run
