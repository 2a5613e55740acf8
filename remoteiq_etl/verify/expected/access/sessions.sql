-- carried from sessions: user_agent, trusted
-- A jti that is a uuid becomes the id: a cookie names the session by it. Of equal ones a revoked one stands (see rules/access).
-- reads: sessions, users(id, created_at)
-- each row: sessions, users by user_id
SELECT
    'sessions' AS _legacy_table,
    l.id AS _legacy_key,
    CASE
        WHEN l.jti COLLATE "C" ~* '^[0-9a-f]{4}(-?[0-9a-f]{4}){7}$' THEN l.jti::uuid
        ELSE m.new_key::uuid
    END AS id,
    u.new_key AS user_id,
    l.jti AS refresh_token,
    l.user_agent,
    l.ip AS ip_address,
    l.trusted,
    coalesce(l.created_at, least(l.last_seen_at, l.last_seen, l.revoked_at), owner.created_at) AS created_at,
    coalesce(l.last_seen_at, greatest(l.created_at, l.last_seen, l.revoked_at), owner.created_at) AS last_seen_at,
    -- Revoked at a time that nobody can read is revoked all the same: at the latest time that is known.
    CASE
        WHEN 'revoked_at' = ANY (l._odd_times)
            THEN coalesce(greatest(l.last_seen_at, l.last_seen, l.created_at), owner.created_at, timestamptz 'epoch')
        ELSE l.revoked_at
    END AS revoked_at
FROM legacy_sessions AS l
LEFT JOIN legacy_users AS owner ON owner.id = l.user_id
LEFT JOIN map_sessions AS m ON m.legacy_table = 'sessions' AND m.legacy_key::text = l.id::text
LEFT JOIN map_users AS u ON u.legacy_table = 'users' AND u.legacy_key::text = l.user_id::text AND u.state IN ('live', 'merged')
WHERE
    m.state IS DISTINCT FROM 'merged'
    AND m.decision ->> 'to' IS NULL -- also where the one that stands waits with its user
    -- An account that was in the target before us gets no live one.
    AND (u.adopted IS NOT TRUE OR l.revoked_at IS NOT NULL OR 'revoked_at' = ANY (l._odd_times))
