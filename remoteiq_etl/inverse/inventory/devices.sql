-- Devices that legacy knew, and those that only the new application does; not those made up for agents.
-- keys: devices
-- new: EXISTS (SELECT FROM {target}.sites AS s JOIN {target}.clients AS o ON o.id = s.client_id WHERE s.id = n.site_id AND o.organization_id = {organization}) OR (n.site_id IS NULL AND (SELECT count(*) FROM {state}.sources) = 1)
-- exact: id, os, user
-- archive: hostname, arch, last_seen, agent_uuid
-- lost: status: from the cut-over on a stale online reads as offline, before it as it was
-- lost: client: a missing one reads as that of the device's agent
-- lost: site: a missing one reads as that of the device's agent
SELECT
    r.legacy_key AS id,
    CASE WHEN r.written ->> 'hostname' IS DISTINCT FROM t.hostname THEN t.hostname ELSE coalesce(a.hostname, t.hostname) END AS hostname,
    coalesce(t.operating_system, '') AS os,
    CASE WHEN r.written ->> 'architecture' IS DISTINCT FROM t.architecture THEN t.architecture
        ELSE coalesce(a.arch, t.architecture) END AS arch,
    coalesce(t.last_seen_at, a.last_seen) AS last_seen,
    CASE t.status WHEN 'online' THEN 'online' ELSE 'offline' END AS status,
    CASE
        WHEN (r.written ->> 'site_id')::uuid IS DISTINCT FROM t.site_id THEN c.name
        WHEN a.client IS NOT NULL AND cm.last_written ->> 'name' IS NOT DISTINCT FROM c.name THEN a.client
        WHEN c.name <> 'Unassigned' OR r.archive_key IS NULL THEN c.name
    END AS client,
    CASE
        WHEN (r.written ->> 'site_id')::uuid IS DISTINCT FROM t.site_id THEN s.name
        WHEN a.site IS NOT NULL AND sm.last_written ->> 'name' IS NOT DISTINCT FROM s.name THEN a.site
        WHEN s.name <> 'Default' OR r.archive_key IS NULL THEN s.name
    END AS site,
    t.primary_user AS "user",
    CASE WHEN r.archive_key IS NULL OR p.rule = 'pair_agent_uuid' THEN ag.agent_uuid ELSE a.agent_uuid END AS agent_uuid
FROM {rows} AS r
JOIN {target}.devices AS t ON t.id = r.new_key
LEFT JOIN {target}.sites AS s ON s.id = t.site_id
LEFT JOIN {target}.clients AS c ON c.id = s.client_id
LEFT JOIN {state}.legacy_clients_map AS cm ON cm.source_id = {source} AND cm.state = 'live' AND cm.new_key = c.id
LEFT JOIN {state}.legacy_sites_map AS sm ON sm.source_id = {source} AND sm.state = 'live' AND sm.new_key = s.id
LEFT JOIN {target}.agents AS ag ON ag.device_id = t.id
LEFT JOIN {state}.legacy_agents_map AS am
    ON am.source_id = {source} AND am.legacy_table = 'agents' AND am.state = 'live' AND am.new_key = ag.id
LEFT JOIN {state}.legacy_devices_map AS p
    ON p.source_id = {source} AND p.legacy_table = 'agents' AND p.legacy_key = am.legacy_key::text
{archived}
