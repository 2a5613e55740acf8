-- Agents, with what the redesign keeps of them in facts. New ones have a number above those of legacy.
-- keys: agents
-- new: EXISTS (SELECT FROM {target}.devices AS d JOIN {target}.sites AS s ON s.id = d.site_id JOIN {target}.clients AS o ON o.id = s.client_id WHERE d.id = n.device_id AND o.organization_id = {organization}) OR ((SELECT count(*) FROM {state}.sources) = 1 AND EXISTS (SELECT FROM {target}.devices AS d WHERE d.id = n.device_id AND d.site_id IS NULL))
-- exact: id, device_id, os, arch, version, last_seen_at, created_at, updated_at, agent_uuid
-- archive: hostname
-- lost: token_hash: a secret without a place in the redesign: agents enrol again
-- lost: client: a missing one reads as that of the device
-- lost: site: a missing one reads as that of the device
-- lost: primary_ip: a missing one reads as the key of that name in facts
-- lost: logged_in_user: a missing one reads as the key of that name in facts
-- lost: facts: a key that only repeats a column is not told from the column
SELECT
    r.legacy_key AS id,
    coalesce(t.facts ->> 'deviceKey', d.id::text) AS device_id,
    coalesce(o.more ->> 'hostname', a.hostname, t.facts ->> 'hostname', d.hostname) AS hostname,
    coalesce(t.facts ->> 'os', d.operating_system) AS os,
    coalesce(t.facts ->> 'arch', d.architecture) AS arch,
    t.version,
    t.last_check_in_at AS last_seen_at,
    t.created_at,
    t.updated_at,
    o.more ->> 'token_hash' AS token_hash,
    coalesce(CASE WHEN cm.last_written ->> 'name' IS NOT DISTINCT FROM c.name THEN a.client END, c.name) AS client,
    coalesce(CASE WHEN sm.last_written ->> 'name' IS NOT DISTINCT FROM s.name THEN a.site END, s.name) AS site,
    t.facts ->> 'primary_ip' AS primary_ip,
    t.facts ->> 'logged_in_user' AS logged_in_user,
    t.facts - ARRAY['deviceKey', 'hostname', 'os', 'arch', 'primary_ip', 'logged_in_user', 'user', 'legacyValues']
    || coalesce(CASE jsonb_typeof(t.facts -> 'legacyValues') WHEN 'object' THEN t.facts -> 'legacyValues' END, '{{}}') AS facts,
    t.agent_uuid
FROM {rows} AS r
JOIN {target}.agents AS t ON t.id = r.new_key
CROSS JOIN LATERAL (SELECT to_jsonb(t) AS more) AS o
LEFT JOIN {target}.devices AS d ON d.id = t.device_id
LEFT JOIN {target}.sites AS s ON s.id = d.site_id
LEFT JOIN {target}.clients AS c ON c.id = s.client_id
LEFT JOIN {state}.legacy_clients_map AS cm ON cm.source_id = {source} AND cm.state = 'live' AND cm.new_key = c.id
LEFT JOIN {state}.legacy_sites_map AS sm ON sm.source_id = {source} AND sm.state = 'live' AND sm.new_key = s.id
{archived}
