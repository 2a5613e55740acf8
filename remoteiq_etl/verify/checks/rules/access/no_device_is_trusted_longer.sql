-- No device is trusted for longer than legacy trusts it; the new application trusts one for 90 days after it was last seen.
-- reads: trusted_devices(id, expires_at)
SELECT 'trusted_devices' AS table_name, t.id::text AS key, 'trusted for longer than in legacy: last_seen_at' AS finding
FROM map_trusted_devices AS m
JOIN legacy_trusted_devices AS l ON l.id::text = m.legacy_key::text
JOIN trusted_devices AS t ON t.id::text = m.new_key::text
WHERE m.state = 'live' AND NOT m.adopted AND t.last_seen_at > l.expires_at - interval '2160 hours'
