-- Backup policies of ours that are off until the cut-over, and were on in legacy.
SELECT p.id::text AS key
FROM {backup_policies} AS p
JOIN {map_all} AS m ON m.entity = 'backup_policies' AND m.source = %(source)s AND m.state = 'live' AND m.new_key = p.id::text
WHERE (p.options ->> 'enabled') IS DISTINCT FROM 'true' AND (p.options ->> 'legacyEnabled') IS NOT DISTINCT FROM 'true'
