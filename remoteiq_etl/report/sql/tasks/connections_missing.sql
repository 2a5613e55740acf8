-- Backup destinations that name a connection which the target does not have.
SELECT d.id::text AS key
FROM {backup_destinations} AS d
JOIN {map_all} AS m ON m.entity = 'backup_destinations' AND m.source = %(source)s AND m.state = 'live' AND m.new_key = d.id::text
WHERE d.configuration ->> 'connectionId' IS NOT NULL
  AND NOT EXISTS (SELECT FROM {storage_connections} AS c WHERE c.id::text = d.configuration ->> 'connectionId')
