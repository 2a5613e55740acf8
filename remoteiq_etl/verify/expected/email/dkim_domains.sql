-- A domain dates from the earliest to the latest of its rows, those included that become no key.
-- reads: dkim_settings(id, domain, updated_at), dkim_keys(id, domain, created_at, updated_at)
WITH told AS (
    SELECT domain, updated_at AS first, updated_at AS last FROM legacy_dkim_settings
    UNION ALL
    SELECT domain, least(created_at, updated_at), greatest(created_at, updated_at) FROM legacy_dkim_keys
),

dated AS (
    SELECT pg_temp.lowered(domain) AS domain, min(first) AS first, max(last) AS last
    FROM told
    GROUP BY pg_temp.lowered(domain)
)

SELECT
    'derived' AS _legacy_table,
    d.domain AS _legacy_key,
    m.new_key AS id,
    s.organization_id,
    d.domain,
    d.first AS created_at,
    d.last AS updated_at
FROM dated AS d
CROSS JOIN source AS s
LEFT JOIN map_dkim_domains AS m ON m.legacy_table = 'derived' AND m.legacy_key::text = d.domain
WHERE d.domain IS NOT NULL
