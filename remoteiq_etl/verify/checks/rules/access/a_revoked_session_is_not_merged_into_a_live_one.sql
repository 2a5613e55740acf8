-- Of sessions with one uuid a revoked one stands where there is one: the others let no cookie in.
-- reads: sessions(id, jti, revoked_at)
WITH named AS (
    SELECT m.legacy_key::text AS key, m.state, lower(replace(s.jti, '-', '') COLLATE "C") AS uuid,
        s.revoked_at IS NOT NULL OR coalesce('revoked_at' = ANY (s._odd_times), false) AS revoked
    FROM map_sessions AS m
    JOIN legacy_sessions AS s ON s.id::text = m.legacy_key::text
    WHERE m.legacy_table = 'sessions' AND m.state IN ('live', 'merged')
)

SELECT
    'sessions' AS table_name,
    m.key,
    CASE
        WHEN w.key IS NULL THEN 'merged, but no session of its uuid stands: jti'
        ELSE 'merged into one that is not revoked: revoked_at'
    END AS finding
FROM named AS m
LEFT JOIN named AS w ON w.uuid = m.uuid AND w.state = 'live'
WHERE m.state = 'merged' AND (w.key IS NULL OR (m.revoked AND NOT w.revoked))
