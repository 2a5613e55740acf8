-- Script checks that legacy runs everywhere: nothing assigns them in the target.
SELECT c.name AS key
FROM {checks} AS c
JOIN {map_all} AS m ON m.entity = 'checks' AND m.source = %(source)s AND m.state = 'live' AND m.new_key = c.id::text
WHERE m.legacy_table = 'checks' AND upper(btrim(c.config ->> 'scope')) = 'GLOBAL' AND upper(btrim(c.config ->> 'legacyType')) = 'SCRIPT'
  AND (c.config ->> 'enabled') IS NOT DISTINCT FROM 'true'
  AND NOT EXISTS (SELECT FROM {check_assignments} AS a WHERE a.check_id = c.id AND a.target_type::text = 'organization')
