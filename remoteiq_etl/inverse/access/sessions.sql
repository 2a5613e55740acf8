-- Sessions; the jti is what the cookie names them by.
-- keys: sessions
-- new: EXISTS (SELECT FROM {target}.users AS o WHERE o.id = n.user_id AND o.organization_id = {organization})
-- exact: id, user_id, jti, user_agent, ip, revoked_at, last_seen_at, trusted
-- lost: created_at: a missing one is filled
-- lost: last_seen: a missing one reads as last_seen_at
SELECT
    r.legacy_key AS id,
    coalesce(u.legacy_key::uuid, t.user_id) AS user_id,
    t.refresh_token AS jti,
    t.user_agent,
    t.ip_address AS ip,
    t.created_at,
    coalesce(a.last_seen, t.last_seen_at) AS last_seen,
    t.revoked_at,
    t.last_seen_at,
    t.trusted
FROM {rows} AS r
JOIN {target}.sessions AS t ON t.id = r.new_key
LEFT JOIN {state}.legacy_users_map AS u
    ON u.source_id = {source} AND u.legacy_table = 'users' AND u.state = 'live' AND u.new_key = t.user_id
{archived}
