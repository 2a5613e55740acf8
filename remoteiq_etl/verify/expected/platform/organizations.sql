-- reads: company_profile(id, name), localization_settings(id, time_zone)
-- not compared: created_at, updated_at: no legacy source, the default at insert stands
WITH company AS (
    SELECT name
    FROM legacy_company_profile
    ORDER BY id <> 1, id
    LIMIT 1
),

localization AS (
    SELECT time_zone
    FROM legacy_localization_settings
    ORDER BY id <> 1, id
    LIMIT 1
)

SELECT
    'derived' AS _legacy_table,
    s.slug AS _legacy_key,
    m.new_key AS id,
    coalesce(
        (SELECT name FROM company WHERE pg_temp.normalised(name) IS NOT NULL), 'Default Organization'
    ) AS name,
    s.slug,
    coalesce(
        (SELECT time_zone FROM localization WHERE time_zone IN (SELECT name FROM pg_timezone_names)), 'UTC'
    ) AS time_zone
FROM source AS s
LEFT JOIN map_organizations AS m ON m.legacy_table = 'derived' AND m.legacy_key = s.slug
