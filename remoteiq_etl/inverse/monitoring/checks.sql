-- Checks that legacy defined, and those that the new application did; not those made up for assignments.
-- keys: checks
-- new: n.organization_id = {organization}
-- exact: id, scope, type, description, category, threshold, severity_default, interval_sec, timeout_sec, enabled
-- exact: created_at, updated_at
-- archive: name, created_by, updated_by
-- lost: config: null reads as an empty object, what is no object is kept under the key value
SELECT
    r.legacy_key AS id,
    coalesce(t.config ->> 'scope', 'DEVICE') AS scope,
    coalesce(
        t.config ->> 'legacyType',
        CASE t.type WHEN 'ping' THEN 'PING' WHEN 'service' THEN 'SERVICE' WHEN 'process' THEN 'PROCESS' WHEN 'metric' THEN 'CPU' ELSE 'SCRIPT' END
    ) AS type,
    CASE WHEN r.written ->> 'name' IS DISTINCT FROM t.name THEN t.name ELSE coalesce(a.name, t.name) END AS name,
    t.description,
    t.category,
    CASE
        WHEN p.restored - 'value' = '{{}}' AND p.restored ? 'value' AND jsonb_typeof(p.restored -> 'value') <> 'object'
            THEN p.restored -> 'value'
        ELSE p.restored
    END AS config,
    t.config -> 'threshold' AS threshold,
    coalesce(t.config ->> 'severityDefault', 'WARN') AS severity_default,
    coalesce(t.config ->> 'intervalSec', '60')::integer AS interval_sec,
    coalesce(t.config ->> 'timeoutSec', '30')::integer AS timeout_sec,
    coalesce((t.config ->> 'enabled')::boolean, true) AS enabled,
    CASE WHEN t.created_by IS NULL THEN a.created_by ELSE coalesce(u.legacy_key::uuid, t.created_by) END AS created_by,
    a.updated_by,
    t.created_at,
    t.updated_at
FROM {rows} AS r
JOIN {target}.checks AS t ON t.id = r.new_key
LEFT JOIN {state}.legacy_users_map AS u
    ON u.source_id = {source} AND u.legacy_table = 'users' AND u.state = 'live' AND u.new_key = t.created_by
{archived}
CROSS JOIN LATERAL (
    SELECT
        t.config - ARRAY['scope', 'legacyType', 'threshold', 'severityDefault', 'intervalSec', 'timeoutSec', 'enabled', 'legacyValues']
        || coalesce(CASE jsonb_typeof(t.config -> 'legacyValues') WHEN 'object' THEN t.config -> 'legacyValues' END, '{{}}') AS restored
) AS p
