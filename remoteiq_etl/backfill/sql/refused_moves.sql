-- Links that legacy leads elsewhere and the target does not: what was written, what the owner has, and what legacy wants.
SELECT
    p.new_key::text AS new_key, s._key::text AS legacy_key, {columns} AS columns, {written} AS last_written,
    coalesce((SELECT jsonb_agg({current} ORDER BY {current}) FROM {target} AS t WHERE t.{owner} = s.{owner}), '[]') AS current,
    {incoming} AS incoming, p.incoming AS incoming_hash, NULL::bytea AS current_hash, {reason} AS reason
FROM {stage} AS s
JOIN merge_plan AS p USING (_row)
JOIN {map} AS m ON m.source_id = {source_id} AND m.legacy_table = {legacy_table} AND m.legacy_key = s._key
WHERE p.action = 'move refused'
