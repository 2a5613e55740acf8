-- Target rows that differ from what legacy gives.
SELECT
    p.new_key::text AS new_key, s._key::text AS legacy_key, d.columns, m.last_written, {current} AS current, {incoming} AS incoming,
    p.incoming AS incoming_hash, {current_hash} AS current_hash, {reason} AS reason
FROM {stage} AS s
JOIN merge_plan AS p USING (_row)
JOIN {target} AS t ON {target_join}
LEFT JOIN {map} AS m ON m.source_id = {source_id} AND m.legacy_table = {legacy_table} AND m.legacy_key = s._key
CROSS JOIN LATERAL (SELECT {columns} AS columns) AS d
WHERE {listed} AND cardinality(d.columns) > 0
