-- The columns of which the target's value stays, whoever wins: one-way doors, and what an adopted row never gets.
UPDATE merge_plan AS p
SET shut = nullif(array_remove(ARRAY[{shut}]::text[], NULL), '{{}}')
FROM {stage} AS s
LEFT JOIN {map} AS m ON m.source_id = {source_id} AND m.legacy_table = {legacy_table} AND m.legacy_key = s._key,
    {target} AS t
WHERE p._row = s._row AND {target_join} AND (p.action = 'changed' OR p.adopted AND p.action = 'unchanged')
