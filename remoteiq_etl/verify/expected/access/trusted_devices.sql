-- The new application trusts a device for 90 days after last_seen_at.
-- reads: trusted_devices
-- each row: trusted_devices
SELECT
    'trusted_devices' AS _legacy_table,
    l.id AS _legacy_key,
    m.new_key AS id,
    u.new_key AS user_id,
    l.device_fingerprint,
    l.expires_at - interval '2160 hours' AS last_seen_at,
    coalesce(l.created_at, l.expires_at) AS created_at
FROM legacy_trusted_devices AS l
LEFT JOIN map_trusted_devices AS m ON m.legacy_table = 'trusted_devices' AND m.legacy_key::text = l.id::text
LEFT JOIN map_users AS u ON u.legacy_table = 'users' AND u.legacy_key::text = l.user_id::text AND u.state IN ('live', 'merged')
WHERE u.adopted IS NOT TRUE -- an account that was in the target before us gets none
