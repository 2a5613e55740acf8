-- name: clients
-- Clients that were written since and have a device, with the key that the map has of each.
SELECT t.id::text, m.legacy_key, t.name
FROM {target}.clients AS t
LEFT JOIN {state}.legacy_clients_map AS m
    ON m.new_key = t.id AND m.source_id = {source_id} AND m.legacy_table = 'derived' AND m.state = 'live'
WHERE {newer} AND t.organization_id = {organization}
    AND EXISTS (SELECT FROM {target}.sites AS s JOIN {target}.devices AS d ON d.site_id = s.id WHERE s.client_id = t.id)


-- name: sites
-- The same of sites, of which each has the key of its client in its own.
SELECT t.id::text, m.legacy_key, t.name, c.legacy_key
FROM {target}.sites AS t
JOIN {target}.clients AS o ON o.id = t.client_id AND o.organization_id = {organization}
JOIN {state}.legacy_clients_map AS c
    ON c.new_key = t.client_id AND c.source_id = {source_id} AND c.legacy_table = 'derived' AND c.state = 'live'
LEFT JOIN {state}.legacy_sites_map AS m
    ON m.new_key = t.id AND m.source_id = {source_id} AND m.legacy_table = 'derived' AND m.state = 'live'
WHERE ({newer} OR {newer_client}) AND EXISTS (SELECT FROM {target}.devices AS d WHERE d.site_id = t.id)


-- name: contacts
-- The same of contacts that have a ticket: known by their address, else by their name.
SELECT t.id::text, m.legacy_key, t.name, t.email::text
FROM {target}.contacts AS t
LEFT JOIN {state}.legacy_contacts_map AS m
    ON m.new_key = t.id AND m.source_id = {source_id} AND m.legacy_table = 'derived' AND m.state = 'live'
WHERE {newer} AND t.organization_id = {organization}
    AND EXISTS (SELECT FROM {target}.tickets AS k WHERE k.requester_contact_id = t.id)


-- name: former
-- What led to the row under its former name does so no more.
DELETE FROM {map} AS m
WHERE m.source_id = {source_id} AND m.legacy_table = 'derived' AND m.state = 'live' AND m.new_key = %(new_key)s::uuid
    AND m.legacy_key <> %(key)s


-- name: named
-- The row is found under the name that legacy has now. Nothing was written of it under that.
INSERT INTO {map} (source_id, legacy_table, legacy_key, new_key, rule, state, adopted, decision, first_run, last_run, written_hash)
SELECT {source_id}, 'derived', %(key)s, %(new_key)s::uuid, 'carried back', 'live', false, %(decision)s, r.id, r.id, '\x00'
FROM (SELECT max(id) AS id FROM {runs} WHERE source_id = {source_id}) AS r
ON CONFLICT ({map_key}) DO NOTHING
