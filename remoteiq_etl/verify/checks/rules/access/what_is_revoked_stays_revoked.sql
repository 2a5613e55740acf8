-- A session or a token that legacy has revoked is revoked in the target, also where several of legacy are one.
-- reads: sessions(id, revoked_at), personal_tokens(id, revoked_at)
SELECT 'sessions' AS table_name, s.id::text AS key, 'revoked in legacy: revoked_at' AS finding
FROM map_sessions AS m
JOIN legacy_sessions AS l ON l.id::text = m.legacy_key::text
JOIN sessions AS s ON s.id::text = m.new_key::text
WHERE m.state IN ('live', 'merged') AND (l.revoked_at IS NOT NULL OR 'revoked_at' = ANY (l._odd_times)) AND s.revoked_at IS NULL
UNION ALL
SELECT 'personal_access_tokens', t.id::text, 'revoked in legacy: revoked_at'
FROM map_personal_access_tokens AS m
JOIN legacy_personal_tokens AS l ON l.id::text = m.legacy_key::text
JOIN personal_access_tokens AS t ON t.id::text = m.new_key::text
WHERE m.state IN ('live', 'merged') AND (l.revoked_at IS NOT NULL OR 'revoked_at' = ANY (l._odd_times)) AND t.revoked_at IS NULL
