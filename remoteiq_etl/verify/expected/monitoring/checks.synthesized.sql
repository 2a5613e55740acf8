-- covers: derived
-- reads: check_assignments(id, check_type, check_name)
-- not compared: category, description, created_by: of a synthesized check nothing but its type is known
-- not compared: created_at, updated_at: no legacy source, the default at the insert
WITH spelled AS MATERIALIZED (
    SELECT
        coalesce(pg_temp.normalised(check_type), '') AS type_key,
        pg_temp.normalised(coalesce(pg_temp.tidy(check_name), pg_temp.tidy(check_type), 'Agent Check')) AS name_key,
        pg_temp.tidy(check_type) AS type,
        uses
    FROM (
        SELECT check_type, check_name, count(*) AS uses FROM legacy_check_assignments GROUP BY check_type, check_name
    ) AS pairs
),

used AS (
    SELECT type_key, name_key, type, sum(uses) AS uses FROM spelled GROUP BY type_key, name_key, type
),

-- The spelling of the type that is used most often, else the first alphabetically.
pairs AS (
    SELECT DISTINCT ON (type_key, name_key) type_key, name_key, type FROM used
    ORDER BY type_key, name_key, uses DESC, type COLLATE "C"
),

wanted AS (
    SELECT
        '[' || to_json(type_key)::text || ',' || to_json(name_key)::text || ']' AS key,
        type_key,
        type
    FROM pairs
    UNION
    -- Runs that no assignment claims need a check of this name.
    SELECT '["","unattributed"]', '', NULL
    WHERE EXISTS (SELECT FROM map_check_assignments WHERE legacy_table = 'derived' AND state = 'live')
)

SELECT
    'derived' AS _legacy_table,
    w.key AS _legacy_key,
    m.new_key AS id,
    source.organization_id::uuid AS organization_id,
    m.decision ->> 'name' AS name,
    coalesce(
        added.label,
        CASE
            WHEN w.type_key IN ('ping', 'port') THEN 'ping'
            WHEN w.type_key IN ('service', 'rdp', 'smb', 'firewall') THEN 'service'
            WHEN w.type_key = 'process' THEN 'process'
            WHEN w.type_key IN ('cpu', 'memory', 'disk', 'smart') THEN 'metric'
            ELSE 'script'
        END
    ) AS type,
    '@every 60s' AS schedule,
    jsonb_strip_nulls(jsonb_build_object('legacyType', w.type)) AS config
FROM wanted AS w
CROSS JOIN source
LEFT JOIN map_checks AS a ON a.legacy_table = 'assignment' AND a.legacy_key = w.key
LEFT JOIN map_checks AS m ON m.legacy_table = 'derived' AND m.legacy_key = w.key
LEFT JOIN added_word AS added ON added.value_map = 'checks.type' AND pg_temp.normalised(added.word) = w.type_key
WHERE a.decision ->> 'check' IS NULL
