-- Assignments to a device; those made up for global checks and for runs without one are not shown.
-- keys: check_assignments
-- new: n.target_type = 'device' AND EXISTS (SELECT FROM {target}.checks AS o WHERE o.id = n.check_id AND o.organization_id = {organization})
-- exact: id
-- archive: device_id, dedupe_key, check_type, check_name
-- lost: created_at: a missing one is filled
-- lost: updated_at: a missing one is filled
SELECT
    r.legacy_key AS id,
    CASE WHEN (r.written ->> 'target_id')::uuid IS DISTINCT FROM t.target_id THEN coalesce(d.legacy_key::text, t.target_id::text)
        ELSE coalesce(a.device_id, d.legacy_key::text, t.target_id::text) END AS device_id,
    coalesce(o.more ->> 'dedupe_key', a.dedupe_key) AS dedupe_key,
    CASE WHEN r.archive_key IS NULL THEN coalesce(k.config ->> 'legacyType', upper(k.type::text COLLATE "C"))
        ELSE coalesce(o.more ->> 'check_type', a.check_type) END AS check_type,
    CASE WHEN r.archive_key IS NULL THEN k.name ELSE coalesce(o.more ->> 'check_name', a.check_name) END AS check_name,
    t.created_at,
    t.updated_at
FROM {rows} AS r
JOIN {target}.check_assignments AS t ON t.id = r.new_key
CROSS JOIN LATERAL (SELECT to_jsonb(t) AS more) AS o
LEFT JOIN {target}.checks AS k ON k.id = t.check_id
LEFT JOIN {state}.legacy_devices_map AS d
    ON d.source_id = {source} AND d.legacy_table = 'devices' AND d.state = 'live' AND d.new_key = t.target_id
{archived}
