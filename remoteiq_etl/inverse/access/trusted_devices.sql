-- Trusted devices: trust ends 90 days of 24 hours after they were seen.
-- keys: trusted_devices
-- new: EXISTS (SELECT FROM {target}.users AS o WHERE o.id = n.user_id AND o.organization_id = {organization})
-- exact: id, user_id, device_fingerprint, created_at, expires_at
SELECT
    r.legacy_key AS id,
    coalesce(u.legacy_key::uuid, t.user_id) AS user_id,
    t.device_fingerprint,
    t.created_at,
    t.last_seen_at + interval '2160 hours' AS expires_at
FROM {rows} AS r
JOIN {target}.trusted_devices AS t ON t.id = r.new_key
LEFT JOIN {state}.legacy_users_map AS u
    ON u.source_id = {source} AND u.legacy_table = 'users' AND u.state = 'live' AND u.new_key = t.user_id
